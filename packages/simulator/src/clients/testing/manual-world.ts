/** A world with nobody else in it, whose time moves only when a test says so. */
import type { Clock, Timer, TransportSocket } from "@holdfast/transport";
import type { Moment } from "../../history/moment.js";
import { SeededRandom } from "../../world/random.js";
import type { Party, World } from "../../world/world.js";

interface Waiting {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Stands still until `advance`. */
class ManualClock implements Clock {
  #nowMs = 0;
  readonly #waiting = new Set<Waiting>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const waiting = { dueMs: this.#nowMs + delayMs, callback };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** Runs what comes due on the way at its own time, earliest first. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#waiting].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = untilMs;
  }

  /** Time passes, and nothing runs: everybody was asleep. */
  oversleep(ms: number): void {
    this.#nowMs += ms;
  }
}

export class ManualWorld implements World {
  readonly clock = new ManualClock();
  readonly notes: string[] = [];
  readonly marks: string[] = [];
  #order = 0;

  get nowMs(): number {
    return this.clock.nowMs();
  }

  moment(): Moment {
    this.#order++;
    return { ms: this.nowMs, order: this.#order };
  }

  random(concern: string): SeededRandom {
    return new SeededRandom(1).fork(concern);
  }

  party(name: string): Party {
    return new ManualParty(name, this.clock);
  }

  note(line: string): void {
    this.notes.push(line);
  }

  mark(name: string): void {
    this.marks.push(name);
  }
}

/** Connects to nobody. */
class ManualParty implements Party {
  readonly name: string;
  readonly clock: ManualClock;
  alive = true;
  readonly #listeners: (() => void)[] = [];

  constructor(name: string, clock: ManualClock) {
    this.name = name;
    this.clock = clock;
  }

  random(concern: string): SeededRandom {
    return new SeededRandom(1).fork(concern);
  }

  connect(): Promise<TransportSocket> {
    return new Promise(() => {});
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }

  onKilled(listener: () => void): void {
    this.#listeners.push(listener);
  }

  pause(ms: number): void {
    this.clock.oversleep(ms);
  }

  kill(): void {
    this.alive = false;
    for (const listener of this.#listeners) listener();
  }
}
