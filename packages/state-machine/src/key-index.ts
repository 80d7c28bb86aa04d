/**
 * All known keys in byte order, by their numbers: a list of sorted chunks, each knowing how many of its keys are alive, so
 * that the live keys of an interval are counted without looking at them.
 *
 * Deleted keys stay in here until compaction forgets them, because older revisions still show them.
 */
import type { ByteString } from "@holdfast/protocol";
import { IndexChunk, type IndexedKeys } from "./index-chunk.js";
import { indexChunkKeysJoined, indexChunkKeysMax } from "./limits.js";

/** So many neighbours of a key are looked at, on each side, to find a living one. */
const neighboursMax = 8;

/** The places of so many keys are remembered; a power of two. */
const remembered = 4_096;

/** A remembered place is the number of a chunk, and behind it the position in there. */
const chunkShift = Math.log2(indexChunkKeysMax);
const positionMask = indexChunkKeysMax - 1;

/** Called with the number of each key; returning false ends the walk. The index must not be changed meanwhile. */
export type KeyVisitor = (number: number) => unknown;

export class KeyIndex {
  readonly #keys: IndexedKeys;
  /** In key order; none of them is empty. */
  #chunks: IndexChunk[] = [];
  /** The place of the chunk that `#chunkHolding` found last. */
  #lastHolding = 0;
  /**
   * Places of keys, where the lowest bits of their numbers point to. The same keys of locks come and go, mostly without others that
   * would move them; whether a key is still where it was is told by its number, without a look at any key.
   */
  readonly #places = new Int32Array(remembered);

  constructor(keys: IndexedKeys) {
    this.#keys = keys;
  }

  /** Adds a key that is not in the index yet, with its number. */
  insert(key: ByteString, number: number): void {
    if (this.#chunks.length === 0) this.#chunks.push(new IndexChunk(key, this.#keys));
    const last = this.#chunks[this.#chunks.length - 1]!;
    // Keys often come in ascending order, which needs no search.
    const chunkIndex = last.lowest <= key ? this.#chunks.length - 1 : this.#chunkOf(key);
    const chunk = this.#chunks[chunkIndex]!;
    if (chunk.length < indexChunkKeysMax) chunk.insert(key, number);
    else this.#makeRoom(chunkIndex, key).insert(key, number);
  }

  /** Removes a key that is in the index and not alive. */
  remove(key: ByteString): void {
    const chunkIndex = this.#chunkOf(key);
    const chunk = this.#chunks[chunkIndex]!;
    chunk.remove(chunk.positionOf(key));
    if (chunk.length === 0) this.#chunks.splice(chunkIndex, 1);
    else if (chunk.length <= indexChunkKeysJoined / 2) this.#joinSmall(chunkIndex);
  }

  /** Tells that a key in the index, which has this number, came to life (1) or died (-1). */
  changeLive(key: ByteString, number: number, difference: 1 | -1): void {
    (this.#chunkRemembered(number) ?? this.#chunkHolding(key)).changeLive(difference);
  }

  /** Tells that all live keys from `from` to below `to` (undefined: without end) died. Returns their numbers, in order. */
  endLives(from: ByteString, to: ByteString | undefined): number[] {
    const ended: number[] = [];
    this.#walk(from, to, true, (number, chunk) => {
      ended.push(number);
      chunk.changeLive(-1);
    });
    return ended;
  }

  /** How many keys from `from` to below `to` (undefined: without end) are alive. */
  countLive(from: ByteString, to: ByteString | undefined): number {
    return this.#sum(from, to, true);
  }

