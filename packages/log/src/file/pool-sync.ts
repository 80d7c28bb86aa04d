/** Syncs on Node.js' pool of threads: for a process whose pool always has a thread free for it. */

import { fdatasync } from "node:fs";
import type { AppendSync } from "./append-sync.js";

export class PoolSync implements AppendSync {
  #done: ((error: Error | undefined) => void) | undefined;

  sync(file: number, done: (error: Error | undefined) => void): void {
    if (this.#done !== undefined) throw new Error("sync while another one is in flight");
    this.#done = done;
    fdatasync(file, this.#answered);
  }

  async close(): Promise<void> {}

  readonly #answered = (error: Error | null): void => {
    const done = this.#done;
    this.#done = undefined;
    done?.(error ?? undefined);
  };
}
