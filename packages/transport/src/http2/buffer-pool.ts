/**
 * Buffers for outgoing bytes, shared by the connections of one server or client: a connection holds one only
 * between its first frame of a turn and the moment the socket took it, so idle connections hold none.
 */

const BUFFER_BYTES = 64 * 1024;
const KEPT_BUFFERS_MAX = 64;

/** Hands out buffers of 64 KiB and takes them back. */
export class BufferPool {
  readonly #free: Buffer[] = [];

  /** A buffer of at least `bytesMin`, with arbitrary content. */
  acquire(bytesMin: number): Buffer {
    if (bytesMin > BUFFER_BYTES) return Buffer.allocUnsafeSlow(bytesMin);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Gives `buffer` back; nobody may read or write it afterwards. Larger ones are left to the garbage collector. */
  release(buffer: Buffer): void {
    if (buffer.length === BUFFER_BYTES && this.#free.length < KEPT_BUFFERS_MAX) this.#free.push(buffer);
  }
}
