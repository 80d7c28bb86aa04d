/**
 * Where the versions of a key before its latest are, and when they were written, oldest first: for keys with many of them, so
 * that a search for a revision stays within one piece of memory. A place and a revision take no more there than a place alone
 * does in an array.
 */

/** A place and a revision for each version, side by side because a search ends with both. */
const entryLength = 2;
const offsetMax = 2 ** 32 - 1;

/** So far beside a guess is looked first: neighbours come with it into the cache. */
const stepInitial = 8;

export class DatedPlaces {
  #entries: Uint32Array | Float64Array;
  /** Revisions are counted from here, so that they are short; only if they are raised far they are not. */
  #baseRevision: number;
  #offsetMax = offsetMax;
  /** From which entry to below which. */
  #start = 0;
  #end = 0;

  /** Empty, with room for some; no version that comes must be older than `baseRevision`. */
  constructor(baseRevision: number, capacity: number) {
    this.#baseRevision = baseRevision;
    this.#entries = new Uint32Array(entryLength * capacity);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  at(index: number): number {
    return this.#placeOf(this.#start + index);
  }

  /** Adds a version, which must not be older than the last one. */
  push(place: number, revision: number): void {
    const isFull = entryLength * this.#end === this.#entries.length;
    if (isFull || revision - this.#baseRevision > this.#offsetMax) this.#rebuild(revision);
    this.#entries[entryLength * this.#end] = place;
    this.#entries[entryLength * this.#end + 1] = revision - this.#baseRevision;
    this.#end += 1;
  }

  /** Removes the oldest; it must not be the only one. */
  dropFirst(): void {
    this.#start += 1;
    if (this.#start * 2 > this.#end) this.#rebuild(this.#revisionOf(this.#end - 1));
  }

  /** The oldest has moved. */
  moveFirst(place: number): void {
    this.#entries[entryLength * this.#start] = place;
  }

  /** The place of the newest version that was written at `revision` or before. */
  findAt(revision: number): number | undefined {
    const offset = revision - this.#baseRevision;
    const entries = this.#entries;
    let low = this.#start;
    let high = this.#end;
    let probe = this.#guess(offset);
    for (let step = stepInitial; low <= probe && probe < high; step *= 2) {
      if (entries[entryLength * probe + 1]! <= offset) {
        low = probe + 1;
        probe += step;
      } else {
        high = probe;
        probe -= step;
      }
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[entryLength * middle + 1]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low === this.#start ? undefined : this.#placeOf(low - 1);
  }

  /** The entry that would be of a revision if versions were written evenly; anything where there is none. */
  #guess(offset: number): number {
    const last = this.#end - 1;
    const first = this.#entries[entryLength * this.#start + 1]!;
    const span = this.#entries[entryLength * last + 1]! - first;
    return this.#start + Math.floor(((offset - first) / span) * (last - this.#start));
  }

  #placeOf(entry: number): number {
    return this.#entries[entryLength * entry]!;
  }

  #revisionOf(entry: number): number {
    return this.#baseRevision + this.#entries[entryLength * entry + 1]!;
  }

  /** Moves all to new memory with room for half as many more, of revisions up to `revision`. */
  #rebuild(revision: number): void {
    const count = this.length;
    const base = this.#revisionOf(this.#start);
    const isShort = revision - base <= offsetMax;
    const numbers = entryLength * (count + (count >>> 1) + 1);
    const entries = isShort ? new Uint32Array(numbers) : new Float64Array(numbers);
    for (let index = 0; index < count; index++) {
      entries[entryLength * index] = this.#placeOf(this.#start + index);
      entries[entryLength * index + 1] = this.#revisionOf(this.#start + index) - base;
    }
    this.#entries = entries;
    this.#baseRevision = base;
    this.#offsetMax = isShort ? offsetMax : Number.POSITIVE_INFINITY;
    this.#start = 0;
    this.#end = count;
  }
}
