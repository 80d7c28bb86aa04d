/**
 * The real disk. Slow calls go through Node's thread pool; the sync of an append has a thread of its
 * own (`sync-thread.ts`).
 */

import * as fs from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve as resolvePath } from "node:path";
import { promisify } from "node:util";
import { codeOf, type Disk, type DiskFile, type DiskOperation, type OpenMode } from "./disk.js";
import { lockFolder } from "./folder-lock.js";
import { HandleReserve } from "./handle-reserve.js";
import { SyncThread } from "./sync-thread.js";

const openFile = promisify(fs.open);
const syncFile = promisify(fs.fdatasync);
const syncNames = promisify(fs.fsync);
const statFile = promisify(fs.fstat);

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const OPEN_FLAGS: { readonly [mode in OpenMode]: string } = { read: "r", update: "r+", create: "wx+" };

/** A disk for one log: it syncs one append at a time. */
export function nodeDisk(): Disk {
  return new NodeDisk();
}

class NodeDisk implements Disk {
  readonly #syncThread = new SyncThread();
  readonly #handles = new HandleReserve();

  makeFolder(_operation: DiskOperation, folder: string): Promise<void> {
    return makeFolders(this.#handles, resolvePath(folder));
  }

  lockFolder(_operation: DiskOperation, folder: string): Promise<() => Promise<void>> {
    return lockFolder(folder);
  }

  list(_operation: DiskOperation, folder: string): Promise<string[]> {
    return this.#handles.use(
      () => readdir(folder),
      () => fs.readdirSync(folder),
    );
  }

  syncFolder(_operation: DiskOperation, folder: string): Promise<void> {
    return syncFolder(this.#handles, folder);
  }

  async open(_operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile> {
    return new NodeFile(path, await openHandle(this.#handles, path, OPEN_FLAGS[mode]), this.#syncThread, this.#handles);
  }

  rename(_operation: DiskOperation, from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  remove(_operation: DiskOperation, path: string): Promise<void> {
    return rm(path);
  }

  close(): Promise<void> {
    this.#handles.release();
    return this.#syncThread.close();
  }
}

/**
 * Makes a folder and those above it that are missing, and their names durable. Node's own way to make several never comes
 * to an end where the system will not have a folder and says that something is missing, as in /proc.
 */
async function makeFolders(handles: HandleReserve, folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: FOLDER_MODE });
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST" && (await stat(folder)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolders(handles, dirname(folder));
    await mkdir(folder, { mode: FOLDER_MODE });
  }
  await syncFolder(handles, dirname(folder));
}

/** Opens a file, with a handle from the reserve if it must be. */
function openHandle(handles: HandleReserve, path: string, flags: string): Promise<number> {
  return handles.use(
    () => openFile(path, flags, FILE_MODE),
    () => fs.openSync(path, flags, FILE_MODE),
  );
}

/** Names become durable by syncing the folder that holds them. Windows offers no such call and does it by itself. */
async function syncFolder(handles: HandleReserve, folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await openHandle(handles, folder, "r");
  try {
    await syncNames(handle);
  } finally {
    await handles.close(handle);
  }
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #handle: number;
  readonly #handles: HandleReserve;
  readonly #syncThread: SyncThread;

  constructor(path: string, handle: number, syncThread: SyncThread, handles: HandleReserve) {
    this.#handles = handles;
    this.path = path;
    this.#handle = handle;
    this.#syncThread = syncThread;
  }

  async size(): Promise<number> {
    return (await statFile(this.#handle)).size;
  }

  read(_operation: DiskOperation, target: Buffer, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#handle, target, 0, length, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
    });
  }

  readNow(_operation: DiskOperation, target: Buffer, length: number, position: number): number {
    return fs.readSync(this.#handle, target, 0, length, position);
  }

  write(_operation: DiskOperation, source: Buffer, from: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#handle, source, from, length, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
    });
  }

  writeNow(_operation: DiskOperation, source: Buffer, from: number, length: number, position: number): number {
    return fs.writeSync(this.#handle, source, from, length, position);
  }

  sync(): Promise<void> {
    return syncFile(this.#handle);
  }

  syncThen(_operation: DiskOperation, done: (error: Error | undefined) => void): void {
    this.#syncThread.sync(this.#handle, done);
  }

  close(): Promise<void> {
    return this.#handles.close(this.#handle);
  }
}
