/**
 * A run of neighbouring keys in the key index, kept sorted, and how many of them are alive.
 *
 * The keys themselves are far away. Beside each number lie the four bytes of its key that come behind what all keys of the run
 * begin with, which nearly always tell keys apart: a search looks at one or two keys then, where it looked at eight.
 */
import type { ByteString } from "@holdfast/protocol";
import { indexChunkKeysMax } from "./limits.js";

/** What the index has to know of keys, which it holds by their numbers. */
export interface IndexedKeys {
  key(number: number): ByteString;
  /** Below 0, 0 or above 0, as the key of a number comes before `key`, is the same, or comes behind. */
  compareKey(number: number, key: ByteString): number;
  isLive(number: number): boolean;
  /** The four bytes of a key from `offset` on, the first one highest, zeros behind its end. */
  keyHead(number: number, offset: number): number;
}

export class IndexChunk {
  /**
   * Keys from here on belong to this chunk, keys below to the one before. Spares the search a look at the entries.
   * The first chunk of an index takes all keys that are below the second, whatever this says.
   */
  readonly lowest: ByteString;
  readonly #keys: IndexedKeys;
  readonly #numbers = new Int32Array(indexChunkKeysMax);
  /** What all keys begin with; not necessarily all of it. */
  #prefix: ByteString;
  /** Of each key, what comes behind the prefix. */
  readonly #heads = new Uint32Array(indexChunkKeysMax);
  #length = 0;
  #liveCount = 0;

  constructor(lowest: ByteString, keys: IndexedKeys) {
    this.lowest = lowest;
    this.#prefix = lowest;
    this.#keys = keys;
  }

  get length(): number {
    return this.#length;
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  /** The number of the key at a position. */
  at(position: number): number {
    return this.#numbers[position]!;
  }

  /** Whether the key at a position, which there may not be, has this number. */
  isAt(position: number, number: number): boolean {
    return position < this.#length && this.#numbers[position] === number;
  }

  /** The numbers of the keys, in key order. */
  entries(): readonly number[] {
    return [...this.#numbers.subarray(0, this.#length)];
  }

  /** How many of the entries from position `start` to below `end` are alive. */
  countLive(start: number, end: number): number {
    if (this.#liveCount === this.#length) return end - start;
    if (start === 0 && end === this.#length) return this.#liveCount;
    let count = 0;
    for (let position = start; position < end; position++) if (this.#keys.isLive(this.at(position))) count += 1;
    return count;
  }

  /** An entry came to life (1) or died (-1). */
  changeLive(difference: 1 | -1): void {
    this.#liveCount += difference;
  }

  /** Position of the first entry that is not below `key`. */
  positionOf(key: ByteString): number {
    const shared = sharedLength(this.#prefix, key);
    if (shared < this.#prefix.length) return key < this.#prefix ? 0 : this.#length;
    return this.#search(key, headOf(key, shared));
  }

  /** Whether the entry at a position begins with the first `length` characters of `key`. */
  beginsLike(position: number, key: ByteString, length: number): boolean {
    const shared = sharedLength(this.#prefix, key);
    if (shared >= length) return true;
    if (shared < this.#prefix.length) return false;
    // Most entries are told apart by the bytes that are at hand.
    const apart = (this.#heads[position]! ^ headOf(key, shared)) >>> (32 - 8 * Math.min(length - shared, 4));
    return apart === 0 && this.#keys.key(this.at(position)).startsWith(key.slice(0, length));
  }

  /** As `positionOf`, sparing the search when all entries are below. */
  endBelow(key: ByteString): number {
    const length = this.#length;
    return length === 0 || this.#keys.compareKey(this.at(length - 1), key) < 0 ? length : this.positionOf(key);
  }

  /** Adds an entry at the position that `positionOf` would give. Not for a full chunk. */
  insert(key: ByteString, number: number): void {
    const shared = sharedLength(this.#prefix, key);
    const head = headOf(key, shared);
    let position: number;
    if (shared < this.#prefix.length) {
      position = key < this.#prefix ? 0 : this.#length;
      this.#setPrefix(key.slice(0, shared) as ByteString);
    } else position = this.#search(key, head);
    if (position < this.#length) {
      this.#numbers.copyWithin(position + 1, position, this.#length);
      this.#heads.copyWithin(position + 1, position, this.#length);
    }
    this.#numbers[position] = number;
    this.#heads[position] = head;
    this.#length += 1;
    if (this.#keys.isLive(number)) this.#liveCount += 1;
  }

  /** Removes the entry at a position, which must not be alive. */
  remove(position: number): void {
    this.#numbers.copyWithin(position, position + 1, this.#length);
    this.#heads.copyWithin(position, position + 1, this.#length);
    this.#length -= 1;
  }

  /** Cuts off the entries from a position on, as a chunk of their own; there must be some. */
  splitAt(position: number): IndexChunk {
    const right = new IndexChunk(this.#keys.key(this.at(position)), this.#keys);
    right.#numbers.set(this.#numbers.subarray(position, this.#length));
    right.#length = this.#length - position;
    this.#length = position;
    right.#liveCount = right.#countAll();
    this.#liveCount -= right.#liveCount;
    right.#findPrefix();
    this.#findPrefix();
    return right;
  }

  /** Takes in the entries of the chunk behind this one; there must be room. */
  append(next: IndexChunk): void {
    this.#numbers.set(next.#numbers.subarray(0, next.#length), this.#length);
    this.#length += next.#length;
    this.#liveCount += next.#liveCount;
    this.#findPrefix();
  }

  /** Position of the first entry that is not below `key`, which begins with the prefix and goes on with `head`. */
  #search(key: ByteString, head: number): number {
    const heads = this.#heads;
    let low = 0;
    let high = this.#length;
    // Keys often come in ascending order.
    if (high > 0 && heads[high - 1]! < head) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = heads[middle]!;
      if (other < head || (other === head && this.#keys.compareKey(this.at(middle), key) < 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What the first and the last key share, all in between do. */
  #findPrefix(): void {
    const first = this.#keys.key(this.at(0));
    const last = this.#keys.key(this.at(this.#length - 1));
    this.#setPrefix(first.slice(0, sharedLength(first, last)) as ByteString);
  }

  #setPrefix(prefix: ByteString): void {
    this.#prefix = prefix;
    for (let position = 0; position < this.#length; position++) {
      this.#heads[position] = this.#keys.keyHead(this.at(position), prefix.length);
    }
  }

  #countAll(): number {
    let count = 0;
    for (let position = 0; position < this.#length; position++) if (this.#keys.isLive(this.at(position))) count += 1;
    return count;
  }
}

/** How many characters both begin with. */
function sharedLength(prefix: ByteString, key: ByteString): number {
  const end = Math.min(prefix.length, key.length);
  let length = 0;
  while (length < end && prefix.charCodeAt(length) === key.charCodeAt(length)) length += 1;
  return length;
}

/** As `keyHead`, of a key at hand. */
function headOf(key: ByteString, offset: number): number {
  let head = 0;
  for (let index = offset; index < offset + 4; index++)
    head = (head << 8) | (index < key.length ? key.charCodeAt(index) : 0);
  return head >>> 0;
}
