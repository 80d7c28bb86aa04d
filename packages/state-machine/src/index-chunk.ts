/**
 * A run of neighbouring keys in the key index, kept sorted, and how many of them are alive.
 */
import type { ByteString } from "@holdfast/protocol";
import type { KeyHistory } from "./key-history.js";

export class IndexChunk {
  /**
   * Keys from here on belong to this chunk, keys below to the one before. Spares the search a look at the entries.
   * The first chunk of an index takes all keys that are below the second, whatever this says.
   */
  readonly lowest: ByteString;
  /** The keys again, because looking them up through the histories misses the processor's caches twice as often. */
  readonly #keys: ByteString[];
  readonly #entries: KeyHistory[];
  #liveCount: number;

  constructor(lowest: ByteString, keys: ByteString[], entries: KeyHistory[]) {
    this.lowest = lowest;
    this.#keys = keys;
    this.#entries = entries;
    this.#liveCount = countLive(entries, 0, entries.length);
  }

  get length(): number {
    return this.#entries.length;
  }

  /** In key order. */
  get entries(): readonly KeyHistory[] {
    return this.#entries;
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  /** How many of the entries from position `start` to below `end` are alive. */
  countLive(start: number, end: number): number {
    const whole = start === 0 && end === this.#entries.length;
    return whole ? this.#liveCount : countLive(this.#entries, start, end);
  }

  /** An entry came to life (1) or died (-1). */
  changeLive(difference: 1 | -1): void {
    this.#liveCount += difference;
  }

  /** Position of the first entry that is not below `key`. */
  positionOf(key: ByteString): number {
    const keys = this.#keys;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** As `positionOf`, sparing the search when all entries are below. */
  endBelow(key: ByteString): number {
    const { length } = this.#keys;
    return length === 0 || this.#keys[length - 1]! < key ? length : this.positionOf(key);
  }

  /** Adds an entry at the position that `positionOf` gives for it. */
  insert(position: number, history: KeyHistory): void {
    if (position === this.#keys.length) {
      this.#keys.push(history.key);
      this.#entries.push(history);
    } else {
      this.#keys.splice(position, 0, history.key);
      this.#entries.splice(position, 0, history);
    }
    if (history.isLive) this.#liveCount += 1;
  }

  /** Removes the entry at a position, which must not be alive. */
  remove(position: number): void {
    this.#keys.splice(position, 1);
    this.#entries.splice(position, 1);
  }

  /** Cuts off the entries from a position on, as a chunk of their own; there must be some. */
  splitAt(position: number): IndexChunk {
    const keys = this.#keys.splice(position);
    const right = new IndexChunk(keys[0]!, keys, this.#entries.splice(position));
    this.#liveCount -= right.liveCount;
    return right;
  }

  /** Takes in the entries of the chunk behind this one. */
  append(next: IndexChunk): void {
    this.#keys.push(...next.#keys);
    this.#entries.push(...next.#entries);
    this.#liveCount += next.liveCount;
  }
}

function countLive(entries: readonly KeyHistory[], start: number, end: number): number {
  let count = 0;
  for (let position = start; position < end; position++) if (entries[position]!.isLive) count += 1;
  return count;
}
