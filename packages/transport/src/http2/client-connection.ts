/**
 * The client's end of an HTTP/2 connection: opens streams within the server's limit, and knows which requests the
 * server has certainly not processed. What a call means is left to the streams.
 */
import type { HeaderFields, HeaderList } from "../hpack/index.js";
import { Http2Connection } from "./connection.js";
import type { TransportContext } from "./context.js";
import { ConnectionError } from "./errors.js";
import {
  CLIENT_PREFACE,
  ENHANCE_YOUR_CALM,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  STREAM_ID_LARGEST,
} from "./protocol.js";
import type { TransportSocket } from "./socket-writer.js";
import type { Http2Stream } from "./stream.js";

export class ClientConnection extends Http2Connection {
  protected override readonly lastPeerStreamId = 0;
  readonly #onRoom: () => void;
  #nextStreamId = 1;
  /** What the server's SETTINGS allow; without a word from them, as many as one likes (RFC 9113, 6.5.2). */
  #streamLimit = Number.POSITIVE_INFINITY;
  #goingAway = false;
  #closing = false;

  /** `onRoom` is called when a stream may be opened again after `hasRoom` said no. */
  constructor(context: TransportContext, socket: TransportSocket, onRoom: () => void, onClosed: () => void) {
    super(context, socket, onClosed);
    this.#onRoom = onRoom;
  }

  /** Begins the conversation. */
  start(): void {
    const { streamReceiveWindowBytes, headerListBytesMax } = this.context.limits;
    this.output.append(CLIENT_PREFACE);
    this.greet([
      [SETTINGS_ENABLE_PUSH, 0],
      [SETTINGS_INITIAL_WINDOW_SIZE, streamReceiveWindowBytes],
      [SETTINGS_MAX_HEADER_LIST_SIZE, headerListBytesMax],
    ]);
    this.attach(undefined);
  }

  /** False once the connection takes no new streams for ever: closed, failed, or the server said GOAWAY. */
  get usable(): boolean {
    return this.isOpen && !this.#goingAway && !this.#closing && this.#nextStreamId <= STREAM_ID_LARGEST;
  }

  /** The server sent GOAWAY: no new streams. */
  get peerSaidGoodbye(): boolean {
    return this.#goingAway;
  }

  /** Whether another stream may be opened now. Not before the server's SETTINGS: its limit is on its way. */
  get hasRoom(): boolean {
    return this.usable && this.peerSettingsSeen && this.streams.size < this.#streamLimit;
  }

  /** The id for the next stream, which must be opened with `open` at once. */
  takeStreamId(): number {
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    return id;
  }

  /** Sends the request's headers; `ended` if it has no body. */
  open(stream: Http2Stream, fields: HeaderFields, ended: boolean): void {
    this.addStream(stream);
    this.headers.writeIndexed(stream.id, fields, ended);
    if (ended) stream.sendingDone();
    this.touch();
  }

  /** Closes the connection once its streams are done. */
  closeWhenIdle(): void {
    this.#closing = true;
    if (this.streams.size === 0) this.idle();
  }

  isIdle(streamId: number): boolean {
    return streamId >= this.#nextStreamId || (streamId & 1) === 0;
  }

  peerStreamLimit(streams: number): void {
    this.#streamLimit = streams;
  }

  settingsApplied(): void {
    this.#onRoom();
  }

  pingAcknowledged(): void {}

  /** The server will not process streams above `lastStreamId`, and no new ones (RFC 9113, 6.8). */
  goaway(lastStreamId: number, _code: number): void {
    this.#goingAway = true;
    for (const stream of this.streams.list()) {
      if (stream.id <= lastStreamId) continue;
      this.send.discard(stream);
      this.removeStream(stream);
      stream.aborted(REFUSED_STREAM, true);
    }
    this.#onRoom();
    if (this.streams.size === 0) this.idle();
  }

  protected override read(chunk: Buffer): void {
    this.readFrames(chunk, 0);
  }

  /** The server may still answer. */
  protected override sentBeforeReceived(): void {}

  /** Whoever cancels calls by the hundred, here or there, has reasons that are not ours to judge. */
  protected override mayReset(): boolean {
    return true;
  }

  protected override idle(): void {
    if (this.#goingAway || this.#closing) this.end(this.context.limits.errorLingerMs);
  }

  protected override removeStream(stream: Http2Stream): void {
    super.removeStream(stream);
    this.#onRoom();
  }

  protected override headerBlock(streamId: number, list: HeaderList, ended: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionError(PROTOCOL_ERROR, "HEADERS on idle stream");
      return;
    }
    if (stream.remoteClosed) {
      this.abort(stream, PROTOCOL_ERROR);
      return;
    }
    if (list.refusal !== undefined) {
      this.abort(stream, ENHANCE_YOUR_CALM);
      return;
    }
    if (ended) this.peerEnded(stream);
    stream.receiveHeaders(list, ended);
  }
}
