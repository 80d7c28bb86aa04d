/**
 * Reads the frames of one HTTP/2 connection, as both ends share it. Which streams there are, and what a header block
 * opens, is decided by `server-connection.ts` and `client-connection.ts`.
 */
import { type HeaderList, HpackDecoder } from "../hpack/index.js";
import { ConnectionCore } from "./connection-core.js";
import type { TransportContext } from "./context.js";
import {
  type ControlTarget,
  onGoaway,
  onPing,
  onPriority,
  onRstStream,
  onSettings,
  onWindowUpdate,
} from "./control-frames.js";
import { ConnectionError } from "./errors.js";
import { FrameReader, type FrameSink, readUint32 } from "./frame-reader.js";
import { type SettingsEntry, writePing, writeSettings } from "./frame-writer.js";
import { HeaderBlock } from "./header-block.js";
import { Keepalive } from "./keepalive.js";
import {
  CONTINUATION,
  DATA,
  ENHANCE_YOUR_CALM,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FLAG_PADDED,
  FLAG_PRIORITY,
  FLOW_CONTROL_ERROR,
  FRAME_HEADER_BYTES,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  STREAM_CLOSED,
  STREAM_ID_LARGEST,
  WINDOW_UPDATE,
} from "./protocol.js";
import type { TransportSocket } from "./socket-writer.js";
import type { Http2Stream } from "./stream.js";

const KEEPALIVE_PING = Buffer.from("hf alive", "latin1");

export abstract class Http2Connection extends ConnectionCore implements FrameSink, ControlTarget {
  readonly #reader = new FrameReader(this);
  readonly #decoder: HpackDecoder;
  readonly #block: HeaderBlock;
  readonly #keepalive: Keepalive;
  readonly #beganMs: number;
  /** The first frame of the peer must be SETTINGS (RFC 9113, 3.4). */
  protected peerSettingsSeen = false;

  constructor(context: TransportContext, socket: TransportSocket, onClosed: () => void) {
    super(context, socket, onClosed);
    const { headerListBytesMax, headerFieldsMax } = context.limits;
    const { knownBlocks } = context;
    this.#decoder = new HpackDecoder({ headerListBytesMax, fieldsMax: headerFieldsMax, knownBlocks });
    this.#block = new HeaderBlock(context);
    this.#keepalive = new Keepalive(context.limits);
    this.#beganMs = this.nowMs;
  }

  abstract isIdle(streamId: number): boolean;
  abstract peerStreamLimit(streams: number): void;
  abstract settingsApplied(): void;
  abstract pingAcknowledged(bytes: Buffer, start: number): void;
  abstract goaway(lastStreamId: number, code: number): void;
  /** A whole header block; `dependsOnItself` is a stream error that must wait until the block is decoded. */
  protected abstract headerBlock(streamId: number, list: HeaderList, ended: boolean, dependsOnItself: boolean): void;

  /** Sends our SETTINGS and the first window of the connection. */
  protected greet(settings: readonly SettingsEntry[]): void {
    writeSettings(this.output, settings);
    this.receive.open(this.output);
  }

  /** Reads the frames in `chunk` from `start`. */
  protected readFrames(chunk: Buffer, start: number): void {
    this.#reader.feed(chunk, start, this.nowMs);
  }

  protected override stopReading(): void {
    this.#reader.stop();
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    if (!this.peerSettingsSeen) this.#firstFrame(type, flags);
    if (this.#block.streamId !== 0 && type !== CONTINUATION) {
      throw new ConnectionError(PROTOCOL_ERROR, "frame inside a header block");
    }
    if (type === DATA) this.#data(flags, streamId, bytes, start, end);
    else if (type === HEADERS) this.#headers(flags, streamId, bytes, start, end);
    else this.#otherFrame(type, flags, streamId, bytes, start, end);
    return this.isOpen;
  }

  override sweep(nowMs: number): void {
    super.sweep(nowMs);
    if (this.isOpen && !this.peerSettingsSeen) this.#sweepGreeting(nowMs);
    if (this.isOpen) this.#sweepHeaderBlock(nowMs);
    if (this.isOpen && this.streams.size > 0) this.#keepAlive(nowMs);
  }

