/**
 * The transport's only source of time. Production hands in `systemClock`; tests and the simulator hand in
 * their own, so that every limit measured in time can be reached without waiting.
 */

/** A callback that has not run yet. */
export interface Timer {
  /** Keeps the callback from running. Harmless after it ran. */
  cancel(): void;
}

/** A monotonic clock with timers. */
export interface Clock {
  /** Whole milliseconds since an arbitrary point; never goes back. */
  nowMs(): number;
  /** Runs `callback` once, `delayMs` or more from now. A waiting timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
}

/** Node turns longer delays into 1 ms. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

class SystemClock implements Clock {
  nowMs(): number {
    // Whole numbers stay small integers in V8, so storing a time on a stream allocates nothing.
    return Math.trunc(performance.now());
  }

  after(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, Math.min(delayMs, TIMER_DELAY_MS_MAX));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  }
}

/** The clock of the machine. */
export const systemClock: Clock = new SystemClock();
