/**
 * Snapshots as files. One is written under a temporary name, synced, read back, and only then given
 * its name, so whatever has the name of a snapshot was whole once (fault model F5).
 *
 * Layout, little-endian: a file header (`file-header.ts`), then for each chunk its length (4), its
 * ordinal from 0 (4), a CRC-32 of those 8 bytes and the chunk (4), the chunk; at the end 0xffffffff
 * (4), the number of chunks (4), the bytes in all chunks (8), the SHA-256 of the file before the
 * trailer (32), a CRC-32 of the 48 bytes before (4).
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type Allocate, grown, readUint64, writeUint64 } from "../bytes.js";
import { type Digests, digestsWithinTurn, type RunningDigest } from "../digests.js";
import type { SnapshotReader, SnapshotStore } from "../engine.js";
import { LogDamagedError, LogFullError, LogMissingError } from "../errors.js";
import {
  type Disk,
  type DiskFile,
  isOutOfHandles,
  isOutOfSpace,
  readAll,
  removeIfThere,
  withFile,
  writeAll,
} from "./disk.js";
import { FILE_HEADER_BYTES, readFileHeader, writeFileHeader } from "./file-header.js";
import { snapshotName, unfinished } from "./file-names.js";
import { FileWindow } from "./file-window.js";
import { removeInSlices } from "./remove-in-slices.js";

const CHUNK_HEAD_BYTES = 12;
const WORD_BYTES = 8;
const TRAILER_BYTES = 52;
const TRAILER_MARK = 0xffffffff;
const READ_SLICE_BYTES = 256 * 1024;
const SCRATCH_BYTES = 128 * 1024;
/**
 * What is written between two syncs. Synced at once, 110 MiB kept an append, which waits in the same queue of the disk, for 60 to
 * 86 ms; in slices of 1 MiB for 1 to 4 ms, and of 16 MiB for 10 to 14 ms. All of it then takes a fifth longer.
 */
const SYNC_SLICE_BYTES = 1024 * 1024;

export interface SnapshotCheck {
  readonly firstIndex: number;
  readonly lastIndex: number;
}

export class SnapshotFiles implements SnapshotStore {
  /** Called before a snapshot gets its name. What it throws keeps it from that. */
  beforePublishing: () => void = () => {};
  /** Where the digests of files are taken. */
  digests: Digests = digestsWithinTurn;
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #identity: Buffer;
  /** Newest first. */
  #list: number[] = [];
  readonly #bytes = new Map<number, number>();
  #damaged: string[] = [];

  constructor(disk: Disk, folder: string, identity: Buffer) {
    this.#disk = disk;
    this.#folder = folder;
    this.#identity = identity;
  }

  /** Files that bear the name of a snapshot and are none. */
  get damaged(): readonly string[] {
    return this.#damaged;
  }

