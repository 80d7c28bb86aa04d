/**
 * The server's end of an HTTP/2 connection: preface, opening of streams and the orderly end. What a request
 * means is left to the `RequestListener`.
 */
import type { HeaderFields, HeaderList } from "../hpack/index.js";
import { Http2Connection } from "./connection.js";
import type { TransportContext } from "./context.js";
import { ConnectionError } from "./errors.js";
import { writeGoaway, writePing } from "./frame-writer.js";
import { isTrailers, RequestHeaders, readRequest } from "./header-rules.js";
import {
  CLIENT_PREFACE,
  ENHANCE_YOUR_CALM,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  STREAM_CLOSED,
  STREAM_ID_LARGEST,
} from "./protocol.js";
import { SkippedIds } from "./recent-ids.js";
import type { TransportSocket } from "./socket-writer.js";
import type { Http2Stream } from "./stream.js";

/** Takes the requests of one connection. */
export interface RequestListener {
  /**
   * A well-formed request has begun; `ended` if it has no body. Returns the stream that takes it on, or undefined if it
   * was answered at once with `answerAtOnce`.
   */
  open(
    connection: ServerConnection,
    streamId: number,
    request: RequestHeaders,
    ended: boolean,
  ): Http2Stream | undefined;
}

const NO_BYTES = Buffer.alloc(0);
/** What a header block for a stream that we reset counts for: decoding it is work for nothing. */
const LATE_HEADERS_COST_BYTES = 64;
const DRAIN_PING = Buffer.from("hf drain", "latin1");

/** `announced`: no new requests, please; `final`: none is accepted any more. */
type DrainState = "no" | "announced" | "final";

export class ServerConnection extends Http2Connection {
  /** The last stream we accepted: what a GOAWAY names. */
  protected override lastPeerStreamId = 0;
  /** The last stream the client opened, accepted or not. */
  #lastOpenedId = 0;
  readonly #listener: RequestListener;
  readonly #skipped = new SkippedIds();
  #prefaceBytes = 0;
  #settingsApplied = false;
  /** Streams refused before the client has acknowledged our settings. */
  #freeRefusals = 0;
  #drainState: DrainState = "no";
  #drainAnnouncedMs = 0;

  constructor(context: TransportContext, socket: TransportSocket, listener: RequestListener, onClosed: () => void) {
    super(context, socket, onClosed);
    this.#listener = listener;
  }

  /** Begins the conversation; `alreadyRead` is what was read from the socket before. */
  start(alreadyRead: Buffer | undefined): void {
    const { streamsPerConnectionMax, streamReceiveWindowBytes, headerListBytesMax } = this.context.limits;
    this.greet([
      [SETTINGS_MAX_CONCURRENT_STREAMS, streamsPerConnectionMax],
      [SETTINGS_INITIAL_WINDOW_SIZE, streamReceiveWindowBytes],
      [SETTINGS_MAX_HEADER_LIST_SIZE, headerListBytesMax],
    ]);
    this.attach(alreadyRead);
  }

  /** Answers a request that no stream takes on: a header list that ends it. */
  answerAtOnce(streamId: number, fields: HeaderFields, ended: boolean): void {
    this.headers.write(streamId, fields, true);
    this.guard.forgivePings();
    if (!ended) this.writeReset(streamId, NO_ERROR);
  }

