/**
 * Damage to the files of a log, written down as bytes, so that a fuzzer can make any and make it smaller. And an oracle:
 * what the damaged files still prove to have been durable, read from them by a second reader that is simple on purpose
 * (the layouts are those of package log, `file/record.ts` and `file/file-header.ts`).
 */
import { crc32 } from "node:zlib";
import { type Files, type LogImage, logFolder } from "./log-images.js";
import type { Random } from "./random.js";

/** One change: what is done, to which file, where, and with what. */
const changeBytes = 6;
const sectorBytes = 512;

export interface Damaged {
  readonly files: Files;
  /** Some checksum was made right again: nothing tells the damage from what was written. */
  readonly isForged: boolean;
}

type Change = (files: Map<string, Buffer>, path: string, place: number, value: number, image: LogImage) => void;

const changes: readonly Change[] = [
  function flipBit(files, path, place, value) {
    edit(
      files,
      path,
      (bytes) => (bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ (1 << (value % 8))),
    );
  },
  function zeroSector(files, path, place) {
    edit(files, path, (bytes) => bytes.subarray(sectorAt(bytes, place)).subarray(0, sectorBytes).fill(0));
  },
  function zeroRest(files, path, place) {
    edit(files, path, (bytes) => bytes.fill(0, sectorAt(bytes, place)));
  },
  function cut(files, path, place) {
    const bytes = files.get(path) as Buffer;
    files.set(path, bytes.subarray(0, place % (bytes.length + 1)));
  },
  function remove(files, path) {
    files.delete(path);
  },
  function copyFile(files, path, place) {
    files.set(path, files.get(nth(files, place)) as Buffer);
  },
  function copySector(files, path, place, value) {
    const source = files.get(nth(files, value)) as Buffer;
    const from = sectorAt(source, place);
    edit(files, path, (bytes) => copySectorOf(source, from, bytes, sectorAt(bytes, place >> 8)));
  },
  function useOlder(files, path, _place, _value, image) {
    const older = image.olderFiles.get(path);
    if (older !== undefined) files.set(path, older);
  },
  function useOlderSector(files, path, place, _value, image) {
    const older = image.olderFiles.get(path);
    if (older === undefined) return;
    edit(files, path, (bytes) => copySectorOf(older, sectorAt(bytes, place), bytes, sectorAt(bytes, place)));
  },
  function lengthen(files, path, place, value) {
    files.set(path, Buffer.concat([files.get(path) as Buffer, Buffer.alloc(place % 2_048, value)]));
  },
  function renumber(files, path, place) {
    const name = path.replace(/\d{16}$/, String(place % 12).padStart(16, "0"));
    const bytes = files.get(path) as Buffer;
    files.delete(path);
    files.set(name, bytes);
  },
  function leaveOver(files, path, place) {
    files.set(`${path}.new`, Buffer.alloc(place % 300, 1));
  },
];

/** Written behind the damage, if a checksum is to be made right again. */
const forge = changes.length;

/** A program of damage: which image, then changes. */
export function damageProgram(random: Random, imageCount: number): Buffer {
  const parts: Buffer[] = [Buffer.from([random.below(imageCount)])];
  for (let left = 1 + random.length(5); left > 0; left--) {
    const change = random.bytes(changeBytes);
    change[0] = random.chance(8) ? forge : random.below(changes.length);
    parts.push(change);
  }
  return Buffer.concat(parts);
}

/** The files of `image` after the changes of `program`, which stand behind its first byte. */
export function damagedFiles(image: LogImage, program: Buffer, foreign: Files): Damaged {
  const files = new Map(image.files);
  let isForged = false;
  for (let at = 1; at + changeBytes <= program.length && files.size > 0; at += changeBytes) {
    const kind = (program[at] as number) % (forge + 2);
    const path = nth(files, program[at + 1] as number);
    const place = program.readUIntBE(at + 2, 3);
    const value = program[at + 5] as number;
    if (kind === forge) isForged = forgeChecksum(files, path, place, value) || isForged;
    else if (kind > forge) replace(files, path, foreign);
    else (changes[kind] as Change)(files, path, place, value, image);
  }
  return { files, isForged };
}

