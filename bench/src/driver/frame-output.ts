/**
 * Frames on their way out: written one behind the other into one buffer, which goes to the socket as one write. What a
 * frame means is left to the connection.
 */
import { cancelCode, Flag, FrameType, frameHeaderBytes, framePayloadBytesMax } from "./http2.js";

const bufferBytes = 64 * 1024;
/** In front of each message in gRPC: one byte that says it is not compressed, four of its length. */
export const envelopeBytes = 5;

/** What takes the bytes; `written` is called once they are not needed any more, in the order of the writes. */
export interface ByteSink {
  write(bytes: Uint8Array, written: () => void): void;
}

/** The frames of one connection that have not been written yet. */
export class FrameOutput {
  readonly #sink: ByteSink;
  #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #length = 0;
  /** Buffers that the socket still reads, oldest first. */
  readonly #lent: Buffer<ArrayBuffer>[] = [];
  readonly #spare: Buffer<ArrayBuffer>[] = [];
  readonly #onWritten = (): void => {
    const buffer = this.#lent.shift();
    if (buffer !== undefined) this.#spare.push(buffer);
  };

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Hands everything to the socket. */
  flush(): void {
    if (this.#length === 0) return;
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#length);
    this.#buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    this.#length = 0;
    this.#lent.push(buffer);
    this.#sink.write(bytes, this.#onWritten);
  }

  /** Bytes that are frames already. */
  raw(bytes: Uint8Array): void {
    this.#copy(bytes, this.#reserve(bytes.length));
  }

  /** A header block that fits into one frame and leaves the stream open. */
  headers(streamId: number, block: Uint8Array): void {
    const at = this.#frame(FrameType.headers, Flag.endHeaders, streamId, block.length);
    this.#copy(block, at);
  }

  /** A whole gRPC message as one DATA frame; it must fit. */
  message(streamId: number, message: Uint8Array, isLast: boolean): void {
    const bytes = message.length + envelopeBytes;
    const at = this.#frame(FrameType.data, isLast ? Flag.endStream : 0, streamId, bytes);
    this.#buffer[at] = 0;
    this.#uint32(at + 1, message.length);
    this.#copy(message, at + envelopeBytes);
  }

  /** `bytes[from, to)` as one DATA frame: at most `framePayloadBytesMax` of them. */
  data(streamId: number, bytes: Uint8Array, from: number, to: number, isLast: boolean): void {
    const at = this.#frame(FrameType.data, isLast ? Flag.endStream : 0, streamId, to - from);
    this.#copy(bytes.subarray(from, to), at);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#uint32(this.#frame(FrameType.windowUpdate, 0, streamId, 4), increment);
  }

  cancel(streamId: number): void {
    this.#uint32(this.#frame(FrameType.resetStream, 0, streamId, 4), cancelCode);
  }

  settings(entries: readonly (readonly [number, number])[]): void {
    let at = this.#frame(FrameType.settings, 0, 0, entries.length * 6);
    for (const [setting, value] of entries) {
      this.#buffer[at] = 0;
      this.#buffer[at + 1] = setting;
      this.#uint32(at + 2, value);
      at += 6;
    }
  }

  settingsAcknowledgement(): void {
    this.#frame(FrameType.settings, Flag.acknowledgement, 0, 0);
  }

  /** Answers the ping whose eight bytes begin at `from`. */
  pingAcknowledgement(chunk: Uint8Array, from: number): void {
    const at = this.#frame(FrameType.ping, Flag.acknowledgement, 0, 8);
    this.#copy(chunk.subarray(from, from + 8), at);
  }

  /** Writes the header of a frame; returns where its payload belongs, for which there is room. */
  #frame(type: number, flags: number, streamId: number, payloadBytes: number): number {
    if (payloadBytes > framePayloadBytesMax) throw new RangeError(`a frame of ${payloadBytes} bytes is too large`);
    const at = this.#reserve(frameHeaderBytes + payloadBytes);
    const buffer = this.#buffer;
    buffer[at] = payloadBytes >>> 16;
    buffer[at + 1] = payloadBytes >>> 8;
    buffer[at + 2] = payloadBytes;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    this.#uint32(at + 5, streamId);
    return at + frameHeaderBytes;
  }

  #reserve(bytes: number): number {
    if (this.#length + bytes > bufferBytes) this.flush();
    const at = this.#length;
    this.#length += bytes;
    return at;
  }

  /** For some ten bytes a loop takes less time than `set`. */
  #copy(bytes: Uint8Array, at: number): void {
    const buffer = this.#buffer;
    if (bytes.length > 64) buffer.set(bytes, at);
    else for (let i = 0; i < bytes.length; i++) buffer[at + i] = bytes[i]!;
  }

  #uint32(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }
}
