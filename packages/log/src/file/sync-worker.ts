/**
 * The body of the sync thread: see `sync-thread.ts`. Waits for a request, syncs one file, answers.
 */

import { fdatasyncSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { SYNC_FILE, SYNC_REQUESTS } from "./sync-thread.js";

const control = new Int32Array(workerData as SharedArrayBuffer);
const port = parentPort;
if (port === null) throw new Error("sync-worker runs only as a worker thread");

/** Errors are sent in pieces, because a cloned Error loses its code. */
function syncOnce(file: number): { code: string; message: string } | undefined {
  try {
    fdatasyncSync(file);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code: code ?? "EIO", message };
  }
}

for (let seen = 0; ; seen++) {
  // Returns at once if a request came before this thread was ready for it.
  Atomics.wait(control, SYNC_REQUESTS, seen);
  const file = Atomics.load(control, SYNC_FILE);
  if (file < 0) break;
  port.postMessage(syncOnce(file));
}
