/** A log in memory whose appends wait, or fail, when the test says so. */
import { type AppendResult, openMemoryLog } from "@holdfast/log";
import { ForwardingLog } from "../forwarding-log.js";

export class GatedLog extends ForwardingLog {
  /** Whether only entries that may use the reserve find room. */
  isFull = false;
  #holding = false;
  #broken: Error | undefined;
  #held: (() => void) | undefined;

  static async open(): Promise<GatedLog> {
    return new GatedLog(await openMemoryLog());
  }

  /** From now on an append waits until `release` or `fail`. */
  hold(): void {
    this.#holding = true;
  }

  /** Whether an append waits. */
  get holds(): boolean {
    return this.#held !== undefined;
  }

  /** Lets the append that waits, and those to come, go on. */
  release(): void {
    this.#holding = false;
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  /** The append that waits, and those to come, end with an unknown fate. */
  fail(cause: Error): void {
    this.#broken = cause;
    this.release();
  }

  override append(payload: Uint8Array, done: (result: AppendResult) => void, reserveShare = 0): void {
    if (this.isFull && reserveShare === 0) {
      setImmediate(() => done({ fate: "refused", why: "full" }));
    } else if (this.#holding) {
      const copy = payload.slice();
      this.#held = () => this.#pass(copy, done);
    } else this.#pass(payload, done);
  }

  #pass(payload: Uint8Array, done: (result: AppendResult) => void): void {
    const cause = this.#broken;
    if (cause === undefined) this.log.append(payload, done);
    else setImmediate(() => done({ fate: "unknown", cause }));
  }
}
