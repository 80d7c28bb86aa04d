/**
 * The life of an HTTP/2 connection and its streams, as both ends share it: socket events, flushing, resets, errors and
 * the times that bind it. Frames are read in `connection.ts`.
 */
import { type HpackEncoder, HpackError } from "../hpack/index.js";
import { AbuseGuard } from "./abuse-guard.js";
import { BufferBudget } from "./buffer-budget.js";
import type { TransportContext } from "./context.js";
import { ConnectionError } from "./errors.js";
import type { Flushable } from "./flush-queue.js";
import { writeGoaway, writeReset } from "./frame-writer.js";
import { HeaderOutput } from "./header-output.js";
import type { Output } from "./output.js";
import { COMPRESSION_ERROR, ENHANCE_YOUR_CALM, INTERNAL_ERROR, WINDOW_DEFAULT } from "./protocol.js";
import { ReceiveFlow } from "./receive-flow.js";
import { RecentIds } from "./recent-ids.js";
import { SendFlow } from "./send-flow.js";
import { readSocket } from "./socket-reader.js";
import { SocketWriter, type TransportSocket } from "./socket-writer.js";
import type { Http2Stream, StreamHost } from "./stream.js";
import { StreamTable } from "./stream-table.js";
import type { TurnTaker } from "./turn-queue.js";
import type { UnsentAccount } from "./unsent-budget.js";

/** `open`; `ending` while the last bytes leave and nothing is read any more; `closed` once the socket is given up. */
type ConnectionState = "open" | "ending" | "closed";

/** How often each stream's own times are looked at. */
const STREAM_SWEEP_MS = 1_000;

/** The clock is read before every fourth request of a turn. */
const CLOCK_READ_MASK = 3;

export abstract class ConnectionCore implements StreamHost, Flushable, TurnTaker {
  readonly context: TransportContext;
  readonly output: Output;
  readonly headers: HeaderOutput;
  readonly send: SendFlow;
  readonly guard: AbuseGuard;
  readonly buffers: BufferBudget;
  /** Changed only here. */
  readonly streams = new StreamTable<Http2Stream>();
  readonly peerAddress: string;
  readonly peerPort: number;
  flushQueued = false;
  /** When the chunk being read arrived, or when the last sweep was. */
  nowMs: number;
  streamReceiveWindow: number;
  protected readonly socket: TransportSocket;
  protected readonly receive: ReceiveFlow;
  /** Streams we reset, whose late frames are ignored. */
  protected readonly resetByUs = new RecentIds();
  protected lastReadMs: number;
  readonly #writer: SocketWriter;
  readonly #onClosed: () => void;
  readonly #unsent: UnsentAccount;
  #state: ConnectionState = "open";
  #reading = false;
  /** Streams whose complete requests wait to be begun, oldest first; undefined when there are none, which is usual. */
  #postponed: Set<Http2Stream> | undefined = undefined;
  #closeAtMs = Number.POSITIVE_INFINITY;
  /** When the connection must let others have their turn. */
  #turnEndsMs = 0;
  #requestsBegun = 0;
  /** Waits for the others to have had theirs, with nothing being read meanwhile. */
  #waitsForTurn = false;
  #streamsSweptMs: number;

