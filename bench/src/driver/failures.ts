/**
 * Ends what a load waits for when a connection fails or an answer is wrong: callbacks report, promises that wait reject.
 */

export class Failures {
  #first: Error | undefined;
  readonly #waiting = new Set<(error: Error) => void>();

  /** To be given to connections and called by checks. The first one counts. */
  readonly report = (error: Error): void => {
    this.#first ??= error;
    for (const reject of this.#waiting) reject(this.#first);
    this.#waiting.clear();
  };

  /** As `work`, but rejects at once when something has failed or fails meanwhile. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    const { promise: failed, reject } = withReject();
    if (this.#first !== undefined) reject(this.#first);
    this.#waiting.add(reject);
    try {
      return await Promise.race([work, failed]);
    } finally {
      this.#waiting.delete(reject);
    }
  }
}

function withReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_, rejectIt) => {
    reject = rejectIt;
  });
  // Whoever waits hears of it through the race.
  promise.catch(() => {});
  return { promise, reject };
}
