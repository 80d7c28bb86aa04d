/**
 * Watches a fuzzer from a thread of its own: an input that never ends would otherwise stop everything without a word, since
 * nothing else runs while it does.
 */
import { writeSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";

/** Far beyond what an input may take (100 ms); even a machine that swaps gets through one in this time. */
const hangMs = 30_000;
const lookMs = 1_000;

interface Watched {
  readonly name: string;
  /** The seed of the input that runs, and how many have run; shared with the thread that runs them. */
  readonly cells: Int32Array;
}

export class Watchdog {
  readonly #cells = new Int32Array(new SharedArrayBuffer(8));
  readonly #thread: Worker;

  /** Ends the process if an input of the fuzzer `name` hangs. */
  constructor(name: string) {
    const watched: Watched = { name, cells: this.#cells };
    this.#thread = new Worker(new URL(import.meta.url), { workerData: watched });
    this.#thread.unref();
  }

  /** To be called before each input. */
  begin(seed: number): void {
    this.#cells[0] = seed;
    this.#cells[1] = (this.#cells[1] ?? 0) + 1;
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}

function watch({ name, cells }: Watched): void {
  let seen = -1;
  let sinceMs = performance.now();
  setInterval(() => {
    const count = cells[1] ?? 0;
    if (count !== seen) {
      seen = count;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs >= hangMs) {
      // Not by way of the other thread, which hangs.
      writeSync(2, `FAILED fuzz ${name}: the input with seed ${cells[0]} has run for ${hangMs / 1_000} s\n`);
      process.kill(process.pid, "SIGKILL");
    }
  }, lookMs);
}

if (!isMainThread && isWatched(workerData)) watch(workerData);

function isWatched(data: unknown): data is Watched {
  return typeof data === "object" && data !== null && "cells" in data && data.cells instanceof Int32Array;
}