  /** `onClosed` is called once, when the connection has given up its socket and all streams were told. */
  constructor(context: TransportContext, socket: TransportSocket, onClosed: () => void) {
    this.context = context;
    this.socket = socket;
    this.#onClosed = onClosed;
    this.nowMs = context.clock.nowMs();
    this.lastReadMs = this.nowMs;
    this.#streamsSweptMs = this.nowMs;
    this.peerAddress = socket.remoteAddress ?? "";
    this.peerPort = socket.remotePort ?? 0;
    this.#writer = new SocketWriter(socket, context.pool, this.#onSocketFree);
    this.output = this.#writer.output;
    this.headers = new HeaderOutput(this.output);
    this.#unsent = context.unsent.open(() => this.#giveUp());
    this.send = new SendFlow(this.#writer, this.headers, context.limits, this.#unsent);
    this.receive = new ReceiveFlow(context.limits.connectionReceiveWindowBytes);
    this.buffers = new BufferBudget(context);
    this.guard = new AbuseGuard(context.limits, context.counters, this.nowMs);
    // Until the peer has seen our setting it may use the default of the protocol.
    this.streamReceiveWindow = Math.max(context.limits.streamReceiveWindowBytes, WINDOW_DEFAULT);
  }

  get encoder(): HpackEncoder {
    return this.headers.encoder;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Reads one chunk. Errors of the peer are thrown as `ConnectionError` or `HpackError`. */
  protected abstract read(chunk: Buffer): void;
  /** We ended our side of a stream that the peer has not ended. */
  protected abstract sentBeforeReceived(stream: Http2Stream): void;
  /** The last open stream is gone. */
  protected abstract idle(): void;
  /** The greatest stream id of the peer that we have acted on. */
  protected abstract readonly lastPeerStreamId: number;
  /** A stream that lived `ageMs` was reset, by us or by the peer. False if that is too much. */
  protected abstract mayReset(ageMs: number): boolean;
  /** Drops the beginning of a frame that is kept for later. */
  protected abstract stopReading(): void;

  /** Starts listening to the socket; `alreadyRead` is what was read from it before. */
  protected attach(alreadyRead: Buffer | undefined): void {
    this.socket.setNoDelay?.(true);
    // Pings watch connections with calls; a dead one without any is left to the operating system to find.
    this.socket.setKeepAlive?.(true, this.context.limits.keepaliveIdleMs);
    this.socket.on("error", ignoreError);
    this.socket.on("close", this.#onSocketClose);
    this.socket.on("end", this.#onSocketEnd);
    readSocket(this.socket, this.#onData);
    this.flush();
    if (alreadyRead !== undefined && alreadyRead.length > 0) this.#onData(alreadyRead);
    if (!this.#waitsForTurn) this.socket.resume();
  }

  touch(): void {
    if (!this.#reading && !this.flushQueued) this.context.flushQueue.add(this);
  }

  /** Writes all that may leave now. */
  flush(): void {
    if (this.#state === "closed") return;
    if (!this.#unsent.ended) {
      this.send.flush();
      if (this.#postponed !== undefined) this.#beginPostponed(this.#postponed);
      if (this.#writer.busy) this.#watchBacklog();
      this.send.settle();
    }
    if (this.#unsent.ended) this.destroy();
  }

  /**
   * Reading goes on whatever waits: without the peer's WINDOW_UPDATE nothing would ever get less, and its resets,
   * pings and renewals of leases must be seen. So requests are opened and collected as ever, and only not begun.
   */
  get postponing(): boolean {
    return this.#postponed !== undefined || this.send.congested || this.#mayBeOver();
  }

  postpone(stream: Http2Stream): void {
    this.context.counters.requestsPostponed++;
    this.#postponed ??= new Set();
    this.#postponed.add(stream);
  }

  streamSent(stream: Http2Stream): void {
    if (stream.remoteClosed) this.removeStream(stream);
    else this.sentBeforeReceived(stream);
  }

  abort(stream: Http2Stream, code: number): void {
    if (this.streams.get(stream.id) !== stream) return;
    this.writeReset(stream.id, code);
    this.#dropStream(stream, code, false);
    this.#spendReset(this.nowMs - stream.openedAtMs);
  }

  streamError(streamId: number, code: number): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      this.abort(stream, code);
      return;
    }
    this.writeReset(streamId, code);
    this.#spendReset(0);
  }

  peerReset(stream: Http2Stream, code: number): void {
    this.context.counters.resetsReceived++;
    this.#dropStream(stream, code, true);
    this.#spendReset(this.nowMs - stream.openedAtMs);
  }

  /** Ends the connection because of what the peer did: GOAWAY, then the socket is closed within `errorLingerMs` (F40). */
  fail(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    const { counters, limits } = this.context;
    counters.connectionErrors++;
    this.context.log({ level: "warn", message: `connection ended: ${reason}`, peer: this.peerAddress });
    this.#closeAtMs = this.nowMs + limits.errorLingerMs - limits.sweepIntervalMs;
    this.stopReading();
    writeGoaway(this.output, this.lastPeerStreamId, code, reason);
    this.#endSocket();
  }

  /** Ends the connection without complaint once everything written is on its way; open streams are lost. */
  end(lingerMs: number): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#closeAtMs = this.context.clock.nowMs() + lingerMs - this.context.limits.sweepIntervalMs;
    this.stopReading();
    this.#endSocket();
  }

  /** Gives up the socket at once; open streams are lost. */
  destroy(): void {
    this.socket.destroy();
    this.#finish();
  }

  /** Looks at every time limit of the connection. Called about every `sweepIntervalMs`. */
  sweep(nowMs: number): void {
    this.nowMs = nowMs;
    if (nowMs >= this.#closeAtMs) {
      this.#outlived();
      return;
    }
    if (this.#writer.hasStalled(nowMs, this.context.limits.stalledAnswerMs)) {
      this.#stalled();
      return;
    }
    if (this.#state !== "open" || nowMs - this.#streamsSweptMs < STREAM_SWEEP_MS) return;
    this.#streamsSweptMs = nowMs;
    for (const stream of this.streams.list()) this.#sweepStream(stream, nowMs);
  }

  protected addStream(stream: Http2Stream): void {
    this.streams.add(stream);
    this.context.streamsOpen++;
    this.context.counters.streamsOpened++;
  }

  protected removeStream(stream: Http2Stream): void {
    if (!this.streams.delete(stream)) return;
    // Its memory may be what keeps the receive window shut.
    if (this.#postponed?.delete(stream)) this.#postponedLess(this.#postponed);
    this.context.streamsOpen--;
    if (this.streams.size === 0) this.idle();
  }

  /** Resets a stream that is or will be closed on our side; its late frames are ignored. */
  protected writeReset(streamId: number, code: number): void {
    writeReset(this.output, streamId, code);
    this.resetByUs.add(streamId);
    this.context.counters.resetsSent++;
    this.touch();
  }

  #dropStream(stream: Http2Stream, code: number, byPeer: boolean): void {
    this.send.discard(stream);
    this.removeStream(stream);
    stream.aborted(code, byPeer);
  }

  #spendReset(ageMs: number): void {
    if (!this.mayReset(ageMs)) this.fail(ENHANCE_YOUR_CALM, "too many resets");
  }

  #sweepStream(stream: Http2Stream, nowMs: number): void {
    if (!stream.hasStalled(nowMs)) {
      stream.sweep(nowMs);
      return;
    }
    this.context.counters.stalledAnswers++;
    this.abort(stream, ENHANCE_YOUR_CALM);
  }

  #stalled(): void {
    this.context.counters.stalledAnswers++;
    this.destroy();
  }

  #outlived(): void {
    this.context.counters.lingerTimeouts++;
    this.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state !== "open") return;
    this.nowMs = this.context.clock.nowMs();
    this.lastReadMs = this.nowMs;
    this.#turnEndsMs = this.nowMs + this.context.limits.turnMs;
    this.#reading = true;
    try {
      this.read(chunk);
    } catch (error) {
      this.#readFailed(error);
    } finally {
      this.#reading = false;
    }
    this.#topUp();
    if (this.#turnIsOver) this.#yield();
    this.flush();
  };

  /** Whether the turn is over, as far as known: reading the clock costs as much as a tenth of a small request. */
  #mayBeOver(): boolean {
    return (++this.#requestsBegun & CLOCK_READ_MASK) === 0 && this.#turnIsOver;
  }

  get #turnIsOver(): boolean {
    return this.context.clock.nowMs() >= this.#turnEndsMs;
  }

  /** Lets the other connections have their turn: a socket with much to read would be read on and on otherwise. */
  #yield(): void {
    if (this.#waitsForTurn || this.#state !== "open") return;
    this.#waitsForTurn = true;
    this.context.counters.turnsEnded++;
    this.socket.pause();
    this.context.turns.add(this);
  }

  /** Goes on after `#yield`. Also a connection that is ending is read to its end. */
  takeTurn(): void {
    this.#waitsForTurn = false;
    this.nowMs = this.context.clock.nowMs();
    this.flush();
    if (!this.#waitsForTurn) this.socket.resume();
  }

  /**
   * Lets the peer send more DATA, unless postponed requests already take half of the memory for requests: it should
   * wait then rather than be refused.
   */
  #topUp(): void {
    if (this.#postponed === undefined || this.buffers.halfEmpty) this.receive.topUp(this.output);
  }

  #postponedLess(postponed: Set<Http2Stream>): void {
    if (postponed.size === 0) this.#postponed = undefined;
    this.#topUp();
  }

  /** Begins requests in the order in which they became complete, until too much waits again. */
  #beginPostponed(postponed: Set<Http2Stream>): void {
    if (this.send.congested || this.#waitsForTurn) return;
    if (this.#turnIsOver) this.#turnEndsMs = this.context.clock.nowMs() + this.context.limits.turnMs;
    for (const stream of postponed) {
      if (this.send.congested || this.#turnIsOver) break;
      postponed.delete(stream);
      stream.begin();
    }
    if (this.#postponed?.size === 0) this.#postponed = undefined;
    if (this.#turnIsOver) this.#yield();
    this.#topUp();
    this.touch();
  }

  /** Everything a peer can cause is a connection error; anything else is a bug of ours and must be seen. */
  #readFailed(error: unknown): void {
    if (error instanceof ConnectionError) {
      this.fail(error.code, error.message);
      return;
    }
    if (error instanceof HpackError) {
      this.fail(COMPRESSION_ERROR, error.message);
      return;
    }
    this.fail(INTERNAL_ERROR, "internal error");
    throw error;
  }

  readonly #onSocketFree = (): void => this.flush();

  /** A peer that reads nothing but asks for answers that flow control does not bind, such as those to pings. */
  #watchBacklog(): void {
    if (this.#writer.backlogBytes <= this.context.limits.unsentBytesPerConnectionMax) return;
    this.context.counters.unsentBytesExceeded++;
    this.destroy();
  }

  /**
   * Its memory is needed (`unsentBytesTotalMax`). What waits is let go at once; the connection ends when the code that
   * runs now, perhaps the answering of a call of this very connection, is done.
   */
  #giveUp(): void {
    this.context.log({
      level: "warn",
      message: "connection ended: too much waits for all peers",
      peer: this.peerAddress,
    });
    this.send.shut();
    for (const stream of this.streams.list()) this.send.discard(stream);
    this.touch();
  }

  readonly #onSocketEnd = (): void => {
    if (this.#state !== "open") return;
    this.end(this.context.limits.errorLingerMs);
  };

  readonly #onSocketClose = (): void => this.#finish();

  #endSocket(): void {
    this.#loseStreams();
    this.#writer.end();
  }

  #finish(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.stopReading();
    this.context.turns.delete(this);
    this.#loseStreams();
    this.output.clear();
    this.#unsent.settle(0, 0, 0);
    this.#onClosed();
  }

  #loseStreams(): void {
    const lost = this.streams.list();
    this.streams.clear();
    this.#postponed?.clear();
    this.#postponed = undefined;
    this.context.streamsOpen -= lost.length;
    for (const stream of lost) {
      this.send.discard(stream);
      stream.lost();
    }
  }
}

/** Errors of a socket are followed by its close, which is handled. A missing listener would end the process (F17). */
function ignoreError(): void {}
