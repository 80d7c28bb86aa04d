/** How long somebody has to wait before the next try, after too many that failed: for each of many names, within a bound. */

export interface BackoffOptions {
  /** Failures without a wait; each one after them doubles it. 0: nobody has ever to wait. */
  readonly failuresFree: number;
  readonly waitMinMs: number;
  readonly waitMaxMs: number;
  /** Without a failure for this long, all are forgotten. */
  readonly forgottenAfterMs: number;
  /** Names remembered; beyond it the one is forgotten of which nothing was heard the longest. */
  readonly namesMax: number;
}

interface Record {
  failures: number;
  lastMs: number;
  waitsUntilMs: number;
}

export class Backoffs {
  readonly #options: BackoffOptions;
  /** The one of which nothing was heard the longest comes first. */
  readonly #records = new Map<string, Record>();

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#records.size;
  }

  knows(name: string): boolean {
    return this.#records.has(name);
  }

  /** Whether `name` has to wait at `nowMs`. */
  waits(name: string, nowMs: number): boolean {
    const record = this.#records.get(name);
    return record !== undefined && nowMs < record.waitsUntilMs;
  }

  /** Whether `name` has failed, and that is not forgotten. */
  hasFailed(name: string, nowMs: number): boolean {
    return this.#failures(name, nowMs) > 0;
  }

  failed(name: string, nowMs: number): void {
    const { failuresFree, waitMinMs, waitMaxMs } = this.#options;
    const failures = this.#failures(name, nowMs) + 1;
    const excess = failures - failuresFree;
    const waitMs =
      failuresFree === 0 || excess <= 0 ? 0 : Math.min(waitMaxMs, waitMinMs * 2 ** Math.min(excess - 1, 50));
    this.#remember(name, { failures, lastMs: nowMs, waitsUntilMs: nowMs + waitMs });
  }

  /** Remembers `name` as one without failures. */
  welcome(name: string, nowMs: number): void {
    this.#remember(name, { failures: 0, lastMs: nowMs, waitsUntilMs: nowMs });
  }

  /**
   * The wait begins at its least again with the next failure. It is not cut short, and nothing is free of it: else each
   * success of one would give others tries.
   */
  ease(name: string): void {
    const record = this.#records.get(name);
    if (record !== undefined) record.failures = Math.min(record.failures, this.#options.failuresFree);
  }

  forget(name: string): void {
    this.#records.delete(name);
  }

  #failures(name: string, nowMs: number): number {
    const record = this.#records.get(name);
    return record === undefined || nowMs - record.lastMs > this.#options.forgottenAfterMs ? 0 : record.failures;
  }

  #remember(name: string, record: Record): void {
    this.#records.delete(name);
    this.#records.set(name, record);
    if (this.#records.size <= this.#options.namesMax) return;
    const oldest = this.#records.keys().next();
    if (oldest.done !== true) this.#records.delete(oldest.value);
  }
}
