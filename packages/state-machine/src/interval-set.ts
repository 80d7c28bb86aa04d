/**
 * A set of keys made of intervals: what a transaction deletes (TXN-10), what a user may read or write (AUTH-16).
 */
import type { ByteString } from "@holdfast/protocol";

/** All keys from `from` to below `to`. */
export interface Interval {
  readonly from: ByteString;
  readonly to: ByteString;
}

/** Immutable. */
export class IntervalSet {
  static readonly empty: IntervalSet = new IntervalSet([]);

  /** In ascending order, none empty, with gaps in between. */
  readonly #intervals: readonly Interval[];

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals;
  }

  /** The keys in any of `intervals`; an interval that ends where or before it begins holds none. */
  static of(intervals: readonly Interval[]): IntervalSet {
    const sorted = intervals.filter(({ from, to }) => from < to);
    sorted.sort((left, right) => (left.from < right.from ? -1 : left.from > right.from ? 1 : 0));
    return new IntervalSet(joined(sorted));
  }

  get isEmpty(): boolean {
    return this.#intervals.length === 0;
  }

  /** The keys in either set. Takes time for the intervals of both, once, however they lie. */
  union(other: IntervalSet): IntervalSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    return new IntervalSet(joined(merged(this.#intervals, other.#intervals)));
  }

  has(key: ByteString): boolean {
    return this.#holding(key) !== undefined;
  }

  /** Whether all keys from `from` to below `to` are in the set; if there are none in between, whether `from` is. */
  covers(from: ByteString, to: ByteString): boolean {
    const interval = this.#holding(from);
    return interval !== undefined && interval.to >= to;
  }

  /** The interval that `key` is in. */
  #holding(key: ByteString): Interval | undefined {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#intervals[middle]!.to <= key) low = middle + 1;
      else high = middle;
    }
    const found = this.#intervals[low];
    return found !== undefined && found.from <= key ? found : undefined;
  }
}

/** Both lists in one, still ascending. */
function merged(left: readonly Interval[], right: readonly Interval[]): Interval[] {
  const all: Interval[] = [];
  let rightIndex = 0;
  for (const interval of left) {
    while (rightIndex < right.length && right[rightIndex]!.from < interval.from) all.push(right[rightIndex++]!);
    all.push(interval);
  }
  while (rightIndex < right.length) all.push(right[rightIndex++]!);
  return all;
}

/** Ascending intervals, with those that touch or overlap made one. */
function joined(ascending: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const interval of ascending) {
    const last = result[result.length - 1];
    if (last === undefined || last.to < interval.from) result.push(interval);
    else if (last.to < interval.to) result[result.length - 1] = { from: last.from, to: interval.to };
  }
  return result;
}