  /**
   * Whether another living key than `key`, which has this number, begins with its first `length` characters; undefined if too many
   * dead ones are beside it to tell that at once.
   */
  hasLiveLike(key: ByteString, number: number, length: number): boolean | undefined {
    if (this.#chunkRemembered(number) === undefined) this.#remember(key, number);
    const place = this.#places[number & (remembered - 1)]!;
    const chunkIndex = place >>> chunkShift;
    const position = place & positionMask;
    const before = this.#neighbourLike(chunkIndex, position, -1, key, length);
    return before === false ? this.#neighbourLike(chunkIndex, position, 1, key, length) : before;
  }

  /** How many keys from `from` to below `to` (undefined: without end) are known, alive or not. */
  countKnown(from: ByteString, to: ByteString | undefined): number {
    return this.#sum(from, to, false);
  }

  /** Calls `visit` for every known key from `from` to below `to` (undefined: without end), in order. */
  visit(from: ByteString, to: ByteString | undefined, visit: KeyVisitor): void {
    this.#walk(from, to, false, visit);
  }

  /** As `visit`, for live keys only. */
  visitLive(from: ByteString, to: ByteString | undefined, visit: KeyVisitor): void {
    this.#walk(from, to, true, visit);
  }

  /** The chunks in order; for checks of consistency. */
  get chunks(): readonly IndexChunk[] {
    return this.#chunks;
  }

  #walk(
    from: ByteString,
    to: ByteString | undefined,
    liveOnly: boolean,
    visit: (number: number, chunk: IndexChunk) => unknown,
  ): void {
    if (this.#chunks.length === 0) return;
    const keys = this.#keys;
    let chunkIndex = this.#chunkOf(from);
    let position = this.#chunks[chunkIndex]!.positionOf(from);
    for (; chunkIndex < this.#chunks.length; chunkIndex++, position = 0) {
      const chunk = this.#chunks[chunkIndex]!;
      if (to !== undefined && keys.compareKey(chunk.at(0), to) >= 0) return;
      if (liveOnly && chunk.liveCount === 0) continue;
      const looksForDead = liveOnly && chunk.liveCount < chunk.length;
      const end = to === undefined ? chunk.length : chunk.endBelow(to);
      for (; position < end; position++) {
        const number = chunk.at(position);
        if (looksForDead && !keys.isLive(number)) continue;
        if (visit(number, chunk) === false) return;
      }
    }
  }

  /** As `hasLiveLike`, for the neighbours on one side of a place. */
  #neighbourLike(from: number, at: number, step: 1 | -1, key: ByteString, length: number): boolean | undefined {
    let chunkIndex = from;
    let position = at;
    for (let looks = 0; looks < neighboursMax; looks++) {
      position += step;
      if (position < 0 || position === this.#chunks[chunkIndex]!.length) {
        chunkIndex += step;
        const next = this.#chunks[chunkIndex];
        if (next === undefined) return false;
        position = step === 1 ? 0 : next.length - 1;
      }
      const chunk = this.#chunks[chunkIndex]!;
      if (!chunk.beginsLike(position, key, length)) return false;
      if (this.#keys.isLive(chunk.at(position))) return true;
    }
    return undefined;
  }

  #sum(from: ByteString, to: ByteString | undefined, liveOnly: boolean): number {
    if (this.#chunks.length === 0 || (to !== undefined && to <= from)) return 0;
    const first = this.#chunkOf(from);
    const last = to === undefined ? this.#chunks.length - 1 : this.#chunkOf(to);
    let sum = 0;
    for (let chunkIndex = first; chunkIndex <= last; chunkIndex++) {
      const chunk = this.#chunks[chunkIndex]!;
      const start = chunkIndex === first ? chunk.positionOf(from) : 0;
      const end = chunkIndex === last && to !== undefined ? chunk.endBelow(to) : chunk.length;
      sum += liveOnly ? chunk.countLive(start, end) : end - start;
    }
    return sum;
  }

  /** The chunk in which a key is, if its place is remembered. */
  #chunkRemembered(number: number): IndexChunk | undefined {
    const place = this.#places[number & (remembered - 1)]!;
    const chunk = this.#chunks[place >>> chunkShift];
    return chunk?.isAt(place & positionMask, number) === true ? chunk : undefined;
  }

  #remember(key: ByteString, number: number): void {
    const position = this.#chunkHolding(key).positionOf(key);
    this.#places[number & (remembered - 1)] = (this.#lastHolding << chunkShift) | position;
  }

  /** The chunk of a known key. Those asked for one after the other are often neighbours, as the keys of a lease are. */
  #chunkHolding(key: ByteString): IndexChunk {
    const chunks = this.#chunks;
    const last = chunks[this.#lastHolding];
    const next = chunks[this.#lastHolding + 1];
    if (last !== undefined && last.lowest <= key && (next === undefined || key < next.lowest)) return last;
    this.#lastHolding = this.#chunkOf(key);
    return chunks[this.#lastHolding]!;
  }

  /** The chunk in which `key` is or would be: the last one that does not begin behind it. */
  #chunkOf(key: ByteString): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (chunks[middle]!.lowest <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Divides a full chunk; returns the one to which `key` belongs now. */
  #makeRoom(chunkIndex: number, key: ByteString): IndexChunk {
    const chunk = this.#chunks[chunkIndex]!;
    const position = chunk.positionOf(key);
    // Halving would leave all chunks half empty when keys arrive in ascending order.
    if (position === chunk.length && chunkIndex === this.#chunks.length - 1) {
      const next = new IndexChunk(key, this.#keys);
      this.#chunks.push(next);
      return next;
    }
    const half = chunk.length >>> 1;
    const right = chunk.splitAt(half);
    this.#chunks.splice(chunkIndex + 1, 0, right);
    return position <= half ? chunk : right;
  }

  #joinSmall(chunkIndex: number): void {
    const left = chunkIndex === 0 ? 0 : chunkIndex - 1;
    const chunk = this.#chunks[left]!;
    const next = this.#chunks[left + 1];
    if (next === undefined || chunk.length + next.length > indexChunkKeysJoined) return;
    chunk.append(next);
    this.#chunks.splice(left + 1, 1);
  }
}
