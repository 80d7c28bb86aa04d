/**
 * Records by name, with the room they are reckoned to take.
 */
import { compareNames } from "./names.js";

/** Records are replaced, never changed. */
export class RecordTable<Named extends { readonly name: string }> {
  readonly #records = new Map<string, Named>();
  readonly #bytesOf: (record: Named) => number;
  #bytes = 0;
  /** What `sorted` last answered, if nothing changed since. */
  #sorted: readonly Named[] | undefined;

  constructor(bytesOf: (record: Named) => number) {
    this.#bytesOf = bytesOf;
  }

  /** What all records are reckoned to take. */
  get bytes(): number {
    return this.#bytes;
  }

  get(name: string): Named | undefined {
    return this.#records.get(name);
  }

  has(name: string): boolean {
    return this.#records.has(name);
  }

  /** Adds a record, in place of the one of the same name if there is one. */
  set(record: Named): void {
    this.delete(record.name);
    this.#records.set(record.name, record);
    this.#sorted = undefined;
    this.#bytes += this.#bytesOf(record);
  }

  /** Returns whether there was one. */
  delete(name: string): boolean {
    const record = this.#records.get(name);
    if (record === undefined) return false;
    this.#bytes -= this.#bytesOf(record);
    this.#sorted = undefined;
    return this.#records.delete(name);
  }

  /** All records, in byte order of their names. May be kept. */
  sorted(): readonly Named[] {
    this.#sorted ??= [...this.#records.values()].sort((left, right) => compareNames(left.name, right.name));
    return this.#sorted;
  }
}
