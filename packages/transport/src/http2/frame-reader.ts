/**
 * Cuts the byte stream of a socket into frames, in one pass over each chunk. A frame that lies whole in the chunk is
 * handed on in place; only one that straddles two chunks is copied. The meaning of frames is left to the sink.
 */
import { ConnectionError } from "./errors.js";
import {
  CONTINUATION,
  FRAME_BYTES_DEFAULT,
  FRAME_HEADER_BYTES,
  FRAME_SIZE_ERROR,
  HEADERS,
  STREAM_ID_LARGEST,
} from "./protocol.js";

/** Takes the frames. */
export interface FrameSink {
  /**
   * Handles one whole frame. `bytes` from `start` to `end` is the payload, valid only during the call.
   * False if the connection is over: the rest is ignored.
   * @throws ConnectionError if the connection must end.
   */
  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Memory for frames that straddle two chunks, used again. With large messages every fourth frame is one, and new memory of
 * this size costs ten times as much as the copy. Small frames are cut from Node's own slabs.
 */
const SPARE_BYTES = FRAME_HEADER_BYTES + FRAME_BYTES_DEFAULT;
const SPARE_FOR_MORE_THAN_BYTES = 2 * 1024;
const SPARES_MAX = 16;
const spares: Buffer[] = [];

function acquire(bytes: number): Buffer {
  if (bytes <= SPARE_FOR_MORE_THAN_BYTES) return Buffer.allocUnsafe(bytes);
  return spares.pop() ?? Buffer.allocUnsafeSlow(SPARE_BYTES);
}

function release(buffer: Buffer): void {
  if (buffer.length === SPARE_BYTES && spares.length < SPARES_MAX) spares.push(buffer);
}

/** One per connection. Accepts frames up to the default size (16 KiB), the only one we advertise. */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame whose end has not come yet; `#partialLength` bytes of it are valid. */
  #partial: Buffer = NO_BYTES;
  #partialLength = 0;
  #partialSinceMs = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /**
   * Reads `chunk` from `start`, which arrived at `nowMs`.
   * @throws ConnectionError FRAME_SIZE_ERROR for a frame above 16 KiB (RFC 9113, 4.2), and whatever the sink throws.
   */
  feed(chunk: Buffer, start: number, nowMs: number): void {
    if (this.#stopped) return;
    const position = this.#partialLength === 0 ? start : this.#completePartial(chunk, start);
    const end = this.#readWhole(chunk, position);
    if (end < chunk.length && !this.#stopped) this.#keepPartial(chunk, end, nowMs);
  }

  /**
   * When the unfinished frame at the end of the input began, if it may be part of a header block (it is HEADERS or
   * CONTINUATION, or too short to tell); otherwise undefined.
   */
  get headersPendingSinceMs(): number | undefined {
    if (this.#partialLength === 0) return undefined;
    if (this.#partialLength < FRAME_HEADER_BYTES) return this.#partialSinceMs;
    const type = this.#partial[3];
    return type === HEADERS || type === CONTINUATION ? this.#partialSinceMs : undefined;
  }

  /** Ignores everything from now on. */
  stop(): void {
    this.#stopped = true;
    release(this.#partial);
    this.#partial = NO_BYTES;
    this.#partialLength = 0;
  }

  /** Hands on every whole frame from `position`; returns where the first incomplete one begins. */
  #readWhole(chunk: Buffer, position: number): number {
    const end = chunk.length;
    let at = position;
    while (at + FRAME_HEADER_BYTES <= end) {
      const payload = at + FRAME_HEADER_BYTES;
      const payloadEnd = payload + payloadLength(chunk, at);
      if (payloadEnd > end) break;
      at = payloadEnd;
      if (!this.#dispatch(chunk, payload - FRAME_HEADER_BYTES, payloadEnd)) return end;
    }
    return at;
  }

  #dispatch(bytes: Buffer, at: number, payloadEnd: number): boolean {
    const type = bytes[at + 3];
    const flags = bytes[at + 4];
    const streamId = readUint32(bytes, at + 5) & STREAM_ID_LARGEST;
    return this.#sink.frame(type, flags, streamId, bytes, at + FRAME_HEADER_BYTES, payloadEnd);
  }

  /** Fills the kept frame from the chunk; returns the position after it, or the chunk's end if there is no more to read. */
  #completePartial(chunk: Buffer, start: number): number {
    const afterHeader = this.#fill(chunk, start, FRAME_HEADER_BYTES);
    if (this.#partialLength < FRAME_HEADER_BYTES) return chunk.length;
    const frameBytes = FRAME_HEADER_BYTES + payloadLength(this.#partial, 0);
    const afterFrame = this.#fill(chunk, afterHeader, frameBytes);
    if (this.#partialLength < frameBytes) return chunk.length;
    const frame = this.#partial;
    this.#partial = NO_BYTES;
    this.#partialLength = 0;
    const goesOn = this.#dispatch(frame, 0, frameBytes);
    release(frame);
    return goesOn ? afterFrame : chunk.length;
  }

  /** Copies from the chunk until the kept frame has `wanted` bytes or the chunk is used up. */
  #fill(chunk: Buffer, start: number, wanted: number): number {
    const count = Math.min(Math.max(wanted - this.#partialLength, 0), chunk.length - start);
    if (this.#partial.length < wanted) this.#enlarge(wanted);
    chunk.copy(this.#partial, this.#partialLength, start, start + count);
    this.#partialLength += count;
    return start + count;
  }

  #enlarge(bytes: number): void {
    const larger = acquire(bytes);
    this.#partial.copy(larger, 0, 0, this.#partialLength);
    this.#partial = larger;
  }

  #keepPartial(chunk: Buffer, start: number, nowMs: number): void {
    const count = chunk.length - start;
    const known = count >= FRAME_HEADER_BYTES;
    this.#partial = acquire(known ? FRAME_HEADER_BYTES + payloadLength(chunk, start) : FRAME_HEADER_BYTES);
    chunk.copy(this.#partial, 0, start);
    this.#partialLength = count;
    this.#partialSinceMs = nowMs;
  }
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
  if (length > FRAME_BYTES_DEFAULT) throw new ConnectionError(FRAME_SIZE_ERROR, "frame larger than 16384 bytes");
  return length;
}

/** The big-endian number at `at`; negative if its highest bit is set, so callers mask it. */
export function readUint32(bytes: Buffer, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}
