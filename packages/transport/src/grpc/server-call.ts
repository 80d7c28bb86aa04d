/**
 * One gRPC call at the server: from the frames of its stream to a handler, and from the handler's answers to frames.
 * The stream and the call are one object, so that a unary call costs one. What a request's headers mean was settled
 * before (`request-head.ts`).
 */
import type { HeaderFields } from "../hpack/index.js";
import { FRAME_BYTES_DEFAULT } from "../http2/protocol.js";
import { Http2Stream, type StreamHost } from "../http2/stream.js";
import { openFlagged } from "./compression.js";
import type { Deadline, DeadlineWheel, Expiring } from "./deadline-wheel.js";
import { declaredLength, type MessageListener, MessageReader, messagePrefix, PREFIX_BYTES } from "./message-reader.js";
import type { CountedMethod, MethodCounters } from "./method-counters.js";
import type { ReplyWriter } from "./reply-writer.js";
import { DEADLINE_STATUS, NO_TIMEOUT, type RequestHead } from "./request-head.js";
import {
  CANCELLED,
  DEADLINE_EXCEEDED,
  INTERNAL,
  OK,
  OK_TRAILERS,
  RESOURCE_EXHAUSTED,
  trailersOf,
  trailersOnly,
} from "./status.js";
import type { CancelReason, MessageSink, Metadata, Method, Peer, ServerCall, Status } from "./types.js";

/** Told, from within the transport, of the end of a call and how long it was open. Must not throw. */
export type CallEndListener = (path: string, openMs: number) => void;

/** What the calls of one connection share. */
export interface CallSession {
  readonly peer: Peer;
  readonly replies: ReplyWriter;
  readonly deadlines: DeadlineWheel;
  /** Told how long each call was open; undefined where nobody asks. */
  readonly callEnded: CallEndListener | undefined;
  /** A handler threw, which is a bug; the call was ended with INTERNAL. */
  handlerFailed(path: string, error: unknown): void;
}

// The texts are grpc-go's.
const NO_MESSAGE = "cardinality violation: received no request message from non-client-streaming RPC";
const SEVERAL_MESSAGES = "cardinality violation: received multiple request messages for non-client-streaming RPC";
const CUT_MESSAGE = "unexpected EOF";

const NO_BYTES = Buffer.alloc(0);

export class ServerCallStream extends Http2Stream implements ServerCall, MessageListener, Expiring {
  readonly #session: CallSession;
  readonly #head: RequestHead;
  readonly #method: Method;
  readonly #counters: MethodCounters;
  #ended = false;
  #headersSent = false;
  /** Made when the request does not come as one message in one frame. */
  #reader: MessageReader | undefined = undefined;
  /** The message of a unary call whose half-close has not come yet, or that was postponed. */
  #held: Buffer | undefined = undefined;
  /** Bytes of `#held` that were copied and reserved. */
  #heldBytes = 0;
  #sink: MessageSink | undefined = undefined;
  #deadline: Deadline | undefined = undefined;
  #cancelListener: ((reason: CancelReason) => void) | undefined = undefined;
  #drainListener: (() => void) | undefined = undefined;

  constructor(
    host: StreamHost,
    id: number,
    nowMs: number,
    head: RequestHead,
    { method, counters }: CountedMethod,
    session: CallSession,
  ) {
    super(host, id, nowMs);
    this.#head = head;
    this.#method = method;
    this.#counters = counters;
    this.#session = session;
    counters.countStart();
  }

  get path(): string {
    return this.#method.path;
  }

  get peer(): Peer {
    return this.#session.peer;
  }

  get metadata(): Metadata {
    return this.#head.metadata;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get ownsRequest(): boolean {
    return this.#held !== undefined && hasOwnMemory(this.#held);
  }

  get unsentBytes(): number {
    return this.queuedBytes;
  }

