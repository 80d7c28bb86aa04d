/**
 * The only door from the file engine to a disk. Every call carries the name of the operation it is
 * part of, so that a test can break exactly that one and an error can say what was being done. The
 * real disk is in `node-disk.ts`; `testing/simulated-disk.ts` is one that forgets on demand.
 *
 * Failures are errors with a `code` as Node gives them (ENOSPC, EIO, ENOENT …).
 */

/** What a disk call is for. Tests walk this list. */
export const DISK_OPERATIONS = [
  "folder.make",
  "folder.lock",
  "folder.list",
  "folder.sync",
  "meta.read",
  "meta.write",
  "meta.publish",
  "owner.open",
  "owner.read",
  "owner.check",
  "owner.write",
  "owner.sync",
  "leftover.remove",
  "segment.open",
  "segment.open-direct",
  "segment.read",
  "segment.create",
  "segment.zero",
  "segment.sync",
  "segment.publish",
  "segment.recycle",
  "segment.remove",
  "append.write",
  "append.sync",
  "append.direct",
  "append.erase",
  "append.erase-sync",
  "tail.copy",
  "tail.copy-sync",
  "tail.zero",
  "tail.rewrite",
  "tail.sync",
  "snapshot.create",
  "snapshot.write",
  "snapshot.sync",
  "snapshot.publish",
  "snapshot.read",
  "snapshot.remove",
  "handle.close",
] as const;

export type DiskOperation = (typeof DISK_OPERATIONS)[number];

/** `read`: must exist. `update`: must exist, for reading and writing. `create`: must not exist. */
export type OpenMode = "read" | "update" | "create";

export interface Disk {
  /** Creates the folder and its parents, for the owner's eyes only, and makes their names durable. */
  makeFolder(operation: DiskOperation, folder: string): Promise<void>;
  /**
   * Guards the folder against a second opener until the returned function is called or the process
   * dies, however it dies. @throws LogFolderLockedError if somebody else has it.
   */
  lockFolder(operation: DiskOperation, folder: string): Promise<() => Promise<void>>;
  /** Names in the folder, in no order. */
  list(operation: DiskOperation, folder: string): Promise<string[]>;
  /** Makes created, renamed and removed names in the folder durable. */
  syncFolder(operation: DiskOperation, folder: string): Promise<void>;
  open(operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile>;
  rename(operation: DiskOperation, from: string, to: string): Promise<void>;
  remove(operation: DiskOperation, path: string): Promise<void>;
  /** A buffer of at least `bytes` to append from, in place of `current`, whose contents are not kept. Valid until the next. */
  appendMemory(current: Buffer, bytes: number): Buffer;
  /** Releases what the disk itself holds. Files must be closed before. */
  close(): Promise<void>;
}

export interface DiskFile {
  readonly path: string;
  size(operation: DiskOperation): Promise<number>;
  /** Reads up to `length` bytes at `position` to the start of `target`. @returns how many; 0 at the end of the file. */
  read(operation: DiskOperation, target: Buffer, length: number, position: number): Promise<number>;
  /** The same within this turn of the event loop: for a few bytes that are certainly in memory. */
  readNow(operation: DiskOperation, target: Buffer, length: number, position: number): number;
  /** Writes `source[from … from + length)` at `position`. @returns how many bytes; may be fewer (fault model F6). */
  write(operation: DiskOperation, source: Buffer, from: number, length: number, position: number): Promise<number>;
  /** The same within this turn of the event loop: into the page cache, which takes microseconds. */
  writeNow(operation: DiskOperation, source: Buffer, from: number, length: number, position: number): number;
  /** Cuts the file to `length` bytes, which is not longer than it is. */
  shorten(operation: DiskOperation, length: number): Promise<void>;
  /** Resolves once everything written so far is durable. */
  sync(operation: DiskOperation): Promise<void>;
  /**
   * The same for the append path: calls `done` in a later turn, exactly once. At most one such sync
   * is in flight per disk. It must not wait behind other work of the process (fault model F8).
   */
  syncThen(operation: DiskOperation, done: (error: Error | undefined) => void): void;
  /** Makes the file ready for direct writes, where the disk has such. Changes nothing if it cannot. */
  prepareDirect(operation: DiskOperation): Promise<void>;
  /** Whether `writeDirect` may be called. Once false it stays so. */
  readonly isDirect: boolean;
  /**
   * Writes whole sectors of `appendMemory` past the system's cache and makes them durable, both in one call: calls `done` in a
   * later turn, exactly once, with how many bytes are durable. Those may be fewer, or none, and the rest is to be written
   * another way. After an error any part may have been written. One at a time, not beside `syncThen`, and it must not wait
   * behind other work of the process (fault model F8).
   */
  writeDirect(
    operation: DiskOperation,
    source: Buffer,
    from: number,
    length: number,
    position: number,
    done: (error: Error | undefined, count: number) => void,
  ): void;
  close(operation: DiskOperation): Promise<void>;
}

/** The code of a failed disk call, or an empty string. */
export function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : "";
}

/** No room for now; nothing is broken. */
export function isOutOfSpace(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** No file handles for now; nothing is broken. */
export function isOutOfHandles(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === "EMFILE" || code === "ENFILE";
}

export function isAbsent(thrown: unknown): boolean {
  return codeOf(thrown) === "ENOENT";
}

/** Removes a file, or finds that it is gone already: another owner of the folder may have finished or removed it. */
export async function removeIfThere(disk: Disk, operation: DiskOperation, path: string): Promise<void> {
  try {
    await disk.remove(operation, path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/** Writes all of `source`, however short the single writes are. */
export async function writeAll(
  file: DiskFile,
  operation: DiskOperation,
  source: Buffer,
  position: number,
): Promise<void> {
  let written = 0;
  while (written < source.length) {
    const count = await file.write(operation, source, written, source.length - written, position + written);
    if (count <= 0) throw Object.assign(new Error(`${operation}: nothing was written`), { code: "ENOSPC" });
    written += count;
  }
}

/** Fills `target` from `position`. @returns how many bytes there were. */
export async function readAll(
  file: DiskFile,
  operation: DiskOperation,
  target: Buffer,
  position: number,
): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const rest = filled === 0 ? target : target.subarray(filled);
    const count = await file.read(operation, rest, rest.length, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** Runs `use` on an open file and closes it, whatever happens. */
export async function withFile<T>(
  disk: Disk,
  operation: DiskOperation,
  path: string,
  mode: OpenMode,
  use: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const file = await disk.open(operation, path, mode);
  try {
    return await use(file);
  } finally {
    await file.close("handle.close");
  }
}

const ZEROS = Buffer.alloc(1024 * 1024);

/** Writes zeros to `[from, to)`, `pieceBytes` at a time, of which a mebibyte is the most. */
export async function writeZeros(
  file: DiskFile,
  operation: DiskOperation,
  from: number,
  to: number,
  pieceBytes: number = ZEROS.length,
): Promise<void> {
  for (let at = from; at < to; ) {
    const slice = Math.min(ZEROS.length, pieceBytes, to - at);
    await writeAll(file, operation, ZEROS.subarray(0, slice), at);
    at += slice;
  }
}
