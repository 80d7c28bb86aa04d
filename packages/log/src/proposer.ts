/**
 * Brings one entry at a time to a decided fate. This is where an engine's `taken` and `ambiguous`
 * are resolved: read the index; one's own entry there means stored, another's means lost, nothing
 * means put the same bytes at the same index again, until it is decided. Unknown is an answer only
 * when the engine has failed for good or the log is being closed.
 */

import type { LogEngine, PutRefusal, PutResult } from "./engine.js";
import type { LogEnvironment } from "./environment.js";
import { asError } from "./errors.js";
import type { LogLimits } from "./limits.js";

export type Fate =
  | { readonly fate: "stored" }
  | { readonly fate: "refused"; readonly why: PutRefusal }
  /** Another owner's entry lies at the index, so this one never will. */
  | { readonly fate: "overtaken" }
  | { readonly fate: "unknown"; readonly cause: Error };

const STORED: Fate = { fate: "stored" };
const OVERTAKEN: Fate = { fate: "overtaken" };
const NO_BYTES: Uint8Array = new Uint8Array(0);

export class Proposer {
  readonly #engine: LogEngine;
  readonly #environment: LogEnvironment;
  readonly #limits: LogLimits;
  readonly #settled: (fate: Fate) => void;
  #busy = false;
  #index = 0;
  #bytes = NO_BYTES;
  #reserveShare = 0;
  #checksum: number | undefined;
  /** Set once a put of this entry may have had an effect: from then on a refusal proves nothing. */
  #doubt: Error | undefined;
  #delayMs = 0;
  #cancelDelay: (() => void) | undefined;
  /** Set when nothing more can be learned; an undecided entry then stays unknown. */
  #givenUp: Error | undefined;

  constructor(engine: LogEngine, environment: LogEnvironment, limits: LogLimits, settled: (fate: Fate) => void) {
    this.#engine = engine;
    this.#environment = environment;
    this.#limits = limits;
    this.#settled = settled;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Puts `bytes` at `index`; they must not change until the fate is known. For the others see `LogEngine.put`. */
  propose(index: number, bytes: Uint8Array, reserveShare: number, checksum: number | undefined): void {
    if (this.#busy) throw new Error("a proposal is in flight");
    this.#busy = true;
    this.#index = index;
    this.#bytes = bytes;
    this.#reserveShare = reserveShare;
    this.#checksum = checksum;
    this.#doubt = undefined;
    this.#delayMs = this.#limits.settleDelayFirstMs;
    this.#engine.put(index, bytes, this.#onPut, reserveShare, checksum);
  }

  /** Stops asking. A put already handed to the engine is still waited for. */
  giveUp(cause: Error): void {
    this.#givenUp ??= cause;
    if (this.#cancelDelay === undefined) return;
    this.#cancelDelay();
    this.#cancelDelay = undefined;
    this.#settle({ fate: "unknown", cause: this.#doubt ?? this.#givenUp });
  }

  readonly #onPut = (result: PutResult): void => {
    switch (result.fate) {
      case "stored":
        this.#settle(STORED);
        return;
      case "refused":
        if (this.#doubt === undefined) this.#settle(result);
        else this.#tryLater(this.#doubt);
        return;
      case "ambiguous":
        this.#doubt = result.cause;
        this.#resolve();
        return;
      case "taken":
        this.#resolve();
        return;
    }
  };

  #resolve(): void {
    if (this.#givenUp !== undefined) {
      this.#settle({ fate: "unknown", cause: this.#doubt ?? this.#givenUp });
      return;
    }
    this.#engine.get(this.#index).then(
      (found) => this.#compare(found),
      (error: unknown) => this.#tryLater(asError(error)),
    );
  }

  #compare(found: Uint8Array | undefined): void {
    if (found !== undefined) {
      // The entry id is part of the frame, so equal bytes mean the same proposal and nothing else does.
      this.#settle(Buffer.compare(found, this.#bytes) === 0 ? STORED : OVERTAKEN);
    } else if (this.#index < this.#engine.bounds().first) {
      this.#settle({
        fate: "unknown",
        cause: new Error(`entry ${this.#index} was discarded before its fate was known`),
      });
    } else {
      this.#tryLater(this.#doubt ?? new Error(`entry ${this.#index} is taken but cannot be read`));
    }
  }

  #tryLater(doubt: Error): void {
    this.#doubt = doubt;
    if (this.#givenUp !== undefined) {
      this.#settle({ fate: "unknown", cause: doubt });
      return;
    }
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, this.#limits.settleDelayMaxMs);
    this.#cancelDelay = this.#environment.after(delayMs, () => {
      this.#cancelDelay = undefined;
      this.#engine.put(this.#index, this.#bytes, this.#onPut, this.#reserveShare, this.#checksum);
    });
  }

  #settle(fate: Fate): void {
    this.#busy = false;
    this.#bytes = NO_BYTES;
    this.#settled(fate);
  }
}
