/**
 * Finds the history of a key.
 *
 * A `Map` that grows moves all its entries at once, which takes tens of milliseconds for a million of them, and it
 * cannot hold more than 2^24. Many small ones grow one by one, each in a fraction of a millisecond.
 */
import type { ByteString } from "@holdfast/protocol";
import type { KeyHistory } from "./key-history.js";
import { keyMapParts } from "./limits.js";

/** How many characters from the end of a key choose its part: neighbouring keys differ there. */
const choosingCharacters = 4;

export class KeyMap {
  readonly #parts: Map<ByteString, KeyHistory>[] = Array.from({ length: keyMapParts }, () => new Map());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: ByteString): KeyHistory | undefined {
    return this.#parts[partOf(key)]!.get(key);
  }

  /** Adds the history of a key that has none. */
  add(history: KeyHistory): void {
    this.#parts[partOf(history.key)]!.set(history.key, history);
    this.#size += 1;
  }

  /** Removes the history of a key that has one. */
  delete(key: ByteString): void {
    this.#parts[partOf(key)]!.delete(key);
    this.#size -= 1;
  }
}

function partOf(key: ByteString): number {
  let mixed = key.length;
  for (let index = Math.max(0, key.length - choosingCharacters); index < key.length; index++) {
    mixed = mixed * 29 + key.charCodeAt(index);
  }
  return mixed % keyMapParts;
}
