/** One coarse timer for all connections of a server or client, running only while there are any. */
import type { Clock, Timer } from "./environment.js";

/** Something whose time limits must be looked at. */
export interface Swept {
  sweep(nowMs: number): void;
}

export class Sweeper<Item extends Swept> {
  /** In the order of arrival. */
  readonly items = new Set<Item>();
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #timer: Timer | undefined = undefined;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  add(item: Item): void {
    this.items.add(item);
    this.#timer ??= this.#clock.after(this.#intervalMs, this.#run);
  }

  delete(item: Item): void {
    this.items.delete(item);
    if (this.items.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #run = (): void => {
    this.#timer = this.#clock.after(this.#intervalMs, this.#run);
    const nowMs = this.#clock.nowMs();
    for (const item of this.items) item.sweep(nowMs);
  };
}
