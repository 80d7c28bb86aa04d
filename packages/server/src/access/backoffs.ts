/** How long somebody has to wait before the next try, after too many that failed: for each of many names, within a bound. */

export interface BackoffOptions {
  /** Failures without a wait; each one after them doubles it. */
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

  failed(name: string, nowMs: number): void {
    const { failuresFree, waitMinMs, waitMaxMs, forgottenAfterMs } = this.#options;
    const known = this.#records.get(name);
    const isForgotten = known === undefined || nowMs - known.lastMs > forgottenAfterMs;
    const failures = isForgotten ? 1 : known.failures + 1;
    const excess = failures - failuresFree;
    const waitMs = excess <= 0 ? 0 : Math.min(waitMaxMs, waitMinMs * 2 ** Math.min(excess - 1, 50));
    this.#remember(name, { failures, lastMs: nowMs, waitsUntilMs: nowMs + waitMs });
  }

  /** Remembers `name` as one without failures. */
  welcome(name: string, nowMs: number): void {
    this.#remember(name, { failures: 0, lastMs: nowMs, waitsUntilMs: nowMs });
  }

  #remember(name: string, record: Record): void {
    this.#records.delete(name);
    this.#records.set(name, record);
    if (this.#records.size <= this.#options.namesMax) return;
    const oldest = this.#records.keys().next();
    if (oldest.done !== true) this.#records.delete(oldest.value);
  }
}
