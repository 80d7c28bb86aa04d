/** Saves what Maintenance.Snapshot sends: beside the file wanted, checked, synced, and only then under its name. */
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Connection, maintenanceService } from "@holdfast/client";

const digestBytes = 32;

/** What came is not what was sent, or not all of it. */
export class SnapshotDamagedError extends Error {
  constructor(reason: string) {
    super(`the snapshot did not arrive whole: ${reason}; nothing was saved`);
    this.name = "SnapshotDamagedError";
  }
}

export interface SavedSnapshot {
  readonly bytes: number;
  /** SHA-256 of what the server sent before it, hexadecimal. */
  readonly digest: string;
  /** The storage version the server gave. */
  readonly version: string;
}

/** The name under which a file is written before it is whole. */
export function draftOf(file: string): string {
  return `${file}.part-${process.pid}`;
}

/**
 * Saves a snapshot as `file`, replacing one of that name once the new one is whole and on disk. Throws
 * `SnapshotDamagedError`, `EtcdError`, `ConnectError` and the system's errors; `file` is as it was then.
 */
export async function saveSnapshot(connection: Connection, file: string): Promise<SavedSnapshot> {
  const draft = draftOf(file);
  // Left by a process of the same number that was killed.
  await rm(draft, { force: true });
  try {
    const handle = await open(draft, "wx", 0o600);
    const saved = await receive(connection, handle).finally(() => handle.close());
    await rename(draft, file);
    await syncFolder(dirname(file));
    return saved;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function receive(connection: Connection, handle: FileHandle): Promise<SavedSnapshot> {
  const hash = createHash("sha256");
  let bytes = 0;
  let version = "";
  let last: Uint8Array | undefined;
  for await (const message of connection.stream(maintenanceService.methods.snapshot)) {
    // The last message is the digest, so that each is known for content only when another follows.
    if (last !== undefined) hash.update(last);
    last = message.blob;
    version = message.version;
    bytes += last.length;
    await writeAll(handle, last);
  }
  if (last?.length !== digestBytes) throw new SnapshotDamagedError("its digest is missing");
  const digest = hash.digest("hex");
  if (Buffer.from(last).toString("hex") !== digest) throw new SnapshotDamagedError("its digest does not match");
  await handle.sync();
  return { bytes, digest, version };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

/** Makes the new name durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}
