/**
 * The 64 bytes every file of a log starts with. Their layout stays the same in all later versions,
 * so that an old program can always tell a newer file from a damaged one.
 *
 * Layout, little-endian:
 *
 * | at | bytes | field | meta | segment | snapshot | owner |
 * |---|---|---|---|---|---|---|
 * | 0  | 8  | name of the kind | `HFLOGMET` | `HFLOGSEG` | `HFLOGSNP` | `HFLOGOWN` |
 * | 8  | 4  | format version, 1 | | | | |
 * | 12 | 4  | number | 0 | sequence | 0 | 0 |
 * | 16 | 16 | identity of the log | | | | |
 * | 32 | 8  | first | 0 | index of the first entry | index covered | highest index known durable when it was opened |
 * | 40 | 8  | second | 0 | length of the file | 0 | 0 |
 * | 48 | 12 | mark | 0 | 0 | 0 | random, names the opener |
 * | 60 | 4  | CRC-32 of the 60 bytes before | | | | |
 *
 * The note in the owner file (`owner-file.ts`) is laid out like its header: first is the highest index known durable,
 * second is 1 if the log was closed in order.
 */

import { crc32 } from "node:zlib";
import { readUint64, writeUint64 } from "../bytes.js";
import { LogVersionError } from "../errors.js";

export const FILE_HEADER_BYTES = 64;
export const FORMAT_VERSION = 1;
export const IDENTITY_BYTES = 16;
export const MARK_BYTES = 12;
export const MARK_AT = 48;
const CHECKSUM_AT = FILE_HEADER_BYTES - 4;

export type FileKind = "HFLOGMET" | "HFLOGSEG" | "HFLOGSNP" | "HFLOGOWN";

export interface FileHeader {
  readonly number: number;
  readonly identity: Buffer;
  readonly first: number;
  readonly second: number;
  readonly mark: Buffer;
}

const NO_MARK = Buffer.alloc(MARK_BYTES);

/** Writes a header to the start of `target`. */
export function writeFileHeader(
  target: Buffer,
  kind: FileKind,
  identity: Buffer,
  first = 0,
  second = 0,
  number = 0,
  mark: Buffer = NO_MARK,
): void {
  target.write(kind, 0, "latin1");
  target.writeUInt32LE(FORMAT_VERSION, 8);
  target.writeUInt32LE(number, 12);
  target.set(identity, 16);
  writeUint64(target, first, 32);
  writeUint64(target, second, 40);
  target.set(mark, MARK_AT);
  target.writeUInt32LE(crc32(target.subarray(0, CHECKSUM_AT)), CHECKSUM_AT);
}

/**
 * The header at the start of `source`, or why it cannot be read.
 * @throws LogVersionError if it is whole and of a newer version.
 */
export function readFileHeader(source: Buffer, kind: FileKind, path: string): FileHeader | string {
  if (source.length < FILE_HEADER_BYTES) return "the file ends within its header";
  if (source.toString("latin1", 0, 8) !== kind) return "the header is not one of this kind of file";
  if (source.readUInt32LE(CHECKSUM_AT) !== crc32(source.subarray(0, CHECKSUM_AT)))
    return "the header checksum does not match";
  const version = source.readUInt32LE(8);
  if (version !== FORMAT_VERSION) throw new LogVersionError(path, version, FORMAT_VERSION);
  const first = readUint64(source, 32);
  const second = readUint64(source, 40);
  if (Number.isNaN(first) || Number.isNaN(second)) return "the header holds a number beyond 2^53";
  return {
    number: source.readUInt32LE(12),
    identity: Buffer.from(source.subarray(16, 32)),
    first,
    second,
    mark: Buffer.from(source.subarray(MARK_AT, CHECKSUM_AT)),
  };
}