  /** A smaller window than the protocol's default holds from here on (RFC 9113, 6.9.2). */
  settingsAcknowledged(): void {
    const window = this.context.limits.streamReceiveWindowBytes;
    const change = window - this.streamReceiveWindow;
    if (change === 0) return;
    this.streamReceiveWindow = window;
    for (const stream of this.streams.list()) {
      stream.receiveWindow += change;
      // The peer may have used up the larger window already; without credit it could never send again.
      stream.creditWindow();
    }
  }

  #sweepGreeting(nowMs: number): void {
    const { limits, counters } = this.context;
    if (nowMs - this.#beganMs < limits.prefaceMs) return;
    counters.prefaceTimeouts++;
    this.fail(PROTOCOL_ERROR, "no preface and settings in time");
  }

  #sweepHeaderBlock(nowMs: number): void {
    const { limits, counters } = this.context;
    const sinceMs = this.#block.streamId === 0 ? this.#reader.headersPendingSinceMs : this.#block.startedAtMs;
    if (sinceMs === undefined || nowMs - sinceMs < limits.headerBlockMs) return;
    counters.headerBlockTimeouts++;
    this.fail(ENHANCE_YOUR_CALM, "header block not finished in time");
  }

  #keepAlive(nowMs: number): void {
    const verdict = this.#keepalive.look(nowMs, this.lastReadMs);
    if (verdict === "dead") {
      this.context.counters.keepaliveTimeouts++;
      this.destroy();
    } else if (verdict === "ping") {
      writePing(this.output, false, KEEPALIVE_PING, 0);
      this.touch();
    }
  }

  #firstFrame(type: number, flags: number): void {
    if (type !== SETTINGS || (flags & FLAG_ACK) !== 0) {
      throw new ConnectionError(PROTOCOL_ERROR, "the first frame is not SETTINGS");
    }
    this.peerSettingsSeen = true;
  }

  #otherFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (type === CONTINUATION) {
      this.#continuation(flags, streamId, bytes, start, end);
      return;
    }
    this.countOverhead(FRAME_HEADER_BYTES + end - start);
    switch (type) {
      case WINDOW_UPDATE:
        onWindowUpdate(this, streamId, bytes, start, end);
        return;
      case RST_STREAM:
        onRstStream(this, streamId, bytes, start, end);
        return;
      case PING:
        onPing(this, flags, streamId, bytes, start, end);
        return;
      case SETTINGS:
        onSettings(this, flags, streamId, bytes, start, end);
        return;
      case GOAWAY:
        onGoaway(this, streamId, bytes, start, end);
        return;
      case PRIORITY:
        onPriority(this, streamId, bytes, start, end);
        return;
      case PUSH_PROMISE:
        // Clients never push, and we tell servers not to (8.4). Other types are unknown and ignored (4.1).
        throw new ConnectionError(PROTOCOL_ERROR, "PUSH_PROMISE is not allowed");
    }
  }

  /** Counts bytes that carried no message (F36). */
  protected countOverhead(byteCount: number): void {
    if (this.guard.overhead(this.nowMs, byteCount)) return;
    throw new ConnectionError(ENHANCE_YOUR_CALM, "too many bytes without a message");
  }

  #data(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, "DATA on stream 0");
    this.receive.take(end - start);
    const padding = (flags & FLAG_PADDED) === 0 ? 0 : paddingBytes(bytes, start, end);
    const stream = this.streams.get(streamId);
    if (stream === undefined || stream.remoteClosed) {
      this.#dataForClosed(streamId, stream, end - start);
      return;
    }
    stream.receiveWindow -= end - start;
    if (stream.receiveWindow < 0) {
      this.abort(stream, FLOW_CONTROL_ERROR);
      return;
    }
    const ended = (flags & FLAG_END_STREAM) !== 0;
    if (!ended || padding > 0) this.#countDataOverhead(stream, end - start, padding);
    const bodyStart = padding > 0 ? start + 1 : start;
    this.#body(stream, bytes, bodyStart, bodyStart + end - start - padding, ended);
  }

  #countDataOverhead(stream: Http2Stream, length: number, padding: number): void {
    this.countOverhead(FRAME_HEADER_BYTES + padding);
    if (length > padding || this.guard.emptyFrame(++stream.emptyFrames)) return;
    throw new ConnectionError(ENHANCE_YOUR_CALM, "too many empty frames");
  }

  /** Checks the declared length (8.1.1) and hands the bytes on. */
  #body(stream: Http2Stream, bytes: Buffer, start: number, end: number, ended: boolean): void {
    if (stream.bodyBytesLeft >= 0) {
      stream.bodyBytesLeft -= end - start;
      if (stream.bodyBytesLeft < 0 || (ended && stream.bodyBytesLeft > 0)) {
        this.abort(stream, PROTOCOL_ERROR);
        return;
      }
    }
    if (ended) this.peerEnded(stream);
    else stream.creditWindow();
    stream.receive(bytes, start, end, ended);
  }

  /** The peer's side is over; with ours over too, the stream is. */
  protected peerEnded(stream: Http2Stream): void {
    stream.remoteClosed = true;
    if (stream.localClosed) this.removeStream(stream);
  }

  /** 5.1: late DATA for a stream that we reset is ignored, for others it is an error. */
  #dataForClosed(streamId: number, stream: Http2Stream | undefined, length: number): void {
    if (stream === undefined && this.isIdle(streamId)) throw new ConnectionError(PROTOCOL_ERROR, "DATA on idle stream");
    // An honest peer may have a whole window on its way when we reset its stream; a flood is still one.
    this.countOverhead(FRAME_HEADER_BYTES + (length >> 3));
    if (!this.resetByUs.has(streamId)) this.streamError(streamId, STREAM_CLOSED);
  }

  #headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, "HEADERS on stream 0");
    const padding = (flags & FLAG_PADDED) === 0 ? 0 : paddingBytes(bytes, start, end);
    let from = padding > 0 ? start + 1 : start;
    const to = from + end - start - padding;
    let dependsOnItself = false;
    if ((flags & FLAG_PRIORITY) !== 0) {
      if (to - from < 5) throw new ConnectionError(FRAME_SIZE_ERROR, "HEADERS too short for its priority");
      dependsOnItself = (readUint32(bytes, from) & STREAM_ID_LARGEST) === streamId;
      from += 5;
    }
    if (padding > 0) this.countOverhead(padding);
    const ended = (flags & FLAG_END_STREAM) !== 0;
    if ((flags & FLAG_END_HEADERS) !== 0) {
      this.#decode(streamId, bytes, from, to, ended, dependsOnItself);
      return;
    }
    this.#block.begin(streamId, ended, dependsOnItself, this.nowMs);
    this.#block.add(bytes, from, to);
  }

  #continuation(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (streamId === 0 || streamId !== block.streamId) {
      throw new ConnectionError(PROTOCOL_ERROR, "CONTINUATION outside its header block");
    }
    block.countContinuation();
    block.add(bytes, start, end);
    if ((flags & FLAG_END_HEADERS) === 0) return;
    const whole = block.take();
    this.#decode(streamId, whole, 0, whole.length, block.endStream, block.dependsOnItself);
  }

  #decode(streamId: number, bytes: Buffer, start: number, end: number, ended: boolean, dependsOnItself: boolean): void {
    const list = this.#decoder.decode(bytes, start, end);
    if (list.refusal !== undefined) this.#countRefusal(list);
    this.headerBlock(streamId, list, ended, dependsOnItself);
  }

  #countRefusal(list: HeaderList): void {
    if (list.refusal === "too-many-fields") this.context.counters.headerListsTooLong++;
    else this.context.counters.headerListsTooLarge++;
  }
}

/** Bytes of the padding and its length field (6.1). */
function paddingBytes(bytes: Buffer, start: number, end: number): number {
  const padding = start < end ? bytes[start] + 1 : end - start + 1;
  if (padding > end - start) throw new ConnectionError(PROTOCOL_ERROR, "more padding than payload");
  return padding;
}
