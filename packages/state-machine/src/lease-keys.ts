/**
 * The keys of one lease. Nearly every lease has one key or none, as those of locks and elections do: that takes no set, which
 * would be some 200 bytes for each lease and a hash of each key that comes and goes.
 */
import type { ByteString } from "@holdfast/protocol";

export class LeaseKeys implements Iterable<ByteString> {
  #only: ByteString | undefined = undefined;
  /** All of them, from the second on until none is left. */
  #many: Set<ByteString> | undefined = undefined;

  get size(): number {
    return this.#many?.size ?? (this.#only === undefined ? 0 : 1);
  }

  has(key: ByteString): boolean {
    return this.#many?.has(key) ?? this.#only === key;
  }

  /** In no promised order. */
  [Symbol.iterator](): Iterator<ByteString> {
    return (this.#many ?? (this.#only === undefined ? [] : [this.#only]))[Symbol.iterator]();
  }

  /** Whether the key was not among them. */
  add(key: ByteString): boolean {
    if (this.#many === undefined) return this.#addToFew(key);
    const { size } = this.#many;
    return this.#many.add(key).size > size;
  }

  /** Whether the key was among them. */
  delete(key: ByteString): boolean {
    if (this.#many !== undefined) {
      const isDeleted = this.#many.delete(key);
      if (this.#many.size === 0) this.#many = undefined;
      return isDeleted;
    }
    if (this.#only !== key) return false;
    this.#only = undefined;
    return true;
  }

  #addToFew(key: ByteString): boolean {
    if (this.#only === key) return false;
    if (this.#only === undefined) this.#only = key;
    else {
      this.#many = new Set([this.#only, key]);
      this.#only = undefined;
    }
    return true;
  }
}