  get bytesOnDisk(): number {
    let bytes = 0;
    for (const size of this.#bytes.values()) bytes += size;
    return bytes;
  }

  /**
   * Takes stock of the files found, newest first, and verifies them up to the first good one, whose chunks `reader` gets.
   * What they hold counts only once `assertFit` has passed.
   * @throws LogDamagedError if one is of another log; what `reader` throws.
   */
  async open(found: readonly number[], reader: SnapshotReader | undefined): Promise<void> {
    const newestFirst = [...found].sort((a, b) => b - a);
    for (const index of newestFirst) await this.#checkHeader(index);
    while (this.#list.length > 0 && !(await this.#isWhole(this.#list[0]!, reader))) {
      this.#damaged.push(this.nameOf(this.#list.shift()!));
      reader?.begin(0);
    }
  }

  /**
   * Checks the snapshots found against the entries of the log.
   * @throws LogDamagedError if one claims more than the log holds, or if the log does not reach back to a good one;
   * LogMissingError if the log does not reach back to an older one.
   */
  assertFit({ firstIndex, lastIndex }: SnapshotCheck): void {
    for (const index of this.#bytes.keys()) {
      if (index <= lastIndex) continue;
      const reason = `the snapshot covers entry ${index}, but the log ends at ${lastIndex}`;
      throw new LogDamagedError(this.nameOf(index), 0, reason);
    }
    this.#assertReach(firstIndex);
  }

  list(): readonly number[] {
    return this.#list;
  }

  nameOf(index: number): string {
    return join(this.#folder, snapshotName(index));
  }

  async write(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    const path = this.nameOf(index);
    let bytes = 0;
    try {
      bytes = await this.#writeDraft(unfinished(path), index, chunks);
      this.beforePublishing();
      await this.#disk.rename("snapshot.publish", unfinished(path), path);
    } catch (error) {
      await removeIfThere(this.#disk, "leftover.remove", unfinished(path));
      if (isOutOfSpace(error) || isOutOfHandles(error)) throw new LogFullError(path, { cause: error });
      throw error;
    }
    await this.#disk.syncFolder("folder.sync", this.#folder);
    this.#list = [index, ...this.#list.filter((other) => other !== index)];
    this.#bytes.set(index, bytes);
    this.#damaged = this.#damaged.filter((other) => other !== path);
  }

  async *read(index: number): AsyncIterable<Uint8Array> {
    const path = this.nameOf(index);
    const file = await this.#disk.open("snapshot.read", path, "read");
    try {
      for await (const chunk of readChunks(file, path)) yield Buffer.from(chunk);
    } finally {
      await file.close("handle.close");
    }
  }

  async prune(keep: number): Promise<void> {
    const old = this.#list.slice(keep);
    if (old.length === 0) return;
    this.#list = this.#list.slice(0, keep);
    // A damaged one is kept as evidence until as many good ones have followed as are ever kept.
    for (const path of this.#damaged.splice(0)) await this.#remove(path, 0);
    for (const index of old) {
      await this.#remove(this.nameOf(index), this.#bytes.get(index) ?? 0);
      this.#bytes.delete(index);
    }
  }

  #remove(path: string, bytes: number): Promise<void> {
    return removeInSlices(this.#disk, "snapshot.remove", this.#folder, path, bytes);
  }

  /** Entries are discarded only when no snapshot needs them any more, so the log reaches back to each of them. */
  #assertReach(firstIndex: number): void {
    const oldest = this.#list.at(-1);
    if (firstIndex === 1 || (oldest !== undefined && oldest >= firstIndex - 1)) return;
    if (oldest === undefined && this.#damaged.length > 0) {
      const reason = `the snapshot is damaged, and the log starts with entry ${firstIndex}`;
      throw new LogDamagedError(this.#damaged[0]!, 0, reason);
    }
    const needed = oldest === undefined ? "there is no snapshot" : `there is a snapshot of entry ${oldest}`;
    throw new LogMissingError(this.#folder, `the log starts with entry ${firstIndex}, but ${needed}`);
  }

  async #checkHeader(index: number): Promise<void> {
    const path = this.nameOf(index);
    await withFile(this.#disk, "snapshot.read", path, "read", async (file) => {
      const bytes = Buffer.alloc(FILE_HEADER_BYTES);
      const count = await readAll(file, "snapshot.read", bytes, 0);
      const header = readFileHeader(bytes.subarray(0, count), "HFLOGSNP", path);
      if (typeof header === "string" || header.first !== index) {
        this.#damaged.push(path);
        return;
      }
      if (!header.identity.equals(this.#identity))
        throw new LogDamagedError(path, 0, "the snapshot belongs to another log");
      this.#list.push(index);
      this.#bytes.set(index, await file.size("snapshot.read"));
    });
  }

  async #isWhole(index: number, reader: SnapshotReader | undefined): Promise<boolean> {
    const path = this.nameOf(index);
    reader?.begin(index);
    try {
      await withFile(this.#disk, "snapshot.read", path, "read", async (file) => {
        for await (const chunk of readChunks(file, path)) reader?.chunk(chunk);
      });
      return true;
    } catch (error) {
      if (error instanceof LogDamagedError) return false;
      throw error;
    }
  }

  /** @returns the length of the file. */
  async #writeDraft(draft: string, index: number, chunks: Iterable<Uint8Array>): Promise<number> {
    const { bytes, trailer } = await withFile(this.#disk, "snapshot.create", draft, "create", async (file) => {
      // About as long as the last one was.
      const digest = this.digests.begin(this.#bytes.get(this.#list[0] ?? 0) ?? 0);
      try {
        const writer = new SnapshotWriter(file, digest, this.digests.allocate);
        await writer.begin(this.#identity, index);
        for (const chunk of chunks) await writer.add(chunk);
        const written = await writer.end();
        await file.sync("snapshot.sync");
        return written;
      } finally {
        digest.drop();
      }
    });
    await withFile(this.#disk, "snapshot.read", draft, "read", (file) =>
      assertWritten(file, draft, bytes, trailer, this.digests),
    );
    return bytes;
  }
}

class SnapshotWriter {
  readonly #file: DiskFile;
  readonly #digest: RunningDigest;
  readonly #allocate: Allocate;
  /** Used again for every chunk: new memory for each costs ten times as much as the copy. */
  #scratch: Buffer;
  #position = 0;
  #syncedUpTo = 0;
  #chunks = 0;
  #chunkBytes = 0;

  constructor(file: DiskFile, digest: RunningDigest, allocate: Allocate) {
    this.#file = file;
    this.#digest = digest;
    this.#allocate = allocate;
    this.#scratch = allocate(SCRATCH_BYTES);
  }

  async begin(identity: Buffer, index: number): Promise<void> {
    const header = Buffer.alloc(FILE_HEADER_BYTES);
    writeFileHeader(header, "HFLOGSNP", identity, index);
    await this.#append(header);
  }

  async add(chunk: Uint8Array): Promise<void> {
    const length = CHUNK_HEAD_BYTES + chunk.length;
    this.#scratch = grown(this.#scratch, WORD_BYTES + length, this.#allocate);
    // Copied into shared memory by words, ten times as fast as byte by byte, only where both lie alike.
    const start = (chunk.byteOffset + WORD_BYTES - (CHUNK_HEAD_BYTES % WORD_BYTES)) % WORD_BYTES;
    const bytes = this.#scratch.subarray(start, start + length);
    bytes.writeUInt32LE(chunk.length, 0);
    bytes.writeUInt32LE(this.#chunks, 4);
    bytes.set(chunk, CHUNK_HEAD_BYTES);
    bytes.writeUInt32LE(chunkChecksum(bytes), 8);
    await this.#append(bytes);
    this.#chunks += 1;
    this.#chunkBytes += chunk.length;
  }

  /** @returns the length of the file, and its end. */
  async end(): Promise<{ readonly bytes: number; readonly trailer: Buffer }> {
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeUInt32LE(TRAILER_MARK, 0);
    trailer.writeUInt32LE(this.#chunks, 4);
    writeUint64(trailer, this.#chunkBytes, 8);
    trailer.set(await this.#digest.end(), 16);
    trailer.writeUInt32LE(crc32(trailer.subarray(0, TRAILER_BYTES - 4)), TRAILER_BYTES - 4);
    await writeAll(this.#file, "snapshot.write", trailer, this.#position);
    return { bytes: this.#position + TRAILER_BYTES, trailer };
  }

  async #append(bytes: Buffer): Promise<void> {
    // Both come to an end before the file may be closed, and its number be that of another file.
    const written = writeAll(this.#file, "snapshot.write", bytes, this.#position);
    const ends = await Promise.allSettled([written, this.#digest.update(bytes)]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    this.#position += bytes.length;
    if (this.#position - this.#syncedUpTo < SYNC_SLICE_BYTES) return;
    await this.#file.sync("snapshot.sync");
    this.#syncedUpTo = this.#position;
  }
}

function chunkChecksum(chunk: Buffer): number {
  return crc32(chunk.subarray(CHUNK_HEAD_BYTES), crc32(chunk.subarray(0, 8)));
}

/**
 * Reads a file back without looking at its chunks: long ones need not be put together for it. The digest in the trailer covers
 * all that is before it.
 * @throws LogDamagedError unless it holds what was written, `bytes` in all with `trailer` at the end.
 */
async function assertWritten(
  file: DiskFile,
  path: string,
  bytes: number,
  trailer: Buffer,
  digests: Digests,
): Promise<void> {
  const fileBytes = await file.size("snapshot.read");
  if (fileBytes !== bytes) throw new LogDamagedError(path, fileBytes, `${bytes} bytes were written`);
  const trailerAt = bytes - TRAILER_BYTES;
  const found = await digestOfFile(file, path, trailerAt, digests);
  const end = Buffer.alloc(TRAILER_BYTES);
  const endBytes = await readAll(file, "snapshot.read", end, trailerAt);
  const isWhole = trailer.subarray(16, 48).equals(found) && endBytes === end.length && end.equals(trailer);
  if (!isWhole) throw new LogDamagedError(path, trailerAt, "the digest of the file does not match");
}

/** The digest of the first `fileBytes` of a file. @throws LogDamagedError if there are fewer. */
async function digestOfFile(file: DiskFile, path: string, fileBytes: number, digests: Digests): Promise<Uint8Array> {
  const digest = digests.begin(fileBytes);
  const { allocate } = digests;
  const sliceBytes = READ_SLICE_BYTES;
  const window = new FileWindow({ file, operation: "snapshot.read", fileBytes, sliceBytes, allocate });
  try {
    for (let at = 0; at < fileBytes; at += window.bytes.length) {
      await window.move(at, 1);
      if (window.bytes.length === 0) throw new LogDamagedError(path, at, "the file ends too early");
      await digest.update(window.bytes);
    }
    return await digest.end();
  } finally {
    digest.drop();
    await window.settle();
  }
}

/** The chunks of a file, each valid until the next; they are good once the last has come. */
async function* readChunks(file: DiskFile, path: string): AsyncIterable<Buffer> {
  const fileBytes = await file.size("snapshot.read");
  const window = new FileWindow({ file, operation: "snapshot.read", fileBytes, sliceBytes: READ_SLICE_BYTES });
  try {
    yield* chunksIn(window, path, fileBytes);
  } finally {
    await window.settle();
  }
}

async function* chunksIn(window: FileWindow, path: string, fileBytes: number): AsyncIterable<Buffer> {
  const digest = createHash("sha256");
  const damaged = (at: number, reason: string) => new LogDamagedError(path, at, reason);
  digest.update(await readExactly(window, path, 0, FILE_HEADER_BYTES));
  let chunkBytes = 0;
  let at = FILE_HEADER_BYTES;
  for (let ordinal = 0; ; ordinal++) {
    const head = await readExactly(window, path, at, CHUNK_HEAD_BYTES);
    const length = head.readUInt32LE(0);
    if (length === TRAILER_MARK) {
      const trailer = await readExactly(window, path, at, TRAILER_BYTES);
      const reason = checkTrailer(trailer, ordinal, chunkBytes, digest.digest());
      if (reason !== undefined) throw damaged(at, reason);
      if (at + TRAILER_BYTES !== fileBytes) throw damaged(at + TRAILER_BYTES, "bytes behind the trailer");
      return;
    }
    if (at + CHUNK_HEAD_BYTES + length > fileBytes) throw damaged(at, "the chunk is longer than the file");
    const chunk = await readExactly(window, path, at, CHUNK_HEAD_BYTES + length);
    if (chunk.readUInt32LE(4) !== ordinal)
      throw damaged(at, `chunk ${chunk.readUInt32LE(4)} where ${ordinal} is expected`);
    if (chunk.readUInt32LE(8) !== chunkChecksum(chunk)) throw damaged(at, "the chunk checksum does not match");
    digest.update(chunk);
    chunkBytes += length;
    at += chunk.length;
    yield chunk.subarray(CHUNK_HEAD_BYTES);
  }
}

function checkTrailer(trailer: Buffer, chunks: number, chunkBytes: number, digest: Buffer): string | undefined {
  if (trailer.readUInt32LE(TRAILER_BYTES - 4) !== crc32(trailer.subarray(0, TRAILER_BYTES - 4))) {
    return "the trailer checksum does not match";
  }
  if (trailer.readUInt32LE(4) !== chunks || readUint64(trailer, 8) !== chunkBytes) return "chunks are missing";
  return digest.compare(trailer, 16, 48) === 0 ? undefined : "the digest of the file does not match";
}

/** A view that is valid until the window moves. */
async function readExactly(window: FileWindow, path: string, at: number, length: number): Promise<Buffer> {
  if (!window.holds(at, length)) await window.move(at, length);
  const bytes = window.bytes.subarray(window.offsetOf(at), window.offsetOf(at) + length);
  if (bytes.length < length) throw new LogDamagedError(path, at + bytes.length, "the file ends too early");
  return bytes;
}
