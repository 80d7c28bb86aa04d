/**
 * The bytes that one connection is about to send. Everything written in one turn of the event loop collects
 * here and leaves in one socket write (`socket-writer.ts`).
 */
import type { BufferPool } from "./buffer-pool.js";

const NOTHING = Buffer.alloc(0);

/** A growing run of bytes. Hot code may write to `bytes` directly, between the offset `reserve` gave and `length`. */
export class Output {
  /** Valid up to `length`. Replaced by `reserve`, so it must be read again after each call. */
  bytes: Buffer = NOTHING;
  length = 0;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Makes room for `count` more bytes, which the caller must write, and returns the offset of the first. */
  reserve(count: number): number {
    const offset = this.length;
    this.expect(count);
    this.length = offset + count;
    return offset;
  }

  /** So many more bytes are about to be written, in parts: room for all of them is made at once. */
  expect(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(this.length + count);
  }

  /** Copies `bytes` to the end. */
  append(bytes: Uint8Array): void {
    const offset = this.reserve(bytes.length);
    this.bytes.set(bytes, offset);
  }

  /** Copies `bytes` from `start` (inclusive) to `end` (exclusive) to the end. */
  appendRange(bytes: Buffer, start: number, end: number): void {
    const offset = this.reserve(end - start);
    bytes.copy(this.bytes, offset, start, end);
  }

  /** Gives the buffer away, with all that was written, and starts empty. Its valid length is `length` before the call. */
  detach(): Buffer {
    const detached = this.bytes;
    this.bytes = NOTHING;
    this.length = 0;
    return detached;
  }

  /** Forgets what was written and gives the buffer back to the pool. */
  clear(): void {
    if (this.bytes !== NOTHING) this.#pool.release(this.bytes);
    this.bytes = NOTHING;
    this.length = 0;
  }

  #grow(bytesMin: number): void {
    const old = this.bytes;
    this.bytes = this.#pool.acquire(Math.max(bytesMin, old.length * 2));
    old.copy(this.bytes, 0, 0, this.length);
    if (old !== NOTHING) this.#pool.release(old);
  }
}
