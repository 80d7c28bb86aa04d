/**
 * Callers that wait for a proof of ownership. A put that starts after they began to wait is that
 * proof, once it is stored; one put serves all who waited when it started.
 */

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Barriers {
  #waiting: Waiter[] = [];
  #aboard: Waiter[] = [];

  /** Whether somebody waits for whom no put has started yet. */
  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  wait(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** A put starts: it will decide for everybody who waits now. */
  board(): void {
    if (this.#waiting.length === 0) return;
    this.#aboard = this.#waiting;
    this.#waiting = [];
  }

  /** The put was stored, or `error` says why it was not. */
  land(error: Error | undefined): void {
    if (this.#aboard.length === 0) return;
    const aboard = this.#aboard;
    this.#aboard = [];
    for (const waiter of aboard) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
    }
  }

  /** No put will start any more. */
  drop(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.reject(error);
  }
}
