/** Time by hand for the services: deadlines and ticks come when the test says so, everything else goes on as always. */
import { systemClock } from "@holdfast/transport";
import { type Secrets, systemSecrets } from "../access/secrets.js";
import type { ServerEnvironment } from "../environment.js";

interface Repeating {
  readonly intervalMs: number;
  readonly tick: () => void;
  nextMs: number;
}

export class ManualTime implements ServerEnvironment {
  readonly clock = systemClock;
  readonly secrets: Secrets = systemSecrets;
  #nowMs = 0;
  #nextId = 1n;
  readonly #repeating = new Set<Repeating>();

  nowMs(): number {
    return this.#nowMs;
  }

  every(intervalMs: number, tick: () => void): () => void {
    const entry = { intervalMs, tick, nextMs: this.#nowMs + intervalMs };
    this.#repeating.add(entry);
    return () => this.#repeating.delete(entry);
  }

  /** Repeating ticks that are running. */
  get ticking(): number {
    return this.#repeating.size;
  }

  defer(task: () => void): void {
    setImmediate(task);
  }

  randomId(): bigint {
    return this.#nextId++;
  }

  jitter(intervalMs: number): number {
    return intervalMs;
  }

  /** Moves time on as a responsive event loop does: every tick comes in time, and no socket is read meanwhile. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      let next: Repeating | undefined;
      for (const entry of this.#repeating) if (next === undefined || entry.nextMs < next.nextMs) next = entry;
      if (next === undefined || next.nextMs > untilMs) break;
      this.#nowMs = next.nextMs;
      next.nextMs += next.intervalMs;
      next.tick();
    }
    this.#nowMs = untilMs;
  }
}
