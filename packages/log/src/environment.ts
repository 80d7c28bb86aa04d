/**
 * The door to chance, time and other threads. A log draws random identities, waits for later turns of the event
 * loop and has long data digested only through here, so that a simulator can hand in its own.
 */

import { randomFillSync } from "node:crypto";
import { DigestThread } from "./digest-thread.js";
import type { Digests } from "./digests.js";

export interface LogEnvironment {
  /** Fills `target` with random bytes fit for identities. */
  fillRandom(target: Uint8Array): void;
  /** Runs `callback` in a later turn of the event loop, after waiting input has been handled. */
  defer(callback: () => void): void;
  /** Runs `callback` once after `delayMs`, unless the returned function is called first. Must not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Where digests of long data are taken; without it, within the turn. */
  readonly digests?: Digests;
}

export const realEnvironment: LogEnvironment = {
  fillRandom(target) {
    randomFillSync(target);
  },
  defer(callback) {
    setImmediate(callback);
  },
  after: unreferencedTimer,
  digests: new DigestThread(unreferencedTimer),
};

function unreferencedTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
