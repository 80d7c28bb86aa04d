/** Makes a data folder out of a snapshot file: a new log whose first snapshot is the file's state. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Log, openFileLog } from "@holdfast/log";
import type { StateMachine } from "@holdfast/state-machine";
import { defaultServiceLimits, entryBytesMax } from "../limits.js";
import { readSnapshotFile, type SnapshotFile } from "./read.js";

/**
 * An entry that no replica can read, in front of the snapshot that covers it. Should that snapshot be lost or damaged, and
 * no later one be there, the log is not enough to make the state again: a start is refused instead of beginning empty (I11).
 */
const restoreMark = Buffer.from("\xffrestored from a snapshot file", "latin1");

/** Thrown when the folder to restore into has something in it. Nothing was touched. */
export class FolderNotEmptyError extends Error {
  constructor(folder: string) {
    super(`data folder ${folder} is not empty; a snapshot is restored into a new or an empty one only`);
    this.name = "FolderNotEmptyError";
  }
}

/**
 * Far above what clients of the lost store can have seen since the snapshot was taken: a day at more than ten thousand
 * changes a second. etcdutl's manual names the same number.
 */
export const revisionStepDefault = 1_000_000_000;

/**
 * Restores `path` into `dataDir`, which must be empty or missing. The store has its keys, leases, users and alarms, but as a
 * new store ids of its own, and a revision that is `revisionStep` higher and compacted there: nobody who remembers the old
 * store is given a revision or a token of a lock a second time (fault-model F62; see `raiseRevision`). A step of 0 restores
 * exactly what was saved, history included. When it fails, nothing is left in the folder. Throws `FolderNotEmptyError`,
 * `SnapshotFileError`, `RevisionStepError`, and what the log throws when it cannot be written.
 */
export async function restoreSnapshotFile(
  path: string,
  dataDir: string,
  revisionStep: number = revisionStepDefault,
): Promise<SnapshotFile> {
  const isNew = !existsSync(dataDir);
  if (!isNew && readdirSync(dataDir).length > 0) throw new FolderNotEmptyError(dataDir);
  const file = await readSnapshotFile(path, revisionStep);
  try {
    await writeLog(file.machine, dataDir);
  } catch (error) {
    empty(dataDir);
    if (isNew) rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
  return file;
}

async function writeLog(machine: StateMachine, folder: string): Promise<void> {
  const limits = { entryBytesMax: entryBytesMax(defaultServiceLimits.requestBytes) };
  const log = await openFileLog({ folder, limits });
  try {
    await log.acquire();
    await append(log, restoreMark);
    const frozen = machine.freeze();
    await log.writeSnapshot(log.lastIndex, frozen.chunks()).finally(() => frozen.release());
  } finally {
    await log.close();
  }
}

function append(log: Log, payload: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    log.append(payload, (result) => {
      if (result.fate === "stored") resolve();
      else reject(result.fate === "unknown" ? result.cause : new Error(`the log refused an entry: ${result.why}`));
    });
  });
}

function empty(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}
