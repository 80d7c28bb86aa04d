/**
 * One HTTP/2 stream, as both ends share it: states, windows, and what the connection tells it. What the bytes mean is
 * left to the subclasses (a gRPC call of the server, a plain request, a call of the client), so that a call is one
 * object and not three.
 */
import type { HeaderFields, HeaderList } from "../hpack/index.js";
import type { AbuseGuard } from "./abuse-guard.js";
import type { BufferBudget } from "./buffer-budget.js";
import type { TransportContext } from "./context.js";
import { writeWindowUpdate } from "./frame-writer.js";
import type { HeaderOutput } from "./header-output.js";
import type { Output } from "./output.js";
import { ENHANCE_YOUR_CALM } from "./protocol.js";
import type { Sender, SendFlow } from "./send-flow.js";
import type { SendQueue } from "./send-queue.js";

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly context: TransportContext;
  readonly output: Output;
  readonly headers: HeaderOutput;
  readonly send: SendFlow;
  readonly guard: AbuseGuard;
  /** Memory for unfinished messages. */
  readonly buffers: BufferBudget;
  /** Window that a new stream gives the peer, in bytes. */
  readonly streamReceiveWindow: number;
  /** So much waits for the peer that no request may be begun now: it must be handed to `postpone` (F37). */
  readonly postponing: boolean;
  /** Has `begin` of the stream, whose request is complete, called when less waits; not if the stream ends before. */
  postpone(stream: Http2Stream): void;
  /** Something was written for this connection: it leaves before the turn ends. */
  touch(): void;
  /** The stream's END_STREAM was written. */
  streamSent(stream: Http2Stream): void;
  /** Resets the stream with an error code and tells it so (`aborted`). */
  abort(stream: Http2Stream, code: number): void;
}

const NO_BYTES = Buffer.alloc(0);

export abstract class Http2Stream implements Sender {
  readonly host: StreamHost;
  readonly id: number;
  readonly openedAtMs: number;
  // The sending side; see `Sender`.
  sendWindow: number;
  queuedBytes = 0;
  queue: SendQueue | undefined = undefined;
  sendReady = false;
  drainOwed = false;
  /** Bytes the peer may still send. */
  receiveWindow: number;
  /** Bytes of the declared content-length that have not come yet; -1 if none was declared. */
  bodyBytesLeft = -1;
  /** Frames without content so far (F35). */
  emptyFrames = 0;
  /** The peer ended its side. */
  remoteClosed = false;
  /** We ended our side, and everything up to the end was written. */
  localClosed = false;
  /** The window is not widened for now. */
  paused = false;

  constructor(host: StreamHost, id: number, openedAtMs: number) {
    this.host = host;
    this.id = id;
    this.openedAtMs = openedAtMs;
    this.sendWindow = host.send.initialStreamWindow;
    this.receiveWindow = host.streamReceiveWindow;
  }

  /** Whether to send no more for now; asked and told so, the stream hears `drained` (`SendFlow.holdsBack`). */
  get congested(): boolean {
    return this.host.send.holdsBack(this);
  }

  /** The stream is registered; it may act from now on. */
  opened(): void {}

  /** The request that was postponed may be acted on now. */
  begin(): void {}

  /** Bytes of the body, valid only during the call; `ended` with the last of them. */
  abstract receive(bytes: Buffer, start: number, end: number, ended: boolean): void;
  /** The stream is gone: reset by the peer or by us with `code`. */
  abstract aborted(code: number, byPeer: boolean): void;
  /** The connection is gone. */
  abstract lost(): void;
  /** Looks at the times that bind this stream; called about once per second. */
  abstract sweep(nowMs: number): void;
  /** No longer congested. */
  abstract drained(): void;

  /** A well-formed header block. For requests these are trailers, which gRPC clients do not send: only their end matters. */
  receiveHeaders(_list: HeaderList, ended: boolean): void {
    this.receive(NO_BYTES, 0, 0, ended);
  }

  /** Our END_STREAM was written. */
  sendingDone(): void {
    this.localClosed = true;
    this.host.streamSent(this);
  }

  /** Sends bytes of the body (both parts are copied), however many wait already. */
  protected write(head: Uint8Array, body: Uint8Array, last: boolean): void {
    this.host.send.send(this, head, body, last);
    this.#noteSent(head.length + body.length);
  }

  /** Sends bytes of the body that are given away: they are not copied before they leave. */
  protected writeOwn(bytes: Uint8Array): void {
    this.host.send.sendOwn(this, bytes);
    this.#noteSent(bytes.length);
  }

  /** Sends one message of many, like `write`. Resets the stream if far too many of its own bytes wait already (F37). */
  protected writeOneOfMany(head: Uint8Array, body: Uint8Array): void {
    if (this.host.send.overflows(this)) this.#refuseToBuffer();
    else this.write(head, body, false);
  }

  /** Ends our side after what still waits: with trailers, or without. */
  protected writeEnd(trailers: HeaderFields | undefined): void {
    this.host.send.finish(this, trailers);
    this.#noteSent(0);
  }

  /** Widens the peer's window again once half of it is used up, unless paused or done. */
  creditWindow(): void {
    const full = this.host.streamReceiveWindow;
    if (this.paused || this.remoteClosed || this.receiveWindow > full / 2) return;
    writeWindowUpdate(this.host.output, this.id, full - this.receiveWindow);
    this.receiveWindow = full;
    this.host.touch();
  }

  /**
   * True if bytes have waited for `stalledAnswerMs` while the peer accepted less than the slowest pace (F32, F37). A
   * stream that may send and waits for its turn shares the pace of the connection: others before it are not its fault.
   */
  hasStalled(nowMs: number): boolean {
    const queue = this.queue;
    if (queue === undefined || queue.bytes === 0) return false;
    const limits = this.host.context.limits;
    const waitedMs = queue.waitingSinceMs < 0 ? 0 : nowMs - queue.waitingSinceMs;
    if (waitedMs > 0 && waitedMs < limits.stalledAnswerMs) return false;
    const { queuedBytesSent } = this.host.send;
    const moved = this.sendReady ? queuedBytesSent - queue.connectionBytesBefore : queue.movedBytes;
    const enough = queue.waitingSinceMs < 0 || moved * 1_000 >= limits.stalledBytesPerSecondMin * waitedMs;
    queue.waitingSinceMs = nowMs;
    queue.movedBytes = 0;
    queue.connectionBytesBefore = queuedBytesSent;
    return !enough;
  }

  #noteSent(byteCount: number): void {
    this.host.guard.message(byteCount);
    this.host.guard.forgivePings();
    this.host.touch();
  }

  #refuseToBuffer(): void {
    this.host.context.counters.unsentBytesExceeded++;
    this.host.abort(this, ENHANCE_YOUR_CALM);
  }
}
