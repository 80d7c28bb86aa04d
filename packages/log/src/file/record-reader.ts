/**
 * Reads the records of one segment in order, a slice at a time, and says exactly where and why it
 * stopped. What a stop means, end or damage, is for the caller to judge.
 */

import { ENTRY_BYTES_LIMIT } from "../limits.js";
import type { DiskFile, DiskOperation } from "./disk.js";
import { FileWindow } from "./file-window.js";
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
  const { file, fileBytes } = place;
  const window = new FileWindow({ file, operation, fileBytes, sliceBytes: Math.max(sliceBytes, SECTOR_BYTES) });
  try {
    return await readFrom(window, place, offset, index, visit);
  } finally {
    await window.settle();
  }
}

async function readFrom(
  window: FileWindow,
  place: SegmentPlace,
  offset: number,
  index: number,
  visit: RecordVisitor,
): Promise<Stop> {
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
