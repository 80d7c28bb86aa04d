/**
 * Finds the number of a key.
 *
 * A hash table with open places, in many small parts: one that grows moves all its entries at once, which is to take a
 * fraction of a millisecond. An entry is a pair of integers, number and hash, next to the place that its hash names or in one of
 * the few behind it. Keys that find none of those free, as keys chosen to collide would (fault-model F46), go to a `Map`,
 * whose hash nobody outside can foretell: they cost a few comparisons of integers more than others.
 */
import { type ByteString, emptyByteString } from "@holdfast/protocol";
import { keyTableParts, keyTableProbesMax } from "./limits.js";

/** Tells whether the key of a number is `key`. */
export interface KeyNames {
  hasKey(number: number, key: ByteString): boolean;
}

const smallestPart = 16;

/** One part. */
class Part {
  /** Two integers for each place: the number of the key and 1, or 0 for none; and its hash. */
  entries = new Int32Array(2 * smallestPart);
  /** How many places are taken. */
  taken = 0;
}

export class KeyTable {
  readonly #names: KeyNames;
  readonly #parts: Part[] = Array.from({ length: keyTableParts }, () => new Part());
  /** Keys that had no place. */
  readonly #displaced = new Map<ByteString, number>();
  #size = 0;
  /** What was found or added last: a command asks for its key several times, and so does who looks what became of it. */
  #lastKey: ByteString | undefined = undefined;
  #lastNumber = 0;
  /** The key that was looked for last without knowing where, and its hash: it is often the one that is added next. */
  #soughtKey: ByteString = emptyByteString;
  #soughtHash = hashOf(emptyByteString);

  constructor(names: KeyNames) {
    this.#names = names;
  }

  get size(): number {
    return this.#size;
  }

  /** The number of a key; undefined when it has none. */
  find(key: ByteString): number | undefined {
    if (key === this.#lastKey) return this.#lastNumber;
    const number = this.#find(key);
    if (number !== undefined) this.#remember(key, number);
    return number;
  }

  #find(key: ByteString): number | undefined {
    const hash = hashOf(key);
    this.#soughtKey = key;
    this.#soughtHash = hash;
    const { entries } = this.#partOf(hash);
    const mask = entries.length - 1;
    let at = (hash << 1) & mask;
    for (let probe = 0; probe < keyTableProbesMax; probe++, at = (at + 2) & mask) {
      const entry = entries[at]!;
      if (entry === 0) return this.#findDisplaced(key);
      if (entries[at + 1] === hash && this.#names.hasKey(entry - 1, key)) return entry - 1;
    }
    return this.#findDisplaced(key);
  }

  /** Adds a key that is not in the table. */
  add(key: ByteString, number: number): void {
    const hash = key === this.#soughtKey ? this.#soughtHash : hashOf(key);
    const part = this.#partOf(hash);
    this.#size += 1;
    this.#remember(key, number);
    if (part.taken * 3 >= part.entries.length) grow(part);
    const at = freePlace(part.entries, hash);
    if (at === undefined) this.#displaced.set(key, number);
    else take(part, at, number, hash);
  }

  /** Removes a key that is in the table. */
  delete(key: ByteString, number: number): void {
    this.#size -= 1;
    this.#lastKey = undefined;
    if (this.#displaced.size > 0 && this.#displaced.delete(key)) return;
    const hash = hashOf(key);
    const part = this.#partOf(hash);
    const mask = part.entries.length - 1;
    let at = (hash << 1) & mask;
    while (part.entries[at] !== number + 1) at = (at + 2) & mask;
    vacate(part, at);
  }

  #remember(key: ByteString, number: number): void {
    this.#lastKey = key;
    this.#lastNumber = number;
  }

  #findDisplaced(key: ByteString): number | undefined {
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(key);
  }

  #partOf(hash: number): Part {
    return this.#parts[hash >>> partShift]!;
  }
}

/** The uppermost bits of a hash choose its part, the lowest its place in there. */
const partShift = 32 - Math.log2(keyTableParts);

/** The first free place for a hash; undefined if there is none near enough. */
function freePlace(entries: Int32Array, hash: number): number | undefined {
  const mask = entries.length - 1;
  let at = (hash << 1) & mask;
  for (let probe = 0; probe < keyTableProbesMax; probe++, at = (at + 2) & mask) if (entries[at] === 0) return at;
  return undefined;
}

function take(part: Part, at: number, number: number, hash: number): void {
  part.entries[at] = number + 1;
  part.entries[at + 1] = hash;
  part.taken += 1;
}

/**
 * Doubles a part. Entries move in the order in which they lie, from behind a free place on, so that each finds a place that is
 * no farther from where its hash points to than before.
 */
function grow(part: Part): void {
  const old = part.entries;
  const entries = new Int32Array(2 * old.length);
  const mask = entries.length - 1;
  let free = 0;
  while (old[free] !== 0) free += 2;
  for (let step = 2; step < old.length; step += 2) {
    const from = (free + step) & (old.length - 1);
    if (old[from] === 0) continue;
    let at = (old[from + 1]! << 1) & mask;
    while (entries[at] !== 0) at = (at + 2) & mask;
    entries[at] = old[from]!;
    entries[at + 1] = old[from + 1]!;
  }
  part.entries = entries;
}

/** Frees a place, and moves up those behind it that would else not be found: none lies more than `keyTableProbesMax` away (F46). */
function vacate(part: Part, place: number): void {
  const { entries } = part;
  const mask = entries.length - 1;
  let hole = place;
  for (let at = (hole + 2) & mask; entries[at] !== 0; at = (at + 2) & mask) {
    if (((at - hole) & mask) >= 2 * keyTableProbesMax) break;
    const home = (entries[at + 1]! << 1) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    entries[hole] = entries[at]!;
    entries[hole + 1] = entries[at + 1]!;
    hole = at;
  }
  entries[hole] = 0;
  part.taken -= 1;
}

/** Four characters at a time, well mixed at the end: places are told by the lowest bits, parts by the uppermost. */
function hashOf(key: ByteString): number {
  const { length } = key;
  let hash = length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    const four =
      key.charCodeAt(index) |
      (key.charCodeAt(index + 1) << 8) |
      (key.charCodeAt(index + 2) << 16) |
      (key.charCodeAt(index + 3) << 24);
    hash = Math.imul(hash ^ four, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; index < length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x85ebca6b);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x846ca68b) ^ (hash >>> 16);
}
