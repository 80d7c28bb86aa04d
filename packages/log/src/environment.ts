/**
 * The door to chance and time. A log draws random identities and waits for later turns of the event
 * loop only through here, so that a simulator can hand in its own.
 */

import { randomFillSync } from "node:crypto";

export interface LogEnvironment {
  /** Fills `target` with random bytes fit for identities. */
  fillRandom(target: Uint8Array): void;
  /** Runs `callback` in a later turn of the event loop, after waiting input has been handled. */
  defer(callback: () => void): void;
  /** Runs `callback` once after `delayMs`, unless the returned function is called first. Must not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

export const realEnvironment: LogEnvironment = {
  fillRandom(target) {
    randomFillSync(target);
  },
  defer(callback) {
    setImmediate(callback);
  },
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
