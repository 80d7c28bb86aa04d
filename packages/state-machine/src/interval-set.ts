/**
 * A set of keys made of intervals, for finding out whether a transaction puts what it deletes (TXN-10).
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
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#intervals[middle]!.to <= key) low = middle + 1;
      else high = middle;
    }
    return low < this.#intervals.length && this.#intervals[low]!.from <= key;
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
