/** Time and chance by hand, for tests: nothing happens until the test says so. */
import type { Environment } from "../environment.js";

interface Repeating {
  readonly intervalMs: number;
  readonly tick: () => void;
  nextMs: number;
}

export class ManualEnvironment implements Environment {
  #nowMs = 0;
  #nextId = 1n;
  readonly #deferred: Array<() => void> = [];
  readonly #repeating = new Set<Repeating>();

  nowMs(): number {
    return this.#nowMs;
  }

  every(intervalMs: number, tick: () => void): () => void {
    const entry = { intervalMs, tick, nextMs: this.#nowMs + intervalMs };
    this.#repeating.add(entry);
    return () => this.#repeating.delete(entry);
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  randomId(): bigint {
    return this.#nextId++;
  }

  /** Runs deferred tasks, and those they defer, until none is left. */
  runDeferred(): void {
    for (let task = this.#deferred.shift(); task !== undefined; task = this.#deferred.shift()) task();
  }

  /** Moves time on as a responsive event loop does: every tick comes in time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#repeating].sort((a, b) => a.nextMs - b.nextMs)[0];
      if (next === undefined || next.nextMs > untilMs) break;
      this.#nowMs = next.nextMs;
      next.nextMs += next.intervalMs;
      next.tick();
      this.runDeferred();
    }
    this.#nowMs = untilMs;
  }

  /** Moves time on as a stalled event loop sees it: afterwards each timer fires once, late. */
  stall(ms: number): void {
    this.#nowMs += ms;
    for (const entry of this.#repeating) {
      entry.nextMs = this.#nowMs + entry.intervalMs;
      entry.tick();
    }
  }
}
