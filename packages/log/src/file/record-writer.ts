/**
 * Writes one record and makes it durable; one at a time.
 *
 * The write goes into the page cache within this turn of the event loop, the sync to another thread
 * (`append-sync.ts`). Measured on a virtual disk (4 cores, ext4), one after another, medians:
 *
 * | way | 512 B | 20 KiB | 256 KiB | with 40 scrypt calls running |
 * |---|---|---|---|---|
 * | write and sync both within the turn | 0.13 ms | 0.15 ms | 0.26 ms | blocks the event loop for all of it |
 * | write now, sync on its own thread (chosen) | 0.18 ms | 0.17 ms | 0.27 ms | 0.15 ms |
 * | write now, sync on Node's thread pool (chosen where that is ours) | 0.20 ms | 0.18 ms | 0.27 ms | 400 ms |
 * | write and sync on the thread pool | 0.25 ms | 0.25 ms | 0.34 ms | |
 * | the same into a file that grows | 0.24 ms | 0.36 ms | 1.35 ms | |
 *
 * Where the pool is ours and the file system has it, the record goes past the cache instead, written and durable in one call
 * (`direct-writes.ts`); what the system does not take in this way goes through the cache.
 *
 * A write into the cache may be short; the error comes with the next one. If the disk is full, what
 * was written is overwritten with zeros and synced before the answer is "full": a refused entry must
 * not be found after a crash (fault model F6). A sync is never tried twice (F7).
 */

import type { LogEnvironment } from "../environment.js";
import { asError, LogStorageError } from "../errors.js";
import { type DiskFile, isOutOfSpace } from "./disk.js";

export type WriteOutcome = "stored" | "full" | "failed";

const ZEROS = Buffer.alloc(64 * 1024);

export class RecordWriter {
  readonly #environment: LogEnvironment;
  readonly #sliceBytes: number;
  readonly #done: (outcome: WriteOutcome, error: Error | undefined) => void;
  #file: DiskFile | undefined;
  #source: Buffer = Buffer.alloc(0);
  #from = 0;
  #length = 0;
  #position = 0;
  #written = 0;
  /** From the beginning on, so many bytes may be on the disk: as many as were written, or all once a direct write has begun. */
  #touched = 0;

  /** @param done called exactly once for each `write`, never from within it. */
  constructor(
    environment: LogEnvironment,
    sliceBytes: number,
    done: (outcome: WriteOutcome, error: Error | undefined) => void,
  ) {
    this.#environment = environment;
    this.#sliceBytes = sliceBytes;
    this.#done = done;
  }

  /** Stores `source[from … from + length)` at `position`; the bytes must not change until it is done. */
  write(file: DiskFile, source: Buffer, from: number, length: number, position: number): void {
    this.#file = file;
    this.#source = source;
    this.#from = from;
    this.#length = length;
    this.#position = position;
    this.#written = 0;
    this.#touched = file.isDirect ? length : 0;
    if (file.isDirect) file.writeDirect("append.direct", source, from, length, position, this.#wroteDirect);
    else this.#writeSlice();
  }

  readonly #wroteDirect = (error: Error | undefined, count: number): void => {
    if (error === undefined) {
      this.#written = count;
      if (count === this.#length) this.#done("stored", undefined);
      else this.#writeSlice();
    } else if (isOutOfSpace(error)) {
      this.#erase();
    } else {
      this.#done("failed", new LogStorageError("append.direct", this.#file!.path, { cause: error }));
    }
  };

  readonly #writeSlice = (): void => {
    const file = this.#file!;
    const sliceEnd = Math.min(this.#length, this.#written + this.#sliceBytes);
    try {
      while (this.#written < sliceEnd) {
        const at = this.#written;
        const count = file.writeNow("append.write", this.#source, this.#from + at, sliceEnd - at, this.#position + at);
        if (count <= 0) throw Object.assign(new Error("nothing was written"), { code: "ENOSPC" });
        this.#written += count;
      }
    } catch (error) {
      this.#writeFailed(asError(error));
      return;
    }
    if (this.#written < this.#length) this.#environment.defer(this.#writeSlice);
    else file.syncThen("append.sync", this.#synced);
  };

  readonly #synced = (error: Error | undefined): void => {
    if (error === undefined) this.#done("stored", undefined);
    else this.#done("failed", new LogStorageError("append.sync", this.#file!.path, { cause: error }));
  };

  #writeFailed(error: Error): void {
    if (!isOutOfSpace(error)) {
      this.#environment.defer(() => this.#done("failed", error));
    } else if (Math.max(this.#touched, this.#written) === 0) {
      this.#environment.defer(() => this.#done("full", error));
    } else {
      this.#erase();
    }
  }

  #erase(): void {
    const file = this.#file!;
    const bytes = Math.max(this.#touched, this.#written);
    try {
      for (let at = 0; at < bytes; ) {
        const length = Math.min(ZEROS.length, bytes - at);
        const count = file.writeNow("append.erase", ZEROS, 0, length, this.#position + at);
        if (count <= 0) throw new Error("nothing was written");
        at += count;
      }
    } catch (error) {
      this.#environment.defer(() => this.#done("failed", asError(error)));
      return;
    }
    file.syncThen("append.erase-sync", this.#erased);
  }

  readonly #erased = (error: Error | undefined): void => {
    if (error === undefined) this.#done("full", undefined);
    else this.#done("failed", new LogStorageError("append.erase-sync", this.#file!.path, { cause: error }));
  };
}
