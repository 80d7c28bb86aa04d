/**
 * The first chunk of every snapshot belongs to the log, the others to its owner. It ties the
 * snapshot to one entry of one history: without it a snapshot of another log, or of a lost branch
 * of this one, would be loaded without complaint.
 *
 * Layout, little-endian: version (4, = 1), zero (4), epoch at the index (8), digest of the entry at
 * the index (16).
 */

import { asBuffer, readUint64, writeUint64 } from "./bytes.js";
import type { Chain } from "./chain.js";
import type { LogEngine, SnapshotStore } from "./engine.js";
import { DIGEST_BYTES, digestOf } from "./entry-frame.js";
import { LogDamagedError } from "./errors.js";
import type { LogSnapshot } from "./log.js";

const HEAD_VERSION = 1;
const HEAD_BYTES = 16 + DIGEST_BYTES;

export interface SnapshotHead {
  readonly epoch: number;
  readonly digest: Buffer;
}

export function encodeSnapshotHead(head: SnapshotHead): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt32LE(HEAD_VERSION, 0);
  writeUint64(bytes, head.epoch, 8);
  bytes.set(head.digest, 16);
  return bytes;
}

/** The head, or why there is none. */
export function decodeSnapshotHead(chunk: Uint8Array): SnapshotHead | string {
  const bytes = asBuffer(chunk);
  if (bytes.length !== HEAD_BYTES) return "snapshot does not start with its head";
  const version = bytes.readUInt32LE(0);
  if (version !== HEAD_VERSION) return `snapshot of version ${version}, this program knows ${HEAD_VERSION}`;
  return { epoch: readUint64(bytes, 8), digest: Buffer.from(bytes.subarray(16)) };
}

/**
 * The head, then what the owner supplies, still one chunk at a time.
 * @throws RangeError at a chunk longer than `chunkBytesMax`.
 */
export function* snapshotChunks(
  head: SnapshotHead,
  chunks: Iterable<Uint8Array>,
  chunkBytesMax: number,
): Iterable<Uint8Array> {
  yield encodeSnapshotHead(head);
  for (const chunk of chunks) {
    if (chunk.length > chunkBytesMax)
      throw new RangeError(`snapshot chunk of ${chunk.length} bytes exceeds ${chunkBytesMax}`);
    yield chunk;
  }
}

/**
 * The newest snapshot of `engine`, once its head has been found to fit the entries; `chain` learns
 * from it what the entries alone do not tell. Undefined if there is no snapshot.
 * @throws LogDamagedError if it belongs to another history.
 */
export async function openSnapshot(engine: LogEngine, chain: Chain): Promise<LogSnapshot | undefined> {
  const index = engine.snapshots.list()[0];
  if (index === undefined) return undefined;
  const name = engine.snapshots.nameOf(index);
  const head = await readHead(engine.snapshots, index, name);
  const digest = await digestAt(engine, chain, index);
  if (digest !== undefined && head.digest.compare(digest) !== 0) {
    throw new LogDamagedError(name, 0, `the snapshot is of another history than entry ${index}`);
  }
  chain.anchor(index, head.epoch, head.digest);
  return { index, epoch: head.epoch, chunks: () => ownChunks(engine.snapshots, index) };
}

async function readHead(snapshots: SnapshotStore, index: number, name: string): Promise<SnapshotHead> {
  for await (const chunk of snapshots.read(index)) {
    const head = decodeSnapshotHead(chunk);
    if (typeof head !== "string") return head;
    throw new LogDamagedError(name, 0, head);
  }
  throw new LogDamagedError(name, 0, "the snapshot is empty");
}

/** The digest of the entry at `index` as far as the entries tell. */
async function digestAt(engine: LogEngine, chain: Chain, index: number): Promise<Uint8Array | undefined> {
  if (!chain.linked) return undefined;
  if (index === chain.firstIndex - 1) return chain.digestBeforeFirst;
  const entry = await engine.get(index);
  return entry === undefined ? undefined : digestOf(entry);
}

async function* ownChunks(snapshots: SnapshotStore, index: number): AsyncIterable<Uint8Array> {
  let first = true;
  for await (const chunk of snapshots.read(index)) {
    if (!first) yield chunk;
    first = false;
  }
}