  /**
   * Begins an orderly end (RFC 9113, 6.8): no new requests are invited; once the client must have heard of it, the
   * last one accepted is named; when the open ones are answered, the socket is closed.
   */
  drain(): void {
    if (!this.isOpen || this.#drainState !== "no") return;
    this.#drainState = "announced";
    this.#drainAnnouncedMs = this.context.clock.nowMs();
    writeGoaway(this.output, STREAM_ID_LARGEST, NO_ERROR, "draining");
    writePing(this.output, false, DRAIN_PING, 0);
    this.touch();
  }

  isIdle(streamId: number): boolean {
    return streamId > this.#lastOpenedId || (streamId & 1) === 0;
  }

  /** A limit on pushes, which we never send. */
  peerStreamLimit(): void {}

  /** Nothing waits for the client's settings. */
  settingsApplied(): void {}

  /** The client will accept no pushes above that id; we never send any. It will close the connection by itself. */
  goaway(): void {}

  override settingsAcknowledged(): void {
    this.#settingsApplied = true;
    super.settingsAcknowledged();
  }

  pingAcknowledged(bytes: Buffer, start: number): void {
    const isDrainPing = bytes.compare(DRAIN_PING, 0, 8, start, start + 8) === 0;
    if (isDrainPing && this.#drainState === "announced") this.#finalGoaway();
  }

  override sweep(nowMs: number): void {
    super.sweep(nowMs);
    if (!this.isOpen) return;
    const waitedMs = nowMs - this.#drainAnnouncedMs;
    if (this.#drainState === "announced" && waitedMs >= this.context.limits.drainPingMs) this.#finalGoaway();
  }

  protected override read(chunk: Buffer): void {
    const start = this.#prefaceBytes < CLIENT_PREFACE.length ? this.#readPreface(chunk) : 0;
    if (this.#prefaceBytes === CLIENT_PREFACE.length) this.readFrames(chunk, start);
  }

  /** Our answer is complete before the request is: the rest of it is not wanted (8.1). */
  protected override sentBeforeReceived(stream: Http2Stream): void {
    this.writeReset(stream.id, NO_ERROR);
    this.removeStream(stream);
  }

  protected override mayReset(ageMs: number): boolean {
    return this.guard.reset(this.nowMs, ageMs);
  }

  protected override idle(): void {
    if (this.#drainState === "final") this.end(this.context.limits.gracefulLingerMs);
  }

  protected override headerBlock(streamId: number, list: HeaderList, ended: boolean, dependsOnItself: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      this.#trailers(stream, list, ended);
      return;
    }
    if ((streamId & 1) === 0) throw new ConnectionError(PROTOCOL_ERROR, "even stream id from a client");
    if (streamId <= this.#lastOpenedId) {
      this.#headersForClosed(streamId);
      return;
    }
    if (streamId > this.#lastOpenedId + 2) this.#skipped.add(this.#lastOpenedId + 1, streamId - 1);
    this.#lastOpenedId = streamId;
    if (this.#drainState !== "final") this.lastPeerStreamId = streamId;
    if (dependsOnItself) {
      this.streamError(streamId, PROTOCOL_ERROR);
      return;
    }
    if (list.refusal !== undefined) {
      this.streamError(streamId, ENHANCE_YOUR_CALM);
      return;
    }
    if (!this.#hasRoom()) {
      this.#refuse(streamId);
      return;
    }
    this.#open(streamId, list, ended);
  }

  #open(streamId: number, list: HeaderList, ended: boolean): void {
    const request = list.attachment instanceof RequestHeaders ? list.attachment : readRequest(list);
    if (request === undefined || (ended && request.contentLength > 0)) {
      this.#malformed(streamId);
      return;
    }
    list.attachment = request;
    const stream = this.#listener.open(this, streamId, request, ended);
    if (stream === undefined) return;
    stream.bodyBytesLeft = request.contentLength;
    stream.remoteClosed = ended;
    this.addStream(stream);
    stream.opened();
    // The stream may have been answered in the meantime.
    if (ended && this.streams.get(streamId) === stream) stream.receive(NO_BYTES, 0, 0, true);
  }

  #malformed(streamId: number): void {
    this.context.counters.malformedRequests++;
    this.streamError(streamId, PROTOCOL_ERROR);
  }

  #trailers(stream: Http2Stream, list: HeaderList, ended: boolean): void {
    if (stream.remoteClosed) {
      this.abort(stream, STREAM_CLOSED);
      return;
    }
    if (list.refusal !== undefined) {
      this.abort(stream, ENHANCE_YOUR_CALM);
      return;
    }
    if (!ended || stream.bodyBytesLeft > 0 || !isTrailers(list)) {
      this.abort(stream, PROTOCOL_ERROR);
      return;
    }
    this.peerEnded(stream);
    stream.receiveHeaders(list, ended);
  }

  /** 5.1 and 5.1.1. The block was decoded before, as the table demands. */
  #headersForClosed(streamId: number): void {
    if (this.#skipped.has(streamId)) throw new ConnectionError(PROTOCOL_ERROR, "stream id lower than the last");
    if (!this.resetByUs.has(streamId)) throw new ConnectionError(STREAM_CLOSED, "HEADERS on closed stream");
    this.countOverhead(LATE_HEADERS_COST_BYTES);
  }

  #hasRoom(): boolean {
    const { limits, counters } = this.context;
    if (this.#drainState === "final") return false;
    if (this.streams.size >= limits.streamsPerConnectionMax) {
      counters.streamsRefusedPerConnection++;
      return false;
    }
    if (this.context.streamsOpen < limits.streamsTotalMax) return true;
    counters.streamsRefusedTotal++;
    return false;
  }

  /**
   * REFUSED_STREAM: never processed, safe to repeat (8.7). A client that may not know our limit yet pays only for what
   * is above twice of it; else one that never acknowledges our settings would never pay.
   */
  #refuse(streamId: number): void {
    const isFree = !this.#settingsApplied && this.#freeRefusals < this.context.limits.streamsPerConnectionMax;
    if (isFree) {
      this.#freeRefusals++;
      this.writeReset(streamId, REFUSED_STREAM);
    } else this.streamError(streamId, REFUSED_STREAM);
  }

  #finalGoaway(): void {
    this.#drainState = "final";
    writeGoaway(this.output, this.lastPeerStreamId, NO_ERROR, "draining");
    this.touch();
    if (this.streams.size === 0) this.idle();
  }

  /** Returns where the first frame begins in the chunk, or its length if the preface goes on. */
  #readPreface(chunk: Buffer): number {
    const wanted = CLIENT_PREFACE.length - this.#prefaceBytes;
    const count = Math.min(wanted, chunk.length);
    const from = this.#prefaceBytes;
    if (CLIENT_PREFACE.compare(chunk, 0, count, from, from + count) !== 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "not the HTTP/2 preface");
    }
    this.#prefaceBytes += count;
    return count;
  }
}
