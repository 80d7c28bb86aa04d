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
    const { limits, counters } = this.#context;
    const held = this.#heldBytes + byteCount;
    const heldTotal = this.#context.bufferedBytes + byteCount;
    if (held > limits.bufferedBytesPerConnectionMax || heldTotal > limits.bufferedBytesTotalMax) {
      counters.bufferedBytesExceeded++;
      return false;
    }
    this.#heldBytes = held;
    this.#context.bufferedBytes = heldTotal;
    return true;
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
