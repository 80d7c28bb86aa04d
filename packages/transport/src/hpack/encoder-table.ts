/**
 * The encoder's view of both tables: by content instead of by index. Its dynamic part mirrors, entry by entry, the
 * table that the peer's decoder keeps.
 */

import { DynamicTable } from "./dynamic-table.js";
import { HeaderField } from "./header-field.js";
import { STATIC_LENGTH, STATIC_NAMES } from "./static-table.js";

/** The entries with one name. Numbers count insertions from 0, and so never change while an entry lives. */
interface DynamicName {
  newest: number;
  /** The entry for each value. There is one at most: what is found is not inserted again. */
  readonly values: Map<string, number>;
}

export class EncoderTable {
  readonly #table = new DynamicTable();
  readonly #names = new Map<string, DynamicName>();
  #insertions = 0;

  get bytesMax(): number {
    return this.#table.bytesMax;
  }

  /** Changes whenever what an index refers to may have changed. */
  get generation(): number {
    return this.#table.generation;
  }

  /** Changes the generation without changing the table. */
  touch(): void {
    this.#table.touch();
  }

  /** The index of the whole field, or the negated index of an entry with its name, or 0. */
  find(name: string, value: string): number {
    const fixed = STATIC_NAMES.get(name);
    const fixedIndex = fixed?.values.get(value);
    if (fixedIndex !== undefined) return fixedIndex;
    const dynamic = this.#names.get(name);
    const inserted = dynamic?.values.get(value);
    if (inserted !== undefined) return this.#indexOf(inserted);
    if (fixed !== undefined) return -fixed.index;
    return dynamic === undefined ? 0 : -this.#indexOf(dynamic.newest);
  }

  /**
   * Does what the peer will do when it reads the field as a literal with incremental indexing. The field must not be
   * in the table already.
   */
  insert(name: string, value: string): void {
    const field = new HeaderField(name, value, true, true);
    while (this.#table.length > 0 && this.#table.bytes + field.bytes > this.#table.bytesMax) this.#evictOldest();
    if (!this.#table.insert(field)) return;
    const known = this.#names.get(name);
    if (known === undefined)
      this.#names.set(name, { newest: this.#insertions, values: new Map([[value, this.#insertions]]) });
    else {
      known.newest = this.#insertions;
      known.values.set(value, this.#insertions);
    }
    this.#insertions++;
  }

  /** Does what the peer will do when it reads a size update. */
  resize(bytesMax: number): void {
    while (this.#table.bytes > bytesMax) this.#evictOldest();
    this.#table.resize(bytesMax);
  }

  #indexOf(inserted: number): number {
    return STATIC_LENGTH + this.#insertions - inserted;
  }

  #evictOldest(): void {
    const inserted = this.#insertions - this.#table.length;
    const field = this.#table.evictOldest();
    if (field === undefined) return;
    const known = this.#names.get(field.name);
    if (known === undefined) return;
    known.values.delete(field.value);
    if (known.newest === inserted) this.#names.delete(field.name);
  }
}
