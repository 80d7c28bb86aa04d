/**
 * A disk whose errors say what was being done to which file: any failure becomes a LogStorageError
 * with the operation's name, the path and the system's code.
 */

import { LogFolderLockedError, LogStorageError } from "../errors.js";
import type { Disk, DiskFile, DiskOperation, OpenMode } from "./disk.js";

export class NamingDisk implements Disk {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  makeFolder(operation: DiskOperation, folder: string): Promise<void> {
    return this.#disk.makeFolder(operation, folder).catch(named(operation, folder));
  }

  lockFolder(operation: DiskOperation, folder: string): Promise<() => Promise<void>> {
    return this.#disk.lockFolder(operation, folder).catch(named(operation, folder));
  }

  list(operation: DiskOperation, folder: string): Promise<string[]> {
    return this.#disk.list(operation, folder).catch(named(operation, folder));
  }

  syncFolder(operation: DiskOperation, folder: string): Promise<void> {
    return this.#disk.syncFolder(operation, folder).catch(named(operation, folder));
  }

  async open(operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile> {
    return new NamingFile(await this.#disk.open(operation, path, mode).catch(named(operation, path)));
  }

  rename(operation: DiskOperation, from: string, to: string): Promise<void> {
    return this.#disk.rename(operation, from, to).catch(named(operation, from));
  }

  remove(operation: DiskOperation, path: string): Promise<void> {
    return this.#disk.remove(operation, path).catch(named(operation, path));
  }

  appendMemory(current: Buffer, bytes: number): Buffer {
    return this.#disk.appendMemory(current, bytes);
  }

  close(): Promise<void> {
    return this.#disk.close();
  }
}

class NamingFile implements DiskFile {
  readonly #file: DiskFile;

  constructor(file: DiskFile) {
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  size(operation: DiskOperation): Promise<number> {
    return this.#file.size(operation).catch(named(operation, this.path));
  }

  read(operation: DiskOperation, target: Buffer, length: number, position: number): Promise<number> {
    return this.#file.read(operation, target, length, position).catch(named(operation, this.path));
  }

  readNow(operation: DiskOperation, target: Buffer, length: number, position: number): number {
    try {
      return this.#file.readNow(operation, target, length, position);
    } catch (cause) {
      throw new LogStorageError(operation, this.path, { cause });
    }
  }

  write(operation: DiskOperation, source: Buffer, from: number, length: number, position: number): Promise<number> {
    return this.#file.write(operation, source, from, length, position).catch(named(operation, this.path));
  }

  writeNow(operation: DiskOperation, source: Buffer, from: number, length: number, position: number): number {
    try {
      return this.#file.writeNow(operation, source, from, length, position);
    } catch (cause) {
      throw new LogStorageError(operation, this.path, { cause });
    }
  }

  shorten(operation: DiskOperation, length: number): Promise<void> {
    return this.#file.shorten(operation, length).catch(named(operation, this.path));
  }

  sync(operation: DiskOperation): Promise<void> {
    return this.#file.sync(operation).catch(named(operation, this.path));
  }

  /** Passes errors on as they are: wrapping `done` would cost an allocation per append. */
  syncThen(operation: DiskOperation, done: (error: Error | undefined) => void): void {
    this.#file.syncThen(operation, done);
  }

  prepareDirect(operation: DiskOperation): Promise<void> {
    return this.#file.prepareDirect(operation);
  }

  get isDirect(): boolean {
    return this.#file.isDirect;
  }

  /** Passes errors on as they are, like `syncThen`. */
  writeDirect(
    operation: DiskOperation,
    source: Buffer,
    from: number,
    length: number,
    position: number,
    done: (error: Error | undefined, count: number) => void,
  ): void {
    this.#file.writeDirect(operation, source, from, length, position, done);
  }

  close(operation: DiskOperation): Promise<void> {
    return this.#file.close(operation).catch(named(operation, this.path));
  }
}

function named(operation: DiskOperation, path: string): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof LogFolderLockedError) throw cause;
    throw new LogStorageError(operation, path, { cause });
  };
}
