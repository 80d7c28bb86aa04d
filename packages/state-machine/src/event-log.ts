/**
 * Every change in the order in which it happened: an append-only sequence of versions, cut off at the front by
 * compaction. Watchers read it; the key space owns it.
 *
 * A position counts all events ever appended here and never changes its meaning. The versions lie in chunks of the store of
 * all versions, which keeps those that are of use when their events are gone.
 */
import type { ByteString, PackedKeyValue } from "@holdfast/protocol";
import { versionChunkLength } from "./limits.js";
import { growthOf, type PackedVersion, Slabs, type VersionChunk, type VersionParts } from "./version-chunk.js";
import { placeIn, slotOf, type VersionStore } from "./version-store.js";

/** Positions are divided by the length of a chunk by shifting. */
const chunkShift = Math.log2(versionChunkLength);

export class EventLog {
  readonly #store: VersionStore;
  readonly #slabs = new Slabs();
  #chunks: VersionChunk[] = [];
  /** The position of the first slot of the first chunk. */
  #chunksStart = 0;
  #start = 0;
  #end = 0;

  constructor(store: VersionStore) {
    this.#store = store;
  }

  /** The position of the oldest event kept. */
  get start(): number {
    return this.#start;
  }

  /** The position that the next event will get. */
  get end(): number {
    return this.#end;
  }

  /** Appends an event of the key with the number `owner`, which must not be of an older revision than the one before it. */
  push(owner: number, event: VersionParts): PackedKeyValue {
    return this.#chunkToFill().append(this.#slabs, owner, event);
  }

  /**
   * As `push`, of the deletion at `revision` of the key whose version is at a slot of `from`; `key` is the key, if it is at hand.
   */
  pushDeletion(
    owner: number,
    from: VersionChunk,
    slot: number,
    revision: number,
    key: ByteString | undefined,
  ): PackedKeyValue {
    return this.#chunkToFill().appendDeletion(this.#slabs, owner, from, slot, revision, key);
  }

  /** As `push`, for an event that is packed already; `isLasting` as in `VersionChunk.take`. */
  take(owner: number, event: PackedVersion, isLasting: boolean): void {
    this.#chunkToFill().take(this.#slabs, owner, event, growthOf(event.version), isLasting);
  }

  /** The event at a position from `start` to below `end`. */
  at(position: number, key?: ByteString): PackedKeyValue {
    return this.#chunkOf(position).versionAt(slotOf(position), key);
  }

  /** The revision of the event at a position from `start` to below `end`. */
  revisionAt(position: number): number {
    return this.#chunkOf(position).revisionOf(slotOf(position));
  }

  /** How many more keys lived after the event at a position: one for a creation, one less for a deletion. */
  growthAt(position: number): number {
    return this.#chunkOf(position).growthOf(slotOf(position));
  }

  /** Whether the key of the event at a position is from `from` to below `to` (undefined: without end). */
  isWithin(position: number, from: ByteString, to: ByteString | undefined): boolean {
    const chunk = this.#chunkOf(position);
    const slot = slotOf(position);
    return chunk.compareKey(slot, from) >= 0 && (to === undefined || chunk.compareKey(slot, to) < 0);
  }

  /** The number of the key whose version the event at a position is, as long as the version is of use. */
  ownerAt(position: number): number {
    return this.#chunkOf(position).ownerOf(slotOf(position));
  }

  /** The place of the newest event. */
  get lastPlace(): number {
    return this.placeAt(this.#end - 1);
  }

  /** The place of the event at a position. */
  placeAt(position: number): number {
    return placeIn(this.#chunkOf(position), slotOf(position));
  }

  /** The position of the first kept event of `revision` or later; `end` when there is none. */
  positionOf(revision: number): number {
    const first = this.#chunksStart + this.#chunkReaching(revision) * versionChunkLength;
    let low = Math.max(first, this.#start);
    let high = Math.min(first + versionChunkLength, this.#end);
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.revisionAt(middle) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Removes the oldest event; there must be one. */
  dropFirst(): void {
    this.#chunks[0]!.dropEvent(slotOf(this.#start));
    this.#start += 1;
    if (this.#start - this.#chunksStart < versionChunkLength) return;
    this.#chunksStart += versionChunkLength;
    this.#store.close(this.#chunks.shift()!);
  }

  /** The index of the first chunk that goes up to `revision` or beyond; behind the last one when there is none. */
  #chunkReaching(revision: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.lastRevision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** That of the next event, which is counted as being there. */
  #chunkToFill(): VersionChunk {
    const slot = this.#end - this.#chunksStart;
    if (slot === this.#chunks.length * versionChunkLength) this.#chunks.push(this.#store.open());
    this.#end += 1;
    return this.#chunks[this.#chunks.length - 1]!;
  }

  #chunkOf(position: number): VersionChunk {
    return this.#chunks[(position - this.#chunksStart) >>> chunkShift]!;
  }
}
