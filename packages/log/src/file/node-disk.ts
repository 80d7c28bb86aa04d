/**
 * The real disk. Slow calls go through Node's thread pool; the sync of an append has a thread of its
 * own (`sync-thread.ts`).
 */

import * as fs from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, resolve as resolvePath } from "node:path";
import { promisify } from "node:util";
import type { Disk, DiskFile, DiskOperation, OpenMode } from "./disk.js";
import { lockFolder } from "./folder-lock.js";
import { SyncThread } from "./sync-thread.js";

const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);
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

  async makeFolder(_operation: DiskOperation, folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) return;
    const top = dirname(resolvePath(first));
    for (let child = resolvePath(folder); child !== top; child = dirname(child)) await syncFolder(dirname(child));
  }

  lockFolder(_operation: DiskOperation, folder: string): Promise<() => Promise<void>> {
    return lockFolder(folder);
  }

  list(_operation: DiskOperation, folder: string): Promise<string[]> {
    return readdir(folder);
  }

  syncFolder(_operation: DiskOperation, folder: string): Promise<void> {
    return syncFolder(folder);
  }

  async open(_operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile> {
    return new NodeFile(path, await openFile(path, OPEN_FLAGS[mode], FILE_MODE), this.#syncThread);
  }

  rename(_operation: DiskOperation, from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  remove(_operation: DiskOperation, path: string): Promise<void> {
    return rm(path);
  }

  close(): Promise<void> {
    return this.#syncThread.close();
  }
}

/** Names become durable by syncing the folder that holds them. Windows offers no such call and does it by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await openFile(folder, "r");
  try {
    await syncNames(handle);
  } finally {
    await closeFile(handle);
  }
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #handle: number;
  readonly #syncThread: SyncThread;

  constructor(path: string, handle: number, syncThread: SyncThread) {
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
    return closeFile(this.#handle);
  }
}
