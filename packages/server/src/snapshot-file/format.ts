/**
 * The snapshot file, as `Maintenance.Snapshot` sends it and `holdfast snapshot` saves, reads and restores it:
 *
 * 1. `magic`, eight bytes, then the format's number, four bytes, unsigned and little-endian.
 * 2. The records of the state (see package state-machine), one behind the other, each a length-delimited protobuf field.
 *    Where the state's encoding was cut into chunks leaves no trace: one state always makes the same file, byte for byte.
 * 3. Zero bytes, at least one, up to a multiple of `blockBytes`, because etcd's tools take a file for one with a digest by
 *    what its size leaves when divided by that (MAINT-9).
 * 4. The SHA-256 of everything before, 32 bytes.
 */
import { open } from "node:fs/promises";

export const magic = Buffer.from("HOLDFAST", "latin1");
export const formatNumber = 1;
export const headBytes = magic.length + 4;
export const blockBytes = 512;
export const digestBytes = 32;

/** Where the files of bbolt, which etcd keeps its state in, have their mark. */
const bboltMarkAt = 16;
const bboltMark = 0xed0cdaed;

/** Thrown for a file that is no snapshot, is damaged, or was written by a newer version. The message says which. */
export class SnapshotFileError extends Error {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options);
    this.name = "SnapshotFileError";
  }
}

/** Throws `SnapshotFileError` unless `path` begins and is as long as a snapshot is. Returns its length. */
export async function checkShape(path: string): Promise<number> {
  const head = Buffer.alloc(bboltMarkAt + 4);
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    checkHead(path, head.subarray(0, bytesRead));
    if (size % blockBytes !== digestBytes || size < blockBytes) {
      throw new SnapshotFileError(path, "damaged: cut off, or something was added at its end");
    }
    return size;
  } finally {
    await file.close();
  }
}

function checkHead(path: string, bytes: Buffer): void {
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    const isEtcd = bytes.length >= bboltMarkAt + 4 && bytes.readUInt32LE(bboltMarkAt) === bboltMark;
    const reason = isEtcd
      ? "a snapshot of etcd, not of Holdfast; `holdfast import` copies the data of a running etcd"
      : "not a snapshot of Holdfast";
    throw new SnapshotFileError(path, reason);
  }
  if (bytes.length < headBytes) throw new SnapshotFileError(path, "damaged: cut off");
  const format = bytes.readUInt32LE(magic.length);
  if (format !== formatNumber) {
    throw new SnapshotFileError(
      path,
      `written by a newer version, in format ${format}; this one knows ${formatNumber}`,
    );
  }
}
