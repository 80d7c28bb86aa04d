/** A transport clock that moves only when a test says so. */
import type { Clock, Timer } from "@holdfast/transport";

interface Waiting {
  readonly dueMs: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 1_000;
  readonly #waiting = new Set<Waiting>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry: Waiting = { dueMs: this.#nowMs + delayMs, callback };
    this.#waiting.add(entry);
    return { cancel: () => this.#waiting.delete(entry) };
  }

  /** Timers that wait. */
  get timerCount(): number {
    return this.#waiting.size;
  }

  /** Moves on by `ms` and runs every timer that comes due on the way, in order, at its own time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#waiting.delete(next);
      this.#nowMs = next.dueMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }

  #nextDue(untilMs: number): Waiting | undefined {
    const due = [...this.#waiting].filter((entry) => entry.dueMs <= untilMs);
    return due.sort((one, other) => one.dueMs - other.dueMs)[0];
  }
}
