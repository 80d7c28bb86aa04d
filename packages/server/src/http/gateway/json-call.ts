/**
 * One call of the gateway as its method sees it: a `ServerCall` whose messages leave as JSON over HTTP. Where its request
 * comes from is told apart by the input.
 */
import {
  messageToJson,
  messageToJsonInPieces,
  messageToJsonShared,
  messageTooLarge,
  StatusCode,
} from "@holdfast/protocol";
import type {
  CallEndListener,
  CancelReason,
  Clock,
  MessageSink,
  Metadata,
  Method,
  Peer,
  PlainRequest,
  ServerCall,
  Status,
  Timer,
} from "@holdfast/transport";
import { noRoomForAnswer } from "../answer-budget.js";
import type { HttpLimits } from "../limits.js";
import type { Binding } from "./bindings.js";
import { type CallHead, noTimeout } from "./call-head.js";
import type { CallInput } from "./call-input.js";
import { errorLine, escapeForPages, respondError } from "./error-body.js";
import { httpStatusOf } from "./http-status.js";
import type { LargeAnswers } from "./large-answers.js";
import { type FeedTarget, MessageFeed } from "./message-feed.js";
import { SingleMessage } from "./single-message.js";

/** What all calls share. */
export interface CallServices {
  readonly limits: HttpLimits;
  readonly clock: Clock;
  /** Runs a task in a later turn of the event loop. */
  defer(task: () => void): void;
  readonly largeAnswers: LargeAnswers;
  /** There was no room for an answer. */
  answerRefused(): void;
  /** Told how long each call was open. */
  readonly callEnded: CallEndListener | undefined;
  /** A method threw, which is a bug; the call was ended with INTERNAL. */
  handlerFailed(path: string, error: unknown): void;
  /** The call is over, for whatever reason. Called once for each. */
  callClosed(): void;
}

type Streaming = Extract<Method, { kind: "bidi" }>;
type Single = Exclude<Method, { kind: "bidi" }>;

const ok = 200;
const json = ["content-type", "application/json"] as const;
const answerHeaders = [json, ["grpc-metadata-content-type", "application/grpc"]] as const;
const okStatus: Status = { code: StatusCode.ok, message: "" };
const deadlineStatus: Status = { code: StatusCode.deadlineExceeded, message: "context deadline exceeded" };
const internalStatus: Status = { code: StatusCode.internal, message: "internal error" };

export class JsonCall implements ServerCall, FeedTarget {
  readonly ownsRequest = false;
  readonly metadata: Metadata;
  readonly peer: Peer;
  readonly #request: PlainRequest;
  readonly #binding: Binding;
  readonly #services: CallServices;
  readonly #input: CallInput;
  readonly #openedAtMs: number;
  readonly #deadline: Timer | undefined;
  #feed: MessageFeed | undefined = undefined;
  #sink: MessageSink | undefined = undefined;
  #ended = false;
  #begun = false;
  #isReplying = false;
  #cancelListener: ((reason: CancelReason) => void) | undefined = undefined;

  constructor(request: PlainRequest, binding: Binding, head: CallHead, input: CallInput, services: CallServices) {
    this.#request = request;
    this.#binding = binding;
    this.#services = services;
    this.#input = input;
    this.metadata = head.metadata;
    // The certificate spoke for the HTTP request; the call has to show a token (etcd-v3-wire.md 4.8).
    this.peer = withoutCertificate(request.peer);
    this.#openedAtMs = services.clock.nowMs();
    const { timeoutMs } = head;
    this.#deadline = timeoutMs === noTimeout ? undefined : services.clock.after(timeoutMs, () => this.#expired());
  }

  get path(): string {
    return this.#binding.descriptor.path;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get unsentBytes(): number {
    return this.#request.unsentBytes;
  }

  get congested(): boolean {
    return this.#request.congested;
  }

  /** Reads the request and hands it to the method. */
  start(): void {
    this.#binding.counters?.countStart();
    this.#request.onCancel((reason) => this.#cancel(reason));
    const { method, descriptor } = this.#binding;
    if (method === undefined) this.end(unimplemented(descriptor));
    else if (method.kind === "bidi") this.#openStream(method);
    else this.#readSingle(method);
  }

