/**
 * How often values fell where: plain numbers, changed in place, for places where a metrics library would cost too much.
 * Turning them into an exposition format is left to whoever reads them.
 */

export class Histogram {
  /** Upper bounds of the buckets, inclusive, rising. What is above the last falls into none of them. */
  readonly bounds: readonly number[];
  /** How many values fell into each bucket and not into the one before; one more than `bounds`, for what is above. */
  readonly #counts: Float64Array;
  #sum = 0;

  /** Throws `RangeError` if `bounds` do not rise. */
  constructor(bounds: readonly number[]) {
    if (bounds.some((bound, at) => at > 0 && !(bound > (bounds[at - 1] as number)))) {
      throw new RangeError("bounds of a histogram must rise");
    }
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** The sum of all values. */
  get sum(): number {
    return this.#sum;
  }

  /** How many values there were. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  observe(value: number): void {
    const { bounds } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  /** For each bound, how many values were at most that large. */
  cumulative(): number[] {
    let sum = 0;
    return this.bounds.map((_bound, at) => {
      sum += this.#counts[at] as number;
      return sum;
    });
  }
}

/** `count` bounds from `first` on, each `factor` times the one before. */
export function risingBounds(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first * factor ** at);
}
