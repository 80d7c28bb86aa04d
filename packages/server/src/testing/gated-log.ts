/** A log in memory whose appends wait, or fail, when the test says so. */
import { type AppendResult, type Log, type LogUsage, openMemoryLog } from "@holdfast/log";

export class GatedLog implements Log {
  readonly #log: Log;
  #holding = false;
  #broken: Error | undefined;
  #held: (() => void) | undefined;

  private constructor(log: Log) {
    this.#log = log;
  }

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

  get identity(): string {
    return this.#log.identity;
  }

  get payloadBytesMax(): number {
    return this.#log.payloadBytesMax;
  }

  get lastIndex(): number {
    return this.#log.lastIndex;
  }

  get epoch(): number {
    return this.#log.epoch;
  }

  get snapshot(): Log["snapshot"] {
    return this.#log.snapshot;
  }

  replay(...args: Parameters<Log["replay"]>): Promise<void> {
    return this.#log.replay(...args);
  }

  acquire(): Promise<number> {
    return this.#log.acquire();
  }

  append(payload: Uint8Array, done: (result: AppendResult) => void): void {
    if (this.#holding) {
      const copy = payload.slice();
      this.#held = () => this.#pass(copy, done);
    } else this.#pass(payload, done);
  }

  barrier(): Promise<void> {
    return this.#log.barrier();
  }

  writeSnapshot(...args: Parameters<Log["writeSnapshot"]>): Promise<void> {
    return this.#log.writeSnapshot(...args);
  }

  usage(): LogUsage {
    return this.#log.usage();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #pass(payload: Uint8Array, done: (result: AppendResult) => void): void {
    const cause = this.#broken;
    if (cause === undefined) this.#log.append(payload, done);
    else setImmediate(() => done({ fate: "unknown", cause }));
  }
}
