/** Bytes of one stream that wait for a flow-control window or for the socket, and what ends the stream after them. */
import type { HeaderFields } from "../hpack/index.js";
import type { Output } from "./output.js";

const CHUNK_BYTES_MIN = 512;
const CHUNK_BYTES_MAX = 16 * 1024;

/** First in, first out; small appends share a chunk. */
export class SendQueue {
  /** The stream ends with the last byte (END_STREAM on DATA). */
  endsWithData = false;
  /** The stream ends with these fields after the last byte. Encoded only then: the table must see blocks in the order they are sent. */
  trailers: HeaderFields | undefined = undefined;
  /** Bytes that left since the current stall period began. */
  movedBytes = 0;
  /** `SendFlow.queuedBytesSent` when that period began. */
  connectionBytesBefore = 0;
  /** Since when bytes have been waiting without a break; -1 while nobody looked or nothing waits. */
  waitingSinceMs = -1;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  /** Offset of the first byte in the first chunk. */
  #headOffset = 0;
  /** End of the last byte in the last chunk. */
  #tailEnd = 0;

  /** Bytes waiting. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies `bytes` to the end. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const tail = this.#tailWithRoomFor(bytes.length);
    tail.set(bytes, this.#tailEnd);
    this.#tailEnd += bytes.length;
    this.#bytes += bytes.length;
  }

  /** Takes `bytes`, of which there are some, as they are to the end. */
  appendOwn(bytes: Uint8Array): void {
    this.#closeTail();
    this.#chunks.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#tailEnd = bytes.length;
    this.#bytes += bytes.length;
  }

  /** Moves `count` bytes, no more than wait, to `output`. */
  moveTo(output: Output, count: number): void {
    for (let left = count; left > 0; ) left -= this.#moveFromHead(output, left);
    this.#bytes -= count;
    this.movedBytes += count;
    if (this.#bytes === 0) this.waitingSinceMs = -1;
  }

  #moveFromHead(output: Output, wanted: number): number {
    const head = this.#chunks[0];
    const headEnd = this.#chunks.length === 1 ? this.#tailEnd : head.length;
    const count = Math.min(wanted, headEnd - this.#headOffset);
    output.appendRange(head, this.#headOffset, this.#headOffset + count);
    this.#headOffset += count;
    if (this.#headOffset === headEnd) {
      this.#chunks.shift();
      this.#headOffset = 0;
    }
    return count;
  }

  #tailWithRoomFor(count: number): Buffer {
    const tail = this.#chunks.at(-1);
    if (tail !== undefined && this.#tailEnd + count <= tail.length) return tail;
    this.#closeTail();
    const shared = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, this.#bytes));
    const fresh = Buffer.allocUnsafeSlow(Math.max(count, shared));
    this.#chunks.push(fresh);
    this.#tailEnd = 0;
    return fresh;
  }

  /** A chunk that is not the last counts as full, so one that is left with room is cut to what it holds. */
  #closeTail(): void {
    const tail = this.#chunks.at(-1);
    if (tail !== undefined) this.#chunks[this.#chunks.length - 1] = tail.subarray(0, this.#tailEnd);
  }
}
