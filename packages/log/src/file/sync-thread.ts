/**
 * A thread of our own for the one disk call that callers wait for, where the pool of Node.js is not ours to rely on
 * (`append-sync.ts`). Requests travel through shared memory, answers as messages.
 */

import { Worker } from "node:worker_threads";
import type { AppendSync } from "./append-sync.js";

/** Slots of the shared memory: how many requests were made; which file descriptor the last one names, -1 to end. */
export const SYNC_REQUESTS = 0;
export const SYNC_FILE = 1;
const SLOTS = 2;
const END = -1;

interface SyncFailure {
  readonly code: string;
  readonly message: string;
}

export class SyncThread implements AppendSync {
  readonly #control = new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT));
  readonly #worker: Worker;
  #done: ((error: Error | undefined) => void) | undefined;
  #broken: Error | undefined;

  constructor() {
    this.#worker = new Worker(new URL("./sync-worker.js", import.meta.url), {
      workerData: this.#control.buffer,
      name: "holdfast-log-sync",
      execArgv: [],
    });
    this.#worker.on("message", (failure: SyncFailure | undefined) => this.#answered(failure));
    this.#worker.on("error", (error) => this.#break(error));
    this.#worker.on("exit", () => this.#break(new Error("the sync thread has ended")));
    this.#worker.unref();
  }

  sync(file: number, done: (error: Error | undefined) => void): void {
    if (this.#done !== undefined) throw new Error("sync while another one is in flight");
    this.#done = done;
    if (this.#broken !== undefined) {
      setImmediate(() => this.#finish(this.#broken));
      return;
    }
    // Somebody waits for the answer, so the process must not end before it has come.
    this.#worker.ref();
    Atomics.store(this.#control, SYNC_FILE, file);
    Atomics.add(this.#control, SYNC_REQUESTS, 1);
    Atomics.notify(this.#control, SYNC_REQUESTS);
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    Atomics.store(this.#control, SYNC_FILE, END);
    Atomics.add(this.#control, SYNC_REQUESTS, 1);
    Atomics.notify(this.#control, SYNC_REQUESTS);
    await this.#worker.terminate();
  }

  #answered(failure: SyncFailure | undefined): void {
    this.#worker.unref();
    this.#finish(failure === undefined ? undefined : Object.assign(new Error(failure.message), { code: failure.code }));
  }

  #break(error: Error): void {
    this.#broken ??= error;
    if (this.#done !== undefined) this.#finish(error);
  }

  #finish(error: Error | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }
}
