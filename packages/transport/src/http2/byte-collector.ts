/**
 * Bytes that come in pieces and are wanted whole. Memory follows the bytes that came, never a length that somebody
 * declared (F44), and is reserved before it is taken (F16).
 */

import type { MessageMemory } from "./message-memory.js";

/** Grants memory; see `BufferBudget`. */
export interface MemoryGrant {
  reserve(byteCount: number): boolean;
  /** Whether `reserve` would grant so much; asking leaves no trace. */
  hasRoom(byteCount: number): boolean;
  release(byteCount: number): void;
}

const FIRST_BYTES = 256;
/**
 * How many times as much as came is taken, where there is room. Each time it grows everything is copied into new memory,
 * which costs more than the copying: doubled, 64 KiB in four frames took 180 KiB of it.
 */
const LEAD = 8;

export class ByteCollector {
  readonly #grant: MemoryGrant;
  readonly #memory: MessageMemory | undefined;
  #bytes: Buffer | undefined = undefined;
  #length = 0;

  /** `memory` is where to take it from, and to give back what was cleared, which nobody may hold a view of any more. */
  constructor(grant: MemoryGrant, memory?: MessageMemory) {
    this.#grant = grant;
    this.#memory = memory;
  }

  /** Bytes collected. */
  get length(): number {
    return this.#length;
  }

  /** Copies `bytes` from `start` to `end`; false if there is no memory for them. `bytesMax` is all that will ever come. */
  append(bytes: Buffer, start: number, end: number, bytesMax: number): boolean {
    const needed = this.#length + end - start;
    if (needed > (this.#bytes?.length ?? 0) && !this.#grow(needed, bytesMax)) return false;
    bytes.copy(this.#bytes!, this.#length, start, end);
    this.#length = needed;
    return true;
  }

  /** A view of what was collected so far. */
  view(): Buffer {
    return this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
  }

  /** What was collected, in memory of its own; afterwards there is nothing, and its memory is no longer counted. */
  take(): Buffer {
    const whole = this.view();
    this.#forget();
    return whole;
  }

  /** Forgets what was collected. */
  clear(): void {
    if (this.#bytes !== undefined) this.#memory?.giveBack(this.#bytes);
    this.#forget();
  }

  #forget(): void {
    if (this.#bytes !== undefined) this.#grant.release(this.#bytes.length);
    this.#bytes = undefined;
    this.#length = 0;
  }

  #grow(needed: number, bytesMax: number): boolean {
    const held = this.#bytes?.length ?? 0;
    const lead = Math.max(needed, Math.min(bytesMax, Math.max(needed * LEAD, FIRST_BYTES)));
    const wanted = this.#memory?.lengthFor(lead) ?? lead;
    const capacity = this.#grant.hasRoom(wanted - held) ? wanted : needed;
    if (!this.#grant.reserve(capacity - held)) return false;
    const larger = this.#memory?.take(capacity) ?? Buffer.allocUnsafeSlow(capacity);
    this.#bytes?.copy(larger, 0, 0, this.#length);
    if (this.#bytes !== undefined) this.#memory?.giveBack(this.#bytes);
    this.#bytes = larger;
    return true;
  }
}
