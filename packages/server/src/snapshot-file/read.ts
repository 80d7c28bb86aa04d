/** Reads a snapshot file, checking all of it: its digest, its frame, and with the restorer that its state can have come about. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Restorer, SnapshotFormatError, type StateMachine } from "@holdfast/state-machine";
import { blockBytes, checkShape, digestBytes, formatNumber, headBytes, SnapshotFileError } from "./format.js";
import { RecordCutter } from "./record-cutter.js";

const readBytes = 1024 * 1024;

export interface SnapshotFile {
  readonly machine: StateMachine;
  /** The file's length. */
  readonly bytes: number;
  /** SHA-256 of the file without its last 32 bytes, which say the same; hexadecimal. */
  readonly digest: string;
  readonly format: number;
}

/**
 * The state in `path`; with a `revisionStep`, raised by that (see `Restorer.finish`). Throws `SnapshotFileError`,
 * `RevisionStepError`, and the system's errors for a file that cannot be read.
 */
export async function readSnapshotFile(path: string, revisionStep = 0): Promise<SnapshotFile> {
  const bytes = await checkShape(path);
  const contentBytes = bytes - digestBytes;
  const digest = await checkedDigest(path, contentBytes);
  return { machine: await readState(path, contentBytes, revisionStep), bytes, digest, format: formatNumber };
}

/** Before anything is made of the file, so that a damaged one is called damaged and not something stranger. */
async function checkedDigest(path: string, contentBytes: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of partsOf(path, 0, contentBytes)) hash.update(part);
  const stored: Buffer[] = [];
  for await (const part of partsOf(path, contentBytes, contentBytes + digestBytes)) stored.push(part);
  const digest = hash.digest("hex");
  if (Buffer.concat(stored).toString("hex") !== digest) {
    throw new SnapshotFileError(path, "damaged: its digest does not match");
  }
  return digest;
}

async function readState(path: string, contentBytes: number, revisionStep: number): Promise<StateMachine> {
  const restorer = new Restorer();
  const cutter = new RecordCutter();
  try {
    for await (const part of partsOf(path, headBytes, contentBytes)) {
      const records = cutter.add(part);
      if (records.length > 0) restorer.push(records);
    }
    if (cutter.zeroBytes === 0 || cutter.zeroBytes > blockBytes) throw new SnapshotFormatError("no end of its records");
    return restorer.finish(revisionStep);
  } catch (error) {
    if (!(error instanceof SnapshotFormatError)) throw error;
    throw new SnapshotFileError(path, `damaged: ${error.message}`, { cause: error });
  }
}

/** The bytes of the file from `start` to `end`. */
function partsOf(path: string, start: number, end: number): AsyncIterable<Buffer> {
  return createReadStream(path, { start, end: end - 1, highWaterMark: readBytes });
}
