// Takes down when the log told a server that an entry is stored, before the server can tell anybody: FAULTS_LOG_TAP names the
// file, observed-log.ts reads it. Changes nothing of what the log does.

import { openSync, writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

/** Logs on files and in memory are of the same class, which nobody else needs to know. */
async function logPrototype(openMemoryLog) {
  const log = await openMemoryLog();
  await log.close();
  return Object.getPrototypeOf(log);
}

// The threads of a server are started with its arguments, this one included.
if (isMainThread) {
  const { openMemoryLog } = await import("@holdfast/log");
  const prototype = await logPrototype(openMemoryLog);
  const { append } = prototype;
  const file = openSync(process.env.FAULTS_LOG_TAP, "a");
  const record = new Float64Array(2);
  prototype.append = function tappedAppend(payload, done, useReserve) {
    const tappedDone = (result) => {
      if (result.fate === "stored") {
        record[0] = result.index;
        record[1] = Number(process.hrtime.bigint()) / 1e6;
        writeSync(file, record);
      }
      done(result);
    };
    append.call(this, payload, tappedDone, useReserve);
  };
}
