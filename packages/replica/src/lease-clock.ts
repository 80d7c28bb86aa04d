/**
 * The only clock that lease expiry may look at (fault-model I6).
 *
 * It never runs faster than the monotonic clock it is built on, and between two ticks it advances
 * by at most two tick intervals: however long the event loop was stalled, the stall counts as almost
 * no time. A tick that comes late says so, and its owner must then end no lease: the keepalives
 * that arrived during the stall have not been read yet (F13).
 */

export class LeaseClock {
  readonly #nowMs: () => number;
  readonly #advanceMaxMs: number;
  #lastTickMs: number;
  #baseMs = 0;

  /** `nowMs` is a monotonic clock; `tickMs` the interval at which `tick` will be called. */
  constructor(nowMs: () => number, tickMs: number) {
    this.#nowMs = nowMs;
    this.#advanceMaxMs = 2 * tickMs;
    this.#lastTickMs = nowMs();
  }

  /** Milliseconds of lease time since the clock was made. Never falls. */
  read(): number {
    return this.#baseMs + this.#sinceTick();
  }

  /** Advances the clock. True if the tick came on time, so that leases may be ended now. */
  tick(): boolean {
    const nowMs = this.#nowMs();
    const onTime = nowMs - this.#lastTickMs <= this.#advanceMaxMs;
    this.#baseMs += this.#sinceTick(nowMs);
    this.#lastTickMs = nowMs;
    return onTime;
  }

  #sinceTick(nowMs = this.#nowMs()): number {
    return Math.min(Math.max(nowMs - this.#lastTickMs, 0), this.#advanceMaxMs);
  }
}
