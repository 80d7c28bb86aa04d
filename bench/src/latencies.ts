/** How long operations took, counted in steps of ten microseconds: any number of them in the same memory. */

const stepsPerMs = 100;
const longestMs = 20_000;

/** Collects durations and tells percentiles of them. */
export class Latencies {
  readonly #counts = new Uint32Array(longestMs * stepsPerMs + 1);
  #total = 0;

  /** Counts `times` operations that took `ms`; what took more than 20 s counts as 20 s. */
  add(ms: number, times = 1): void {
    const step = Math.min(longestMs * stepsPerMs, Math.max(0, Math.ceil(ms * stepsPerMs)));
    this.#counts[step] = (this.#counts[step] ?? 0) + times;
    this.#total += times;
  }

  get total(): number {
    return this.#total;
  }

  /** The shortest time that at least `share` of the operations did not exceed, in milliseconds. NaN for none. */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#total * share));
    let seen = 0;
    for (let step = 0; step < this.#counts.length; step += 1) {
      seen += this.#counts[step] ?? 0;
      if (seen >= wanted) return step / stepsPerMs;
    }
    return Number.NaN;
  }

  /** As the fields of a sample. */
  percentiles(): { p50Ms: number; p99Ms: number; p999Ms: number } {
    return { p50Ms: this.percentileMs(0.5), p99Ms: this.percentileMs(0.99), p999Ms: this.percentileMs(0.999) };
  }
}
