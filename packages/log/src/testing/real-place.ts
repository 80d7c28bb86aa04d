/**
 * A place for file logs in a temporary folder of the real disk. A crash is played by a disk that
 * stops answering: the process cannot be killed, but everything it had not finished stays undone.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SyncPlace } from "../file/append-sync.js";
import type { Disk, DiskFile, DiskOperation, OpenMode } from "../file/disk.js";
import { FileEngine } from "../file/file-engine.js";
import { nodeDisk } from "../file/node-disk.js";
import { openFileLog } from "../file/open-file-log.js";
import type { Log } from "../log.js";
import type { EnginePlace } from "./engine-contract.js";
import type { LogPlace } from "./log-contract.js";
import { SMALL_LIMITS } from "./simulated-place.js";

export class RealPlace implements EnginePlace, LogPlace {
  readonly #parent: string;
  readonly #syncOn: SyncPlace;
  readonly #disks: MortalDisk[] = [];

  private constructor(parent: string, syncOn: SyncPlace) {
    this.#parent = parent;
    this.#syncOn = syncOn;
  }

  static async make(syncOn: SyncPlace): Promise<RealPlace> {
    return new RealPlace(await mkdtemp(join(tmpdir(), "holdfast-log-")), syncOn);
  }

  get folder(): string {
    return join(this.#parent, "log");
  }

  engine(): FileEngine {
    return new FileEngine({ folder: this.folder, disk: this.#newDisk(), limits: SMALL_LIMITS });
  }

  open(): Promise<Log> {
    return openFileLog({ folder: this.folder, disk: this.#newDisk(), limits: SMALL_LIMITS });
  }

  async crash(): Promise<void> {
    for (const disk of this.#disks.splice(0)) await disk.die();
  }

  async dispose(): Promise<void> {
    await this.crash();
    await rm(this.#parent, { recursive: true, force: true });
  }

  #newDisk(): MortalDisk {
    const disk = new MortalDisk(this.#syncOn);
    this.#disks.push(disk);
    return disk;
  }
}

/** The real disk, until it dies: then no call is answered any more, and locks and files are released as by a kernel. */
class MortalDisk implements Disk {
  readonly #disk: Disk;
  readonly #files = new Set<MortalFile>();
  readonly #unlocks = new Set<() => Promise<void>>();
  readonly #underway = new Set<Promise<unknown>>();
  #closed = false;
  dead = false;

  constructor(syncOn: SyncPlace) {
    this.#disk = nodeDisk(syncOn);
  }

  async die(): Promise<void> {
    this.dead = true;
    // Calls that the system has already accepted are carried out, as they are when a process is killed.
    await Promise.allSettled(this.#underway);
    for (const file of this.#files) await file.release();
    for (const unlock of this.#unlocks) await unlock();
    if (!this.#closed) await this.#disk.close();
  }

  /** The answer of a call, unless death comes first. */
  async alive<T>(call: () => Promise<T>): Promise<T> {
    if (this.dead) return new Promise<never>(() => {});
    const answer = call();
    this.#underway.add(answer);
    try {
      const value = await answer;
      return this.dead ? await new Promise<never>(() => {}) : value;
    } finally {
      this.#underway.delete(answer);
    }
  }

  forget(file: MortalFile): void {
    this.#files.delete(file);
  }

  makeFolder(operation: DiskOperation, folder: string): Promise<void> {
    return this.alive(() => this.#disk.makeFolder(operation, folder));
  }

  async lockFolder(operation: DiskOperation, folder: string): Promise<() => Promise<void>> {
    const unlock = await this.alive(() => this.#disk.lockFolder(operation, folder));
    this.#unlocks.add(unlock);
    return async () => {
      if (this.#unlocks.delete(unlock)) await unlock();
    };
  }

  list(operation: DiskOperation, folder: string): Promise<string[]> {
    return this.alive(() => this.#disk.list(operation, folder));
  }

  syncFolder(operation: DiskOperation, folder: string): Promise<void> {
    return this.alive(() => this.#disk.syncFolder(operation, folder));
  }

  async open(operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile> {
    const opened = this.alive(async () => {
      const file = new MortalFile(this, await this.#disk.open(operation, path, mode));
      this.#files.add(file);
      return file;
    });
    return opened;
  }

  rename(operation: DiskOperation, from: string, to: string): Promise<void> {
    return this.alive(() => this.#disk.rename(operation, from, to));
  }

  remove(operation: DiskOperation, path: string): Promise<void> {
    return this.alive(() => this.#disk.remove(operation, path));
  }

  appendMemory(current: Buffer, bytes: number): Buffer {
    return this.#disk.appendMemory(current, bytes);
  }

  async close(): Promise<void> {
    if (this.dead) return;
    this.#closed = true;
    await this.#disk.close();
  }
}

class MortalFile implements DiskFile {
  readonly #disk: MortalDisk;
  readonly #file: DiskFile;

  constructor(disk: MortalDisk, file: DiskFile) {
    this.#disk = disk;
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  release(): Promise<void> {
    return this.#file.close("handle.close");
  }

  size(operation: DiskOperation): Promise<number> {
    return this.#disk.alive(() => this.#file.size(operation));
  }

  read(operation: DiskOperation, target: Buffer, length: number, position: number): Promise<number> {
    return this.#disk.alive(() => this.#file.read(operation, target, length, position));
  }

  readNow(operation: DiskOperation, target: Buffer, length: number, position: number): number {
    this.#assertAlive();
    return this.#file.readNow(operation, target, length, position);
  }

  write(operation: DiskOperation, source: Buffer, from: number, length: number, position: number): Promise<number> {
    return this.#disk.alive(() => this.#file.write(operation, source, from, length, position));
  }

  writeNow(operation: DiskOperation, source: Buffer, from: number, length: number, position: number): number {
    this.#assertAlive();
    return this.#file.writeNow(operation, source, from, length, position);
  }

  shorten(operation: DiskOperation, length: number): Promise<void> {
    return this.#disk.alive(() => this.#file.shorten(operation, length));
  }

  sync(operation: DiskOperation): Promise<void> {
    return this.#disk.alive(() => this.#file.sync(operation));
  }

  syncThen(operation: DiskOperation, done: (error: Error | undefined) => void): void {
    const synced = this.#disk.alive(
      () =>
        new Promise<Error | undefined>((resolve) => {
          this.#file.syncThen(operation, resolve);
        }),
    );
    synced.then(done);
  }

  prepareDirect(operation: DiskOperation): Promise<void> {
    return this.#disk.alive(() => this.#file.prepareDirect(operation));
  }

  get isDirect(): boolean {
    return this.#file.isDirect;
  }

  writeDirect(
    operation: DiskOperation,
    source: Buffer,
    from: number,
    length: number,
    position: number,
    done: (error: Error | undefined, count: number) => void,
  ): void {
    const written = this.#disk.alive(
      () =>
        new Promise<readonly [Error | undefined, number]>((resolve) => {
          const answered = (error: Error | undefined, count: number): void => resolve([error, count]);
          this.#file.writeDirect(operation, source, from, length, position, answered);
        }),
    );
    written.then(([error, count]) => done(error, count));
  }

  async close(operation: DiskOperation): Promise<void> {
    await this.#disk.alive(() => {
      this.#disk.forget(this);
      return this.#file.close(operation);
    });
  }

  #assertAlive(): void {
    if (this.#disk.dead) throw new Error("this disk is dead");
  }
}
