/**
 * Bounds how many of the log's own disk calls are in Node.js' pool of threads at once, so that there is room for the sync of
 * an append (fault model F8). Two: the next segment is made while a snapshot is written, and neither must wait for the
 * other, since appends may come to wait for the segment. What comes besides is short: a handle, or the note of
 * the durable index, which may have to wait for the file system's journal, ten times a second at most.
 */

/** Calls at once, besides the sync of an append. */
export const BACKGROUND_CALLS_MAX = 2;

export class BackgroundCalls {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Makes `call` as soon as it may run, in the order in which they came. `call` must not use `run` itself. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#running < BACKGROUND_CALLS_MAX) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      this.#leave();
    }
  }

  /** Who waits longest takes over the place. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
