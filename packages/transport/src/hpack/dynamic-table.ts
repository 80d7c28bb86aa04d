/**
 * The dynamic table of RFC 7541 sections 2.3.2 and 4, the same for both directions: a ring of entries, newest first.
 * Finding an entry by content is left to the encoder.
 */

import type { HeaderField } from "./header-field.js";

/** Size of the table until a size update changes it: the initial SETTINGS_HEADER_TABLE_SIZE (RFC 9113 section 6.5.2). */
export const INITIAL_TABLE_BYTES = 4096;

const INITIAL_CAPACITY = 16;

export class DynamicTable {
  #ring: (HeaderField | undefined)[] = new Array<HeaderField | undefined>(INITIAL_CAPACITY).fill(undefined);
  /** Ring position of the next insertion. */
  #next = 0;
  #length = 0;
  #bytes = 0;
  #bytesMax = INITIAL_TABLE_BYTES;
  #generation = 0;

  /** How many entries there are. */
  get length(): number {
    return this.#length;
  }

  /** Sum of the sizes of the entries, 32 for each included. */
  get bytes(): number {
    return this.#bytes;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Changes whenever what an index refers to may have changed. */
  get generation(): number {
    return this.#generation;
  }

  /** Changes the generation without changing the table. */
  touch(): void {
    this.#generation++;
  }

  /** The entry `at` places behind the newest one, which is at 0. Undefined if there is none. */
  get(at: number): HeaderField | undefined {
    if (at >= this.#length) return undefined;
    return this.#ring[(this.#next - 1 - at) & (this.#ring.length - 1)];
  }

  /**
   * Adds `field` as the newest entry, evicting from the old end until it fits. An entry larger than the whole table
   * leaves it empty and is not added, which is no error (RFC 7541 section 4.4). Returns whether it was added.
   */
  insert(field: HeaderField): boolean {
    this.#generation++;
    while (this.#length > 0 && this.#bytes + field.bytes > this.#bytesMax) this.evictOldest();
    if (field.bytes > this.#bytesMax) return false;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#next] = field;
    this.#next = (this.#next + 1) & (this.#ring.length - 1);
    this.#length++;
    this.#bytes += field.bytes;
    return true;
  }

  /** Removes the oldest entry and returns it. Undefined if the table is empty. */
  evictOldest(): HeaderField | undefined {
    const at = (this.#next - this.#length) & (this.#ring.length - 1);
    const field = this.#length === 0 ? undefined : this.#ring[at];
    if (field === undefined) return undefined;
    this.#generation++;
    this.#ring[at] = undefined;
    this.#length--;
    this.#bytes -= field.bytes;
    return field;
  }

  /** Sets the size limit, evicting what no longer fits (RFC 7541 section 4.3). */
  resize(bytesMax: number): void {
    this.#generation++;
    this.#bytesMax = bytesMax;
    while (this.#bytes > bytesMax) this.evictOldest();
  }

  /** Doubles the ring, oldest entry first. The ring is full when this is called. */
  #grow(): void {
    const old = this.#ring;
    const larger = new Array<HeaderField | undefined>(old.length * 2).fill(undefined);
    for (let i = 0; i < old.length; i++) larger[i] = old[(this.#next + i) & (old.length - 1)];
    this.#ring = larger;
    this.#next = old.length;
  }
}
