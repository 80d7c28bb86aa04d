/**
 * The real disk. Slow calls go through Node.js' pool of threads, a few at once (`background-calls.ts`); where appends are
 * synced is for whoever opens it to say (`append-sync.ts`).
 */

import * as fs from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve as resolvePath } from "node:path";
import { promisify } from "node:util";
import { grown } from "../bytes.js";
import type { AppendSync, SyncPlace } from "./append-sync.js";
import { BackgroundCalls } from "./background-calls.js";
import { DirectWrites } from "./direct-writes.js";
import { codeOf, type Disk, type DiskFile, type DiskOperation, type OpenMode } from "./disk.js";
import { lockFolder } from "./folder-lock.js";
import { HandleReserve } from "./handle-reserve.js";
import { PoolSync } from "./pool-sync.js";
import { SyncThread } from "./sync-thread.js";

const openFile = promisify(fs.open);
const syncFile = promisify(fs.fdatasync);
const syncNames = promisify(fs.fsync);
const statFile = promisify(fs.fstat);
const shortenFile = promisify(fs.ftruncate);

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const OPEN_FLAGS: { readonly [mode in OpenMode]: string } = { read: "r", update: "r+", create: "wx+" };

/** A disk for one log: it syncs one append at a time. */
export function nodeDisk(syncOn: SyncPlace = "own thread"): Disk {
  return new NodeDisk(syncOn);
}

/** What a file shares with its disk. */
interface Shared {
  readonly appendSync: AppendSync;
  /** Only where appends may use the pool. */
  readonly directWrites: DirectWrites | undefined;
  readonly handles: HandleReserve;
  readonly calls: BackgroundCalls;
}

class NodeDisk implements Disk {
  readonly #handles = new HandleReserve();
  readonly #calls = new BackgroundCalls();
  readonly #shared: Shared;

  constructor(syncOn: SyncPlace) {
    const inPool = syncOn === "pool";
    const appendSync = inPool ? new PoolSync() : new SyncThread();
    const directWrites = inPool ? new DirectWrites() : undefined;
    this.#shared = { appendSync, directWrites, handles: this.#handles, calls: this.#calls };
  }

  makeFolder(_operation: DiskOperation, folder: string): Promise<void> {
    return this.#calls.run(() => makeFolders(this.#handles, resolvePath(folder)));
  }

  lockFolder(_operation: DiskOperation, folder: string): Promise<() => Promise<void>> {
    return lockFolder(folder);
  }

  list(_operation: DiskOperation, folder: string): Promise<string[]> {
    return this.#calls.run(() =>
      this.#handles.use(
        () => readdir(folder),
        () => fs.readdirSync(folder),
      ),
    );
  }

  syncFolder(_operation: DiskOperation, folder: string): Promise<void> {
    return this.#calls.run(() => syncFolder(this.#handles, folder));
  }

  async open(_operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile> {
    const handle = await this.#calls.run(() => openHandle(this.#handles, path, OPEN_FLAGS[mode]));
    return new NodeFile(path, handle, this.#shared);
  }

  rename(_operation: DiskOperation, from: string, to: string): Promise<void> {
    return this.#calls.run(() => rename(from, to));
  }

  remove(_operation: DiskOperation, path: string): Promise<void> {
    return this.#calls.run(() => rm(path));
  }

  appendMemory(current: Buffer, bytes: number): Buffer {
    return this.#shared.directWrites?.memory(current, bytes) ?? grown(current, bytes);
  }

  close(): Promise<void> {
    this.#handles.release();
    return this.#shared.appendSync.close();
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
  readonly #shared: Shared;
  /** The same file, opened for direct writes. */
  #directHandle: number | undefined;

  constructor(path: string, handle: number, shared: Shared) {
    this.path = path;
    this.#handle = handle;
    this.#shared = shared;
  }

  size(): Promise<number> {
    return this.#shared.calls.run(async () => (await statFile(this.#handle)).size);
  }

  read(_operation: DiskOperation, target: Buffer, length: number, position: number): Promise<number> {
    return this.#shared.calls.run(
      () =>
        new Promise((resolve, reject) => {
          fs.read(this.#handle, target, 0, length, position, (error, count) =>
            error === null ? resolve(count) : reject(error),
          );
        }),
    );
  }

  readNow(_operation: DiskOperation, target: Buffer, length: number, position: number): number {
    return fs.readSync(this.#handle, target, 0, length, position);
  }

  write(_operation: DiskOperation, source: Buffer, from: number, length: number, position: number): Promise<number> {
    return this.#shared.calls.run(
      () =>
        new Promise((resolve, reject) => {
          fs.write(this.#handle, source, from, length, position, (error, count) =>
            error === null ? resolve(count) : reject(error),
          );
        }),
    );
  }

  writeNow(_operation: DiskOperation, source: Buffer, from: number, length: number, position: number): number {
    return fs.writeSync(this.#handle, source, from, length, position);
  }

  shorten(_operation: DiskOperation, length: number): Promise<void> {
    return this.#shared.calls.run(() => shortenFile(this.#handle, length));
  }

  sync(): Promise<void> {
    return this.#shared.calls.run(() => syncFile(this.#handle));
  }

  syncThen(_operation: DiskOperation, done: (error: Error | undefined) => void): void {
    this.#shared.appendSync.sync(this.#handle, done);
  }

  async prepareDirect(): Promise<void> {
    const { calls, directWrites } = this.#shared;
    if (directWrites === undefined || directWrites.areRefused) return;
    this.#directHandle = await calls.run(() => directWrites.open(this.path));
  }

  get isDirect(): boolean {
    return this.#directHandle !== undefined && this.#shared.directWrites?.areRefused === false;
  }

  writeDirect(
    _operation: DiskOperation,
    source: Buffer,
    from: number,
    length: number,
    position: number,
    done: (error: Error | undefined, count: number) => void,
  ): void {
    this.#shared.directWrites!.write(this.#directHandle!, source, from, length, position, done);
  }

  close(): Promise<void> {
    return this.#shared.calls.run(async () => {
      const { handles } = this.#shared;
      try {
        if (this.#directHandle !== undefined) await handles.close(this.#directHandle);
      } finally {
        await handles.close(this.#handle);
      }
    });
  }
}