  reply(message: Uint8Array): void {
    if (this.#ended) return;
    if (this.#isStream) {
      this.send(message);
      this.end(okStatus);
      return;
    }
    if (message.length > this.#services.limits.answerSliceBytes) {
      this.#replyInSlices(message.slice());
      return;
    }
    const { response } = this.#binding.descriptor;
    this.#respond(message.length, messageToJsonShared(response, response.decode(message)));
  }

  replyParts(parts: readonly Uint8Array[]): void {
    this.reply(Buffer.concat(parts));
  }

  send(message: Uint8Array): void {
    if (this.#ended) return;
    this.#binding.counters?.countSent(message.length);
    this.#begin(ok, answerHeaders);
    const { response } = this.#binding.descriptor;
    this.#request.write(`{"result":${escapeForPages(messageToJson(response, response.decode(message)))}}\n`);
  }

  /** As in etcd the headers wait for the first message, whose fate decides about the status. */
  sendHeaders(): void {}

  end(status: Status): void {
    if (this.#ended) return;
    this.#finish(status.code);
    if (!this.#isStream) {
      respondError(this.#request, status);
      return;
    }
    if (status.code !== StatusCode.ok) {
      this.#begin(httpStatusOf(status.code), [json]);
      this.#request.write(errorLine(status));
    }
    if (this.#begun) this.#request.finish();
    else this.#request.respond(ok, [], "");
  }

  onCancel(listener: (reason: CancelReason) => void): void {
    if (!this.#ended) this.#cancelListener = listener;
  }

  onDrain(listener: () => void): void {
    this.#request.onDrain(() => {
      if (!this.#ended) listener();
    });
  }

  pause(): void {
    this.#feed?.pause();
    this.#input.pause();
  }

  resume(): void {
    if (this.#ended) return;
    this.#input.resume();
    this.#feed?.resume();
  }

  /** One message of a stream's request. */
  message(bytes: Uint8Array): void {
    if (!this.#admits(bytes)) return;
    this.#guarded(() => this.#sink?.message(bytes));
  }

  halfClose(): void {
    this.#guarded(() => this.#sink?.halfClose());
  }

  get #isStream(): boolean {
    return this.#binding.descriptor.kind !== "unary";
  }

  /** `message` is this call's own. Until the answer is made, the call can still be cancelled and its time run out. */
  #replyInSlices(message: Uint8Array): void {
    if (this.#isReplying) return;
    this.#isReplying = true;
    const { limits, largeAnswers } = this.#services;
    const pieces = messageToJsonInPieces(this.#binding.descriptor.response, message, limits.answerSliceBytes);
    const made: Buffer[] = [];
    const hasRoom = largeAnswers.add(message.length, () => {
      if (this.#ended) return true;
      const { done, value } = pieces.next();
      if (done !== true) made.push(value);
      else this.#respond(message.length, Buffer.concat(made));
      return this.#ended;
    });
    if (hasRoom) return;
    this.#services.answerRefused();
    this.end(noRoomForAnswer);
  }

  #respond(messageBytes: number, body: Uint8Array): void {
    this.#binding.counters?.countSent(messageBytes);
    this.#finish(StatusCode.ok);
    this.#request.respond(ok, answerHeaders, body);
  }

  #openStream(method: Streaming): void {
    const { limits, defer } = this.#services;
    const feed = new MessageFeed(this.#binding.descriptor.request, this, limits, defer);
    this.#feed = feed;
    this.#guarded(() => {
      this.#sink = method.open(this);
    });
    if (!this.#ended) this.#input.start(feed);
  }

  #readSingle(method: Single): void {
    const onMessage = (bytes: Uint8Array): void => {
      if (!this.#ended && this.#admits(bytes)) this.#guarded(() => method.handle(bytes, this));
    };
    this.#input.start(new SingleMessage(this.#binding.descriptor.request, onMessage, (text) => this.#refuse(text)));
  }

  /** The request is no JSON, or not that of the message: no call came about, so that streams, too, answer as unary calls do. */
  #refuse(message: string): void {
    if (this.#ended) return;
    this.#finish(StatusCode.invalidArgument);
    respondError(this.#request, { code: StatusCode.invalidArgument, message });
  }

  /** Whether a message is small enough; if not, the call is ended. */
  #admits(bytes: Uint8Array): boolean {
    const { messageBytesMax } = this.#services.limits;
    if (bytes.length > messageBytesMax) {
      this.#endBeforeHandler(messageTooLarge(bytes.length, messageBytesMax), "cancelled");
      return false;
    }
    this.#binding.counters?.countReceived(bytes.length);
    return true;
  }

  #begin(status: number, headers: Iterable<readonly [name: string, value: string]>): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#request.begin(status, headers);
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#endBeforeHandler(internalStatus, "cancelled");
      this.#services.handlerFailed(this.path, error);
    }
  }

  #expired(): void {
    this.#endBeforeHandler(deadlineStatus, "deadline-exceeded");
  }

  #endBeforeHandler(status: Status, reason: CancelReason): void {
    const listener = this.#cancelListener;
    this.end(status);
    listener?.(reason);
  }

  /** The client is gone. */
  #cancel(reason: CancelReason): void {
    if (this.#ended) return;
    const listener = this.#cancelListener;
    this.#finish(StatusCode.cancelled);
    listener?.(reason);
  }

  #finish(code: number): void {
    this.#ended = true;
    this.#deadline?.cancel();
    this.#cancelListener = undefined;
    this.#sink = undefined;
    const { callEnded, clock } = this.#services;
    this.#binding.counters?.countEnd(code);
    callEnded?.(this.path, clock.nowMs() - this.#openedAtMs);
    this.#services.callClosed();
  }
}

/** One object for all calls of a connection wherever it can be: what is counted by connection is told apart by it. */
function withoutCertificate(peer: Peer): Peer {
  if (peer.certificateName === undefined) return peer;
  const { address, port, connection = peer } = peer;
  return { address, port, connection };
}

function unimplemented({ service }: Binding["descriptor"]): Status {
  return { code: StatusCode.unimplemented, message: `unknown service ${service}` };
}
