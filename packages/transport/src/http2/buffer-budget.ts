/** The memory that unfinished messages of one connection may take, and of all connections together (F16). */
import type { TransportContext } from "./context.js";

/** One per connection. */
export class BufferBudget {
  readonly #context: TransportContext;
  #heldBytes = 0;

  constructor(context: TransportContext) {
    this.#context = context;
  }

  /** Asks for `byteCount` bytes; false, and counted, if there are no more. */
  reserve(byteCount: number): boolean {
    if (!this.hasRoom(byteCount)) {
      this.#context.counters.bufferedBytesExceeded++;
      return false;
    }
    this.#heldBytes += byteCount;
    this.#context.bufferedBytes += byteCount;
    return true;
  }

  /** Whether there are so many bytes left. */
  hasRoom(byteCount: number): boolean {
    const { bufferedBytesPerConnectionMax, bufferedBytesTotalMax } = this.#context.limits;
    if (this.#heldBytes + byteCount > bufferedBytesPerConnectionMax) return false;
    return this.#context.bufferedBytes + byteCount <= bufferedBytesTotalMax;
  }

  /** Whether the connection could have as much again as it holds. */
  get halfEmpty(): boolean {
    return this.#heldBytes <= this.#context.limits.bufferedBytesPerConnectionMax / 2;
  }

  /** Gives back what was reserved. */
  release(byteCount: number): void {
    this.#heldBytes -= byteCount;
    this.#context.bufferedBytes -= byteCount;
  }
}
