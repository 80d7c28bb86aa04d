/**
 * Chance and time for tests: the same seed gives the same run, and timers fire when told to.
 */

import { type Digests, digestsWithinTurn } from "../digests.js";
import type { LogEnvironment } from "../environment.js";

/** A generator of numbers in [0, 1), the same for the same seed. Not for identities. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // A Weyl sequence with a multiplicative hash on top: short, and good enough to pick test cases.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Seeded chance; deferred work runs in later turns as usual; timers wait for `fireTimers`. */
export class TestEnvironment implements LogEnvironment {
  readonly digests: Digests;
  readonly #random: () => number;
  #timers = new Set<() => void>();

  constructor(seed = 1, digests = digestsWithinTurn) {
    this.digests = digests;
    this.#random = seededRandom(seed);
  }

  fillRandom(target: Uint8Array): void {
    for (let at = 0; at < target.length; at++) target[at] = Math.floor(this.#random() * 256);
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }

  after(_delayMs: number, callback: () => void): () => void {
    // Wrapped, so that the same callback set twice counts twice.
    const timer = () => callback();
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timersSet(): number {
    return this.#timers.size;
  }

  /** Lets every timer set so far run out. */
  fireTimers(): void {
    const due = this.#timers;
    this.#timers = new Set();
    for (const timer of due) timer();
  }
}
