/**
 * All versions that are of use, in chunks: those of the event log, and behind compaction what keys still have of them.
 *
 * A version is told by its place: the number of its chunk and its slot in there, in one integer. A chunk that the log has given
 * up stays as it is while most of it is needed. When less than half of it is, that moves to other places, so that what is
 * needed never takes more than about twice its bytes.
 */
import type { PackedKeyValue } from "@holdfast/protocol";
import { versionChunkLength } from "./limits.js";
import { growthOf, noOwner, type PackedVersion, Slabs, VersionChunk, type VersionParts } from "./version-chunk.js";

/** Is told that the version of the key with the number `owner` has moved to `place`. */
export type MoveListener = (owner: number, place: number) => void;

/** Places are divided by the length of a chunk by shifting. */
const chunkShift = Math.log2(versionChunkLength);

export class VersionStore {
  readonly #chunks: (VersionChunk | undefined)[] = [];
  /** Numbers of chunks that were given up. */
  readonly #free: number[] = [];
  /** For versions that are not of the log. */
  readonly #slabs = new Slabs();
  #filling: VersionChunk | undefined;
  /** Chunks that are not of the log and of which less than half is of use. */
  readonly #sparse = new Set<VersionChunk>();
  readonly #moved: MoveListener;

  constructor(moved: MoveListener) {
    this.#moved = moved;
  }

  chunkOf(place: number): VersionChunk {
    return this.#chunks[place >>> chunkShift]!;
  }

  /** An empty chunk, for the log. */
  open(): VersionChunk {
    const number = this.#free.pop() ?? this.#chunks.length;
    const chunk = new VersionChunk(number);
    this.#chunks[number] = chunk;
    return chunk;
  }

  /** The log has given up a chunk, or one of ours is full; what is of use in it stays. */
  close(chunk: VersionChunk): void {
    chunk.isClosed = true;
    if (chunk.isSparse) this.#sparse.add(chunk);
  }

  /** Adds a version that is not of the log, and returns its place. */
  add(owner: number, version: VersionParts): { readonly place: number; readonly added: PackedKeyValue } {
    const chunk = this.#chunkToFill();
    return { place: placeIn(chunk, chunk.length), added: chunk.append(this.#slabs, owner, version) };
  }

  /** As `add`, for a version that is packed already; `isLasting` as in `VersionChunk.take`. Returns its place. */
  take(owner: number, version: PackedVersion, isLasting: boolean): number {
    const chunk = this.#chunkToFill();
    const place = placeIn(chunk, chunk.length);
    chunk.take(this.#slabs, owner, version, growthOf(version.version), isLasting);
    return place;
  }

  /** The version at `place` is of no use any more. */
  release(place: number): void {
    const chunk = this.chunkOf(place);
    chunk.release(slotOf(place));
    if (chunk.isClosed && chunk.isSparse) this.#sparse.add(chunk);
  }

  /** Frees the memory of what was released. Moves no more than about `versionsMax` versions; returns whether all is done. */
  tidy(versionsMax: number): boolean {
    let count = 0;
    for (const chunk of this.#sparse) {
      if (count >= versionsMax) return false;
      count += chunk.usedCount;
      this.#sparse.delete(chunk);
      this.#moveAll(chunk);
      this.#chunks[chunk.number] = undefined;
      this.#free.push(chunk.number);
    }
    return true;
  }

  #moveAll(chunk: VersionChunk): void {
    for (let slot = 0; slot < chunk.length && chunk.usedCount > 0; slot++) {
      const owner = chunk.ownerOf(slot);
      if (owner === noOwner) continue;
      const target = this.#chunkToFill();
      const place = placeIn(target, target.length);
      target.copy(this.#slabs, chunk, slot);
      this.#moved(owner, place);
    }
  }

  /** One that is not full. */
  #chunkToFill(): VersionChunk {
    if (this.#filling?.isFull) {
      this.close(this.#filling);
      this.#filling = undefined;
    }
    if (this.#filling === undefined) {
      this.#filling = this.open();
      this.#filling.leaveLog();
    }
    return this.#filling;
  }
}

/** The place of a slot of a chunk. */
export function placeIn(chunk: VersionChunk, slot: number): number {
  return chunk.number * versionChunkLength + slot;
}

/** The slot of a place in its chunk, or of a position in the log. */
export function slotOf(place: number): number {
  return place & (versionChunkLength - 1);
}
