/** Finds out a peer that has gone without a word while calls are open (F19): a ping after silence, and its deadline. */
import type { TransportLimits } from "../limits.js";

/** What is to be done now. */
export type KeepaliveVerdict = "nothing" | "ping" | "dead";

/** One per connection. */
export class Keepalive {
  readonly #limits: TransportLimits;
  /** When the ping that waits for an answer was sent; -1 if none does. */
  #pingedMs = -1;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
  }

  /** Judges the silence since `lastReadMs`. Anything read counts as an answer. */
  look(nowMs: number, lastReadMs: number): KeepaliveVerdict {
    const waiting = this.#pingedMs >= 0 && lastReadMs < this.#pingedMs;
    if (waiting) return nowMs - this.#pingedMs < this.#limits.keepaliveTimeoutMs ? "nothing" : "dead";
    const silent = nowMs - lastReadMs >= this.#limits.keepaliveIdleMs;
    this.#pingedMs = silent ? nowMs : -1;
    return silent ? "ping" : "nothing";
  }
}
