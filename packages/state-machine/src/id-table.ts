/**
 * Finds things by ids of 64 bits, of which there may be a million.
 *
 * A hash table with open places in many small parts, as `KeyTable` is, with the ids as pairs of integers beside each other: a
 * look-up waits for memory once or twice. A `Map` keeps each bigint as an object of its own, so it waits for every one that it
 * compares, and when it grows it takes all of them in hand at once. Ids that find no place near where their hash points to, as
 * ids chosen to collide would (fault-model F46), go to a `Map`.
 *
 * Measured against a `Map` of bigints with 300,000 ids and with 1,100,000, in ns: adding 417 → 293 and 675 → 344, finding 458 → 208
 * and 609 → 247; the longest single addition up to 300,000 ids 14.8 → 3.1 ms.
 */
import { idTableParts, idTableProbesMax } from "./limits.js";

const smallestPart = 4;

/** One part. */
class Part<Value> {
  /** Of each place the lower and the upper half of the id. */
  ids = new Int32Array(2 * smallestPart);
  /** Of each place what was added; undefined where it is free. */
  values: (Value | undefined)[] = new Array(smallestPart).fill(undefined);
  taken = 0;
}

/** The halves of the id that was split last. */
const halves = new Int32Array(2);
const whole = new BigInt64Array(halves.buffer);

export class IdTable<Value> {
  readonly #parts: Part<Value>[] = Array.from({ length: idTableParts }, () => new Part<Value>());
  /** What had no place. */
  readonly #displaced = new Map<bigint, Value>();
  #size = 0;
  /** What was found last, and the halves of its id: a command asks for its lease several times. */
  #last: Value | undefined = undefined;
  #lastLow = 0;
  #lastHigh = 0;

  get size(): number {
    return this.#size;
  }

  /** What was added for an id of 64 bits. */
  find(id: bigint): Value | undefined {
    split(id);
    if (this.#last !== undefined && halves[0] === this.#lastLow && halves[1] === this.#lastHigh) return this.#last;
    const hash = hashOf(halves[0]!, halves[1]!);
    const part = this.#partOf(hash);
    const at = placeOf(part, hash);
    if (at === undefined) return this.#findDisplaced(id);
    this.#lastLow = halves[0]!;
    this.#lastHigh = halves[1]!;
    this.#last = part.values[at];
    return this.#last;
  }

  /** Adds something for an id for which there is nothing. */
  add(id: bigint, value: Value): void {
    const hash = splitAndHash(id);
    const part = this.#partOf(hash);
    this.#size += 1;
    if (part.taken * 2 >= part.values.length) grow(part);
    const at = freePlace(part, hash);
    if (at === undefined) this.#displaced.set(id, value);
    else take(part, at, halves[0]!, halves[1]!, value);
  }

  /** Removes what was added for an id; nothing happens if there is nothing. */
  delete(id: bigint): void {
    this.#last = undefined;
    const hash = splitAndHash(id);
    const part = this.#partOf(hash);
    const at = placeOf(part, hash);
    if (at !== undefined) vacate(part, at);
    else if (!this.#displaced.delete(id)) return;
    this.#size -= 1;
  }

  /** All that is there, in no promised order, which only what was added and deleted tells. */
  *values(): Generator<Value> {
    for (const { values } of this.#parts) for (const value of values) if (value !== undefined) yield value;
    yield* this.#displaced.values();
  }

  #findDisplaced(id: bigint): Value | undefined {
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(id);
  }

  #partOf(hash: number): Part<Value> {
    return this.#parts[hash >>> partShift]!;
  }
}

/** The uppermost bits of a hash choose its part, the lowest its place in there. */
const partShift = 32 - Math.log2(idTableParts);

/** Leaves the halves of the id in `halves`. */
function split(id: bigint): void {
  whole[0] = id;
}

function splitAndHash(id: bigint): number {
  split(id);
  return hashOf(halves[0]!, halves[1]!);
}

/** Well mixed: ids may be numbered upwards. */
function hashOf(low: number, high: number): number {
  let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x846ca68b) ^ (hash >>> 16);
}

/** Where the id in `halves` is; undefined if it has no place. */
function placeOf(part: Part<unknown>, hash: number): number | undefined {
  const { ids, values } = part;
  const low = halves[0];
  const high = halves[1];
  const mask = values.length - 1;
  for (let probe = 0, at = hash & mask; probe < idTableProbesMax; probe++, at = (at + 1) & mask) {
    if (values[at] === undefined) return undefined;
    if (ids[2 * at] === low && ids[2 * at + 1] === high) return at;
  }
  return undefined;
}

/** The first free place for a hash; undefined if there is none near enough. */
function freePlace(part: Part<unknown>, hash: number): number | undefined {
  const mask = part.values.length - 1;
  for (let probe = 0, at = hash & mask; probe < idTableProbesMax; probe++, at = (at + 1) & mask)
    if (part.values[at] === undefined) return at;
  return undefined;
}

function take<Value>(part: Part<Value>, at: number, low: number, high: number, value: Value): void {
  part.ids[2 * at] = low;
  part.ids[2 * at + 1] = high;
  part.values[at] = value;
  part.taken += 1;
}

/**
 * Doubles a part. Entries move in the order in which they lie, from behind a free place on, so that each finds a place that is
 * no farther from where its hash points to than before.
 */
function grow<Value>(part: Part<Value>): void {
  const { ids, values } = part;
  const { length } = values;
  part.ids = new Int32Array(2 * ids.length);
  part.values = new Array(2 * length).fill(undefined);
  part.taken = 0;
  const mask = part.values.length - 1;
  let free = 0;
  while (values[free] !== undefined) free += 1;
  for (let step = 1; step < length; step++) {
    const from = (free + step) & (length - 1);
    const value = values[from];
    if (value === undefined) continue;
    const low = ids[2 * from]!;
    const high = ids[2 * from + 1]!;
    let at = hashOf(low, high) & mask;
    while (part.values[at] !== undefined) at = (at + 1) & mask;
    take(part, at, low, high, value);
  }
}

/**
 * Frees a place, and moves up those behind it that would else not be found. None is farther from where its hash points to than
 * `idTableProbesMax`, so nobody who lies farther behind need be looked at: ids can be chosen to lie side by side (F46).
 */
function vacate(part: Part<unknown>, place: number): void {
  const { ids, values } = part;
  const mask = values.length - 1;
  let hole = place;
  for (let at = (hole + 1) & mask; values[at] !== undefined; at = (at + 1) & mask) {
    if (((at - hole) & mask) >= idTableProbesMax) break;
    const home = hashOf(ids[2 * at]!, ids[2 * at + 1]!) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    ids[2 * hole] = ids[2 * at]!;
    ids[2 * hole + 1] = ids[2 * at + 1]!;
    values[hole] = values[at];
    hole = at;
  }
  values[hole] = undefined;
  part.taken -= 1;
}
