/**
 * Keeps one empty segment ready behind the one in use, made in the background. An append that needs
 * it before it is ready waits for it; one that finds no room on the disk is told so, and the next
 * attempt asks for the smallest segment that will do.
 */

import { asError } from "../errors.js";
import type { LogLimits } from "../limits.js";
import { type Disk, type DiskFile, isOutOfHandles, isOutOfSpace } from "./disk.js";
import { makeSegmentFile, segmentBytesMin } from "./segment-file.js";

export interface Spare {
  readonly file: DiskFile;
  readonly sequence: number;
  readonly bytes: number;
}

export class SpareSegment {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #limits: LogLimits;
  readonly #failed: (error: Error) => void;
  #ready: Spare | undefined;
  #making: Promise<void> | undefined;
  #stopped = false;
  #roomWasShort = false;
  #waiting: ((spare: Spare | undefined) => void) | undefined;

  /** @param failed told of a storage failure; lack of space is none. */
  constructor(disk: Disk, folder: string, limits: LogLimits, failed: (error: Error) => void) {
    this.#disk = disk;
    this.#folder = folder;
    this.#limits = limits;
    this.#failed = failed;
  }

  /** The spare, if it is there; it stays with this object until `take`. */
  get ready(): Spare | undefined {
    return this.#ready;
  }

  /** Takes over a spare found when the log was opened. */
  adopt(spare: Spare): void {
    this.#ready = spare;
  }

  /** Starts making one, unless there is one or it is being made. */
  prepare(sequence: number, bytes: number): void {
    if (this.#ready !== undefined || this.#making !== undefined || this.#stopped) return;
    const size = this.#roomWasShort ? segmentBytesMin(this.#limits) : bytes;
    this.#making = this.#make(sequence, size);
  }

  /** Calls `callback` in a later turn, once: with the spare, or without if there is no room or the log has failed. */
  whenReady(callback: (spare: Spare | undefined) => void): void {
    this.#waiting = callback;
  }

  /** The spare is in use from now on. */
  take(): void {
    this.#ready = undefined;
  }

  /** Ends the making and closes what is there. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#making;
    await this.#ready?.file.close("handle.close");
    this.#ready = undefined;
  }

  async #make(sequence: number, bytes: number): Promise<void> {
    try {
      const { zeroSliceBytes } = this.#limits;
      const file = await makeSegmentFile(
        this.#disk,
        this.#folder,
        sequence,
        bytes,
        zeroSliceBytes,
        undefined,
        () => this.#stopped,
      );
      if (file !== undefined) this.#ready = { file, sequence, bytes };
      this.#roomWasShort = false;
    } catch (error) {
      this.#roomWasShort = true;
      if (!isOutOfSpace(error) && !isOutOfHandles(error)) this.#failed(asError(error));
    } finally {
      this.#making = undefined;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.(this.#ready);
    }
  }
}
