/**
 * Buffers for outgoing bytes, shared by the connections of one server or client: a connection holds one only
 * between its first frame of a turn and the moment the socket took it, so idle connections hold none.
 *
 * There are three sizes. Small ones, because a commit may answer a thousand connections in one turn, each with a few dozen
 * bytes: with 64 KiB for each of them a turn took 64 MiB of new memory, a third of the processor time of Puts on 1,000
 * connections, one in flight on each. Large ones, because of what one turn sends to a few connections: large answers, events for
 * many watchers on one connection. New memory costs ten times as much as a copy into memory that was in use before (12 µs for
 * 64 KiB, and 1.4 µs): ranges of 10,000 keys, 1.7 MB each, took about a tenth more processor time without them.
 */

/** Holds the answers to a few small calls. */
const SMALL_BYTES = 2 * 1024;
const KEPT_SMALL_MAX = 1_024;
const MEDIUM_BYTES = 64 * 1024;
const KEPT_MEDIUM_MAX = 64;
/** Holds what may stand ready for a socket (`socketBacklogBytesMax`), and the frame that went beyond it. */
const LARGE_BYTES = 288 * 1024;
const KEPT_LARGE_MAX = 8;

/** Hands out buffers of 2, 64 and 288 KiB and takes them back. */
export class BufferPool {
  readonly #small: Buffer[] = [];
  readonly #medium: Buffer[] = [];
  readonly #large: Buffer[] = [];

  /** A buffer of at least `bytesMin`, with arbitrary content. */
  acquire(bytesMin: number): Buffer {
    if (bytesMin <= SMALL_BYTES) return this.#small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
    if (bytesMin <= MEDIUM_BYTES) return this.#medium.pop() ?? Buffer.allocUnsafeSlow(MEDIUM_BYTES);
    if (bytesMin <= LARGE_BYTES) return this.#large.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
    return Buffer.allocUnsafeSlow(bytesMin);
  }

  /** Gives `buffer` back; nobody may read or write it afterwards. Other sizes are left to the garbage collector. */
  release(buffer: Buffer): void {
    if (buffer.length === SMALL_BYTES && this.#small.length < KEPT_SMALL_MAX) this.#small.push(buffer);
    if (buffer.length === MEDIUM_BYTES && this.#medium.length < KEPT_MEDIUM_MAX) this.#medium.push(buffer);
    if (buffer.length === LARGE_BYTES && this.#large.length < KEPT_LARGE_MAX) this.#large.push(buffer);
  }
}
