/**
 * Reads the records of one segment in order, a slice at a time, and says exactly where and why it
 * stopped. What a stop means, end or damage, is for the caller to judge.
 */

import { ENTRY_BYTES_LIMIT } from "../limits.js";
import { type DiskFile, type DiskOperation, readAll } from "./disk.js";
import {
  isBodyIntact,
  RECORD_HEADER_BYTES,
  type RecordHead,
  readRecordHead,
  recordBytes,
  SECTOR_BYTES,
} from "./record.js";

/** `entry` is valid only during the call. Return false to stop. */
export type RecordVisitor = (index: number, entry: Buffer, head: RecordHead, offset: number) => boolean;

export type StopReason =
  /** The visitor returned false. */
  | "visitor"
  /** No room for another record. */
  | "end"
  /** No record header can be read. */
  | "no-header"
  /** A whole header that belongs elsewhere. */
  | "misplaced"
  /** A right header, and behind it something else than was written. */
  | "torn";

export interface Stop {
  readonly reason: StopReason;
  /** Where the record starts, or would start, at which the reading ended. */
  readonly offset: number;
  readonly index: number;
}

export interface SegmentPlace {
  readonly file: DiskFile;
  readonly fileBytes: number;
  readonly sequence: number;
  readonly identity: Buffer;
}

const ENTRY_BYTES_READABLE = ENTRY_BYTES_LIMIT + 1024;

/** Reads from the record of `index` at `offset` until something stops it. */
export async function readRecords(
  place: SegmentPlace,
  operation: DiskOperation,
  sliceBytes: number,
  offset: number,
  index: number,
  visit: RecordVisitor,
): Promise<Stop> {
  const window = new Window(place.file, operation, place.fileBytes, Math.max(sliceBytes, SECTOR_BYTES));
  for (let nextIndex = index, at = offset; ; nextIndex++) {
    const stop = (reason: StopReason): Stop => ({ reason, offset: at, index: nextIndex });
    if (at + SECTOR_BYTES > place.fileBytes) return stop("end");
    if (!window.holds(at, SECTOR_BYTES)) await window.move(at, SECTOR_BYTES);
    const head = readRecordHead(window.bytes, window.offsetOf(at), place.identity);
    if (head === undefined) return stop("no-header");
    if (!isInPlace(head, place.sequence, at, nextIndex)) return stop("misplaced");
    const length = recordBytes(head.entryBytes);
    if (at + length > place.fileBytes) return stop("torn");
    if (!window.holds(at, length)) await window.move(at, length);
    const start = window.offsetOf(at);
    if (!isBodyIntact(window.bytes, start, head)) return stop("torn");
    const bodyStart = start + RECORD_HEADER_BYTES;
    if (!visit(nextIndex, window.bytes.subarray(bodyStart, bodyStart + head.entryBytes), head, at))
      return stop("visitor");
    at += length;
  }
}

function isInPlace(head: RecordHead, sequence: number, offset: number, index: number): boolean {
  if (head.sequence !== sequence || head.offset !== offset || head.index !== index) return false;
  return head.durableIndex < index && head.entryBytes <= ENTRY_BYTES_READABLE;
}

/** A part of a file in memory. Moving it is the only thing that waits. */
class Window {
  bytes: Buffer = Buffer.alloc(0);
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  readonly #file: DiskFile;
  readonly #operation: DiskOperation;
  readonly #fileBytes: number;
  readonly #sliceBytes: number;

  constructor(file: DiskFile, operation: DiskOperation, fileBytes: number, sliceBytes: number) {
    this.#file = file;
    this.#operation = operation;
    this.#fileBytes = fileBytes;
    this.#sliceBytes = sliceBytes;
  }

  holds(at: number, length: number): boolean {
    return at >= this.#start && at + length <= this.#start + this.bytes.length;
  }

  offsetOf(at: number): number {
    return at - this.#start;
  }

  /** Moves to `at`, with at least `length` bytes if the file has them. */
  async move(at: number, length: number): Promise<void> {
    const wanted = Math.min(Math.max(length, this.#sliceBytes), this.#fileBytes - at);
    const kept = this.#keepFrom(at, wanted);
    const target = this.#buffer.subarray(kept, wanted);
    const filled = kept + (await readAll(this.#file, this.#operation, target, at + kept));
    this.#start = at;
    this.bytes = this.#buffer.subarray(0, filled);
  }

  /** Brings what is in memory of `at …` to the front of a buffer of at least `wanted` bytes. @returns how much. */
  #keepFrom(at: number, wanted: number): number {
    const end = this.#start + this.bytes.length;
    const rest = at >= this.#start && at < end ? this.bytes.subarray(at - this.#start) : this.bytes.subarray(0, 0);
    if (this.#buffer.length >= wanted) {
      rest.copy(this.#buffer);
    } else {
      const larger = Buffer.allocUnsafeSlow(wanted);
      rest.copy(larger);
      this.#buffer = larger;
    }
    return Math.min(rest.length, wanted);
  }
}
