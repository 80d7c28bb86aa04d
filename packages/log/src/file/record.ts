/**
 * One entry on disk: a header of 64 bytes, the entry, zeros up to a multiple of 512.
 *
 * Each record starts in a sector of its own, so a lost or torn sector harms one record only, and
 * writing a record never rewrites a sector that an earlier one has made durable. The header has its
 * own checksum and says where it belongs, so that headers can be found by scanning even if a length
 * before them is wrong, and a record in the wrong place is recognised (fault model F3, F4).
 *
 * Layout, little-endian:
 *
 * | at | bytes | field |
 * |---|---|---|
 * | 0  | 4  | `HREC` |
 * | 4  | 4  | length of the entry |
 * | 8  | 8  | index |
 * | 16 | 8  | highest index known durable when this was written |
 * | 24 | 4  | sequence of the segment |
 * | 28 | 4  | offset of this header in the segment |
 * | 32 | 16 | identity of the log |
 * | 48 | 4  | CRC-32 of the entry and the zeros behind it |
 * | 52 | 8  | zero |
 * | 60 | 4  | CRC-32 of the 60 bytes before |
 * | 64 |    | the entry |
 */

import { crc32 } from "node:zlib";
import { readUint64, writeUint64 } from "../bytes.js";

export const RECORD_HEADER_BYTES = 64;
export const SECTOR_BYTES = 512;
/** The segment header has a sector of its own too. */
export const SEGMENT_HEADER_BYTES = SECTOR_BYTES;
const MAGIC = 0x43455248;
const CHECKSUM_AT = RECORD_HEADER_BYTES - 4;

export interface RecordHead {
  readonly entryBytes: number;
  readonly index: number;
  readonly durableIndex: number;
  readonly sequence: number;
  readonly offset: number;
  readonly checksum: number;
}

/** Whole sectors that a record with an entry of `entryBytes` takes. */
export function recordBytes(entryBytes: number): number {
  return Math.ceil((RECORD_HEADER_BYTES + entryBytes) / SECTOR_BYTES) * SECTOR_BYTES;
}

/**
 * Completes the record at `at`, whose entry lies behind the header already; `checksum` is the CRC-32 of the entry, if it is known.
 * @returns its length.
 */
export function sealRecord(
  target: Buffer,
  at: number,
  entryBytes: number,
  index: number,
  durableIndex: number,
  sequence: number,
  offset: number,
  identity: Buffer,
  checksum?: number,
): number {
  const length = recordBytes(entryBytes);
  const entryAt = at + RECORD_HEADER_BYTES;
  const entryEnd = entryAt + entryBytes;
  target.fill(0, entryEnd, at + length);
  target.writeUInt32LE(MAGIC, at);
  target.writeUInt32LE(entryBytes, at + 4);
  writeUint64(target, index, at + 8);
  writeUint64(target, durableIndex, at + 16);
  target.writeUInt32LE(sequence, at + 24);
  target.writeUInt32LE(offset, at + 28);
  target.set(identity, at + 32);
  const bodyChecksum =
    checksum === undefined
      ? crc32(target.subarray(entryAt, at + length))
      : crc32(target.subarray(entryEnd, at + length), checksum);
  target.writeUInt32LE(bodyChecksum, at + 48);
  target.fill(0, at + 52, at + CHECKSUM_AT);
  target.writeUInt32LE(crc32(target.subarray(at, at + CHECKSUM_AT)), at + CHECKSUM_AT);
  return length;
}

/** The record header at `at`, if there is a whole one of this log. */
export function readRecordHead(source: Buffer, at: number, identity: Buffer): RecordHead | undefined {
  if (at + RECORD_HEADER_BYTES > source.length || source.readUInt32LE(at) !== MAGIC) return undefined;
  if (source.readUInt32LE(at + CHECKSUM_AT) !== crc32(source.subarray(at, at + CHECKSUM_AT))) return undefined;
  if (identity.compare(source, at + 32, at + 48) !== 0) return undefined;
  return {
    entryBytes: source.readUInt32LE(at + 4),
    index: readUint64(source, at + 8),
    durableIndex: readUint64(source, at + 16),
    sequence: source.readUInt32LE(at + 24),
    offset: source.readUInt32LE(at + 28),
    checksum: source.readUInt32LE(at + 48),
  };
}

/** Whether the whole record at `at` is in `source` and its entry is what was written. */
export function isBodyIntact(source: Buffer, at: number, head: RecordHead): boolean {
  const end = at + recordBytes(head.entryBytes);
  return end <= source.length && crc32(source.subarray(at + RECORD_HEADER_BYTES, end)) === head.checksum;
}
