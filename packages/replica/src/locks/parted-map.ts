/**
 * A map from keys that never grows in one long step.
 *
 * A `Map` that grows moves all its entries at once, which takes 30 ms for half a million of them. A large one is kept in
 * many parts instead, each of which grows for itself in a fraction of a millisecond.
 */
import type { ByteString } from "@holdfast/protocol";

const parts = 64;
/** Up to so many entries one part is enough. */
const undividedMax = 4_096;
/** How many characters from the end of a key choose its part: neighbouring keys differ there. */
const choosingCharacters = 4;

export class PartedMap<Value> {
  /** One part, or `parts` of them. */
  #parts: Map<ByteString, Value>[] = [new Map()];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: ByteString): Value | undefined {
    return this.#partOf(key).get(key);
  }

  set(key: ByteString, value: Value): void {
    const part = this.#partOf(key);
    const sizeBefore = part.size;
    part.set(key, value);
    this.#size += part.size - sizeBefore;
    if (this.#size > undividedMax && this.#parts.length === 1) this.#divide();
  }

  delete(key: ByteString): void {
    if (this.#partOf(key).delete(key)) this.#size -= 1;
  }

  #partOf(key: ByteString): Map<ByteString, Value> {
    if (this.#parts.length === 1) return this.#parts[0] as Map<ByteString, Value>;
    let mixed = key.length;
    for (let index = Math.max(0, key.length - choosingCharacters); index < key.length; index++) {
      mixed = mixed * 29 + key.charCodeAt(index);
    }
    return this.#parts[mixed % parts] as Map<ByteString, Value>;
  }

  #divide(): void {
    const [all] = this.#parts;
    this.#parts = Array.from({ length: parts }, () => new Map());
    for (const [key, value] of all as Map<ByteString, Value>) this.#partOf(key).set(key, value);
  }
}