  reply(message: Uint8Array): void {
    if (this.#ended) return;
    const send = this.host.send;
    const byteCount = PREFIX_BYTES + message.length;
    if (this.#headersSent || !send.admits(this, byteCount)) {
      this.#replyInParts(message);
      return;
    }
    this.#counters.countSent(message.length);
    this.#finish(OK);
    this.#session.replies.writeUnary(this.host.output, this.id, message);
    send.spend(this, byteCount);
    this.host.guard.forgivePings();
    this.sendingDone();
    this.host.touch();
  }

  replyParts(parts: readonly Uint8Array[]): void {
    if (this.#ended) return;
    let byteCount = 0;
    for (const part of parts) byteCount += part.length;
    this.sendHeaders();
    this.#counters.countSent(byteCount);
    this.write(messagePrefix(byteCount), NO_BYTES, false);
    for (const part of parts) this.writeOwn(part);
    this.#endWith(OK, OK_TRAILERS);
  }

  send(message: Uint8Array): void {
    if (this.#ended) return;
    this.sendHeaders();
    this.#counters.countSent(message.length);
    this.writeOneOfMany(messagePrefix(message.length), message);
  }

  sendHeaders(): void {
    if (this.#ended || this.#headersSent) return;
    this.#headersSent = true;
    this.#session.replies.writeHeaders(this.host.output, this.id);
    this.host.guard.forgivePings();
    this.host.touch();
  }

  end(status: Status): void {
    if (this.#ended) return;
    this.#endWith(status.code, this.#headersSent ? trailersOf(status) : trailersOnly(status));
  }

  onCancel(listener: (reason: CancelReason) => void): void {
    if (!this.#ended) this.#cancelListener = listener;
  }

  onDrain(listener: () => void): void {
    if (!this.#ended) this.#drainListener = listener;
  }

  override drained(): void {
    this.#drainListener?.();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    if (!this.#ended) this.creditWindow();
  }

  override opened(): void {
    const { timeoutMs } = this.#head;
    if (timeoutMs !== NO_TIMEOUT) this.#deadline = this.#session.deadlines.add(this.openedAtMs + timeoutMs, this);
    if (this.#method.kind !== "bidi") return;
    try {
      this.#sink = this.#method.open(this);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  override begin(): void {
    if (!this.#ended) this.#begin(this.#held ?? NO_BYTES);
  }

  override receive(bytes: Buffer, start: number, end: number, ended: boolean): void {
    if (this.#ended) return;
    if (ended && this.#reader === undefined && this.#sink === undefined && this.#isOneMessage(bytes, start, end)) {
      this.#handle(bytes.subarray(start + PREFIX_BYTES, end));
      return;
    }
    this.#receiveInParts(bytes, start, end, ended);
  }

  message(bytes: Buffer, flag: number): boolean {
    if (flag === 0) return this.#take(bytes);
    const opened = openFlagged(bytes, flag, this.#head.encoding, this.host.context);
    if ("bytes" in opened) return this.#take(opened.bytes);
    this.#refuse(opened.refusal);
    return false;
  }

  tooLarge(declaredBytes: number): void {
    const { limits, counters } = this.host.context;
    counters.messagesTooLarge++;
    const message = `grpc: received message larger than max (${declaredBytes} vs. ${limits.messageBytesMax})`;
    this.#refuse({ code: RESOURCE_EXHAUSTED, message });
  }

  tooMuchBuffered(): void {
    this.#refuse({ code: RESOURCE_EXHAUSTED, message: "too many unfinished request messages" });
  }

  override aborted(): void {
    this.#cancel("cancelled");
  }

  override lost(): void {
    this.#cancel("connection-lost");
  }

  /** The deadline passed: the client gets its status, the handler is told to stop. */
  expired(): void {
    this.host.context.counters.deadlinesExceeded++;
    this.#endBeforeHandler(DEADLINE_STATUS, "deadline-exceeded");
  }

  override sweep(nowMs: number): void {
    const { limits, counters } = this.host.context;
    if (this.#ended || this.remoteClosed || this.#method.kind === "bidi") return;
    if (nowMs - this.openedAtMs < limits.unaryBodyMs) return;
    counters.bodyTimeouts++;
    this.#refuse({ code: DEADLINE_EXCEEDED, message: "request not received in time" });
  }

  #take(bytes: Buffer): boolean {
    if (this.#sink !== undefined) return this.#passOn(this.#sink, bytes);
    if (this.#held !== undefined) this.#refuse({ code: INTERNAL, message: SEVERAL_MESSAGES });
    this.#held = bytes;
    return !this.#ended;
  }

  #isOneMessage(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start - PREFIX_BYTES;
    if (length < 0 || bytes[start] !== 0 || length > this.host.context.limits.messageBytesMax) return false;
    return declaredLength(bytes, start) === length;
  }

  #receiveInParts(bytes: Buffer, start: number, end: number, ended: boolean): void {
    this.#reader ??= this.#newReader();
    this.#reader.feed(bytes, start, end);
    if (this.#ended) return;
    if (ended) this.#requestEnded(this.#reader.midMessage);
    else if (this.#held !== undefined && this.#heldBytes === 0) this.#hold(this.#held);
  }

  /** Only who gives memory back takes some that was used: what others keep is as long as it must be, and stays what it is. */
  #newReader(): MessageReader {
    const { limits, messages } = this.host.context;
    const memory = isPassing(this.#method) ? messages : undefined;
    return new MessageReader(this, this.host.buffers, limits.messageBytesMax, memory);
  }

  #requestEnded(midMessage: boolean): void {
    if (midMessage) {
      this.#refuse({ code: INTERNAL, message: CUT_MESSAGE });
      return;
    }
    if (this.#sink !== undefined) {
      this.#halfClose(this.#sink);
      return;
    }
    if (this.#held === undefined) {
      this.#refuse({ code: INTERNAL, message: NO_MESSAGE });
      return;
    }
    this.#handle(this.#held);
  }

  /** Keeps the message for later: the bytes of a frame are valid only now. */
  #hold(view: Buffer): void {
    if (view.length === 0) return;
    const isOwn = hasOwnMemory(view);
    // It may have been gathered in more than it needs.
    const bytes = isOwn ? view.buffer.byteLength : view.length;
    if (!this.host.buffers.reserve(bytes)) {
      this.tooMuchBuffered();
      return;
    }
    this.#heldBytes = bytes;
    this.#held = isOwn ? view : Buffer.from(view);
  }

  /** The request is complete. */
  #handle(request: Buffer): void {
    this.host.guard.message(request.length);
    this.#counters.countReceived(request.length);
    if (this.host.postponing) this.#postpone(request);
    else this.#begin(request);
  }

  #postpone(request: Buffer): void {
    if (this.#heldBytes === 0) this.#hold(request);
    if (!this.#ended) this.host.postpone(this);
  }

  #begin(request: Buffer): void {
    const method = this.#method;
    if (method.kind === "bidi") return;
    const isOwn = this.ownsRequest;
    try {
      method.handle(request, this);
    } catch (error) {
      this.#handlerFailed(error);
    }
    this.#releaseHeld();
    if (isOwn && isPassing(method)) this.host.context.messages.giveBack(request);
  }

  #passOn(sink: MessageSink, bytes: Buffer): boolean {
    this.host.guard.message(bytes.length);
    this.#counters.countReceived(bytes.length);
    try {
      sink.message(bytes);
    } catch (error) {
      this.#handlerFailed(error);
    }
    return !this.#ended;
  }

  #halfClose(sink: MessageSink): void {
    try {
      sink.halfClose();
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  #handlerFailed(error: unknown): void {
    this.#refuse({ code: INTERNAL, message: "internal error" });
    this.#session.handlerFailed(this.path, error);
  }

  #replyInParts(message: Uint8Array): void {
    this.sendHeaders();
    this.#counters.countSent(message.length);
    this.write(messagePrefix(message.length), message, false);
    this.#endWith(OK, OK_TRAILERS);
  }

  #endWith(code: number, trailers: HeaderFields): void {
    this.#finish(code);
    this.writeEnd(trailers);
  }

  /** The transport ends the call because of what the client sent. */
  #refuse(status: Status): void {
    this.#endBeforeHandler(status, "cancelled");
  }

  #endBeforeHandler(status: Status, reason: CancelReason): void {
    const listener = this.#cancelListener;
    this.end(status);
    listener?.(reason);
  }

  #cancel(reason: CancelReason): void {
    if (this.#ended) return;
    const listener = this.#cancelListener;
    this.#finish(CANCELLED);
    this.host.context.counters.callsCancelled++;
    listener?.(reason);
  }

  #finish(code: number): void {
    this.#ended = true;
    this.#counters.countEnd(code);
    const { callEnded } = this.#session;
    if (callEnded !== undefined) callEnded(this.path, this.host.context.clock.nowMs() - this.openedAtMs);
    // While the end of the answer waits for a window, no more of the request is invited.
    this.paused = true;
    if (this.#deadline !== undefined) this.#session.deadlines.remove(this.#deadline);
    this.#reader?.stop();
    this.#releaseHeld();
    this.#cancelListener = undefined;
    this.#drainListener = undefined;
    this.#sink = undefined;
  }

  #releaseHeld(): void {
    if (this.#heldBytes > 0) this.host.buffers.release(this.#heldBytes);
    this.#heldBytes = 0;
    this.#held = undefined;
  }
}

/** Whether nothing of a request is kept when it has been handled. */
function isPassing(method: Method): boolean {
  return method.kind !== "bidi" && method.keepsNothing === true;
}

/** Whether a message lies in no frame, because none is so long: then it was collected, or inflated. */
function hasOwnMemory(message: Buffer): boolean {
  return message.length > FRAME_BYTES_DEFAULT;
}