/** The highest index that the files prove to have been durable: records that can be read where they belong, and the note. */
export function provenIndex(files: Files): number {
  let proven = 0;
  const meta = files.get(`${logFolder}/meta`);
  if (meta === undefined || meta.length < 32) return proven;
  const identity = meta.subarray(16, 32);
  for (const [path, bytes] of files) {
    const sequence = /\/log-(\d{16})$/.exec(path)?.[1];
    if (sequence !== undefined) proven = Math.max(proven, provenBySegment(bytes, Number(sequence), identity));
  }
  return Math.max(proven, provenByOwner(files.get(`${logFolder}/owner`), identity));
}

/** The note, if it is the opener's who left its mark in the header; else what that found when it came. */
function provenByOwner(owner: Buffer | undefined, identity: Buffer): number {
  const [header, note] = [0, 64].map((at) => owner?.subarray(at, at + 64)).map((part) => soundPart(part, identity));
  if (header === undefined) return 0;
  const claim = note?.subarray(48, 60).equals(header.subarray(48, 60)) ? note : header;
  return Number(claim.readBigUInt64LE(32));
}

function soundPart(part: Buffer | undefined, identity: Buffer): Buffer | undefined {
  if (part?.length !== 64 || part.toString("latin1", 0, 8) !== "HFLOGOWN") return undefined;
  const isSound = crc32(part.subarray(0, 60)) === part.readUInt32LE(60) && part.subarray(16, 32).equals(identity);
  return isSound ? part : undefined;
}

function provenBySegment(bytes: Buffer, sequence: number, identity: Buffer): number {
  let proven = 0;
  for (let at = sectorBytes; at + 64 <= bytes.length; at += sectorBytes) {
    const head = bytes.subarray(at, at + 64);
    if (head.toString("latin1", 0, 4) !== "HREC" || crc32(head.subarray(0, 60)) !== head.readUInt32LE(60)) continue;
    const belongs = head.readUInt32LE(24) === sequence && head.readUInt32LE(28) === at;
    if (belongs && head.subarray(32, 48).equals(identity)) proven = Math.max(proven, Number(head.readBigUInt64LE(16)));
  }
  return proven;
}

/** Changes a byte under a checksum, and the checksum with it. @returns whether there was one. */
function forgeChecksum(files: Map<string, Buffer>, path: string, place: number, value: number): boolean {
  const bytes = files.get(path) as Buffer;
  const at = sectorAt(bytes, place);
  if (at + 64 > bytes.length) return false;
  edit(files, path, (copy) => {
    copy[at + 4 + (place % 56)] = value;
    copy.writeUInt32LE(crc32(copy.subarray(at, at + 60)), at + 60);
  });
  return true;
}

function replace(files: Map<string, Buffer>, path: string, foreign: Files): void {
  const bytes = foreign.get(path);
  if (bytes !== undefined) files.set(path, bytes);
}

function edit(files: Map<string, Buffer>, path: string, change: (copy: Buffer) => void): void {
  const copy = Buffer.from(files.get(path) as Buffer);
  if (copy.length > 0) change(copy);
  files.set(path, copy);
}

function copySectorOf(source: Buffer, from: number, target: Buffer, to: number): void {
  source.subarray(from).subarray(0, sectorBytes).copy(target, to);
}

function nth(files: Files, number: number): string {
  return [...files.keys()].sort()[number % files.size] as string;
}

function sectorAt(bytes: Buffer, place: number): number {
  const sectors = Math.ceil(bytes.length / sectorBytes);
  return sectors === 0 ? 0 : (place % sectors) * sectorBytes;
}
