/**
 * A run of versions, packed (see `PackedKeyValue` in package protocol): where each lies, and to which key it belongs.
 *
 * Nothing in a chunk ever moves, so that what was read stays as it is for as long as somebody holds it; the memory is freed
 * when neither a chunk nor a reader refers to it any more.
 */
import {
  type ByteString,
  comparePackedKey,
  equalsPackedKey,
  PackedKeyValue,
  type PackedLife,
  PackedMemory,
  packDeletion,
  packedBytesMax,
  packedCreateRevision,
  packedKey,
  packedKeyHead,
  packedKeyLength,
  packedLease,
  packedModRevision,
  packedValueLength,
  packedVersion,
  packKeyValue,
  readPackedLife,
} from "@holdfast/protocol";
import { ownSlabBytes, recordOverheadBytes, slabBytesInitial, slabBytesMax, versionChunkLength } from "./limits.js";

/** As the owner of a version: it is of no use any more. */
export const noOwner = -1;

/** What `append` makes a version of; the shape of `KeyVersion`. */
export interface VersionParts {
  readonly key: ByteString;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

/** Where a version lies packed; one byte behind it is of no other. */
export interface PackedPlace {
  readonly memory: PackedMemory;
  readonly start: number;
  readonly length: number;
}

/** A packed version, with what has to be known of it to keep it. */
export interface PackedVersion extends PackedPlace {
  /** Writes since the key's creation, 0 for a deletion. */
  readonly version: number;
  readonly valueLength: number;
}

/** Hands out memory for versions, in slabs that grow with the store: a small one is not to take much. */
export class Slabs {
  readonly #bytesMax: number;
  #memory = new PackedMemory(0);
  #position = 0;

  /** `bytesMax` is the length of the longest slab. */
  constructor(bytesMax = slabBytesMax) {
    this.#bytesMax = bytesMax;
  }

  /** Memory with room for `length` bytes from `position` on; no more than the longest slab has. */
  reserve(length: number): PackedMemory {
    if (this.#position + length <= this.#memory.length) return this.#memory;
    const slabBytes = Math.min(Math.max(2 * this.#memory.length, slabBytesInitial), this.#bytesMax);
    this.#memory = new PackedMemory(Math.max(slabBytes, length));
    this.#position = 0;
    return this.#memory;
  }

  /** Where the next bytes go in the memory that was reserved. */
  get position(): number {
    return this.#position;
  }

  /** Takes so many of the bytes reserved. */
  take(length: number): void {
    this.#position += length;
  }
}

/**
 * Of what is known of a version: where it begins, how long it is, in which of the slabs it lies and what it did to the number of
 * living keys (`Growth`), whose it is.
 */
const Column = { start: 0, length: 1, slab: 2, owner: 3 } as const;
const columnCount = 4;

/** How many more keys lived after a version: one for a creation, one less for a deletion. */
export type Growth = -1 | 0 | 1;

/** The number of a slab, of which a chunk has no more than versions, with the growth in the lowest two bits. */
const slabShift = 2;
const growthMask = 3;

/** In place of memory that was let go. */
const noMemory = new PackedMemory(0);

export class VersionChunk {
  /** Four integers for each version, side by side because they are asked for together: see `Column`. */
  readonly #rows = new Int32Array(columnCount * versionChunkLength);
  readonly #slabs: PackedMemory[] = [];
  /** By which the store knows it. */
  readonly number: number;
  /** Whether it takes no more versions and is not of the log any more. */
  isClosed = false;
  /**
   * Of events of the log, whose revisions never fall: that of the first one, and that of the last one once the chunk is full. To
   * look at them costs one access to memory, to look at a version four.
   */
  firstRevision = 0;
  lastRevision: number = Number.MAX_SAFE_INTEGER;
  #length = 0;
  /** So many versions, from the first on, are not events of the log, or not any more. */
  #outOfLog = 0;
  #usedCount = 0;
  #bytes = 0;
  #usedBytes = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** How many versions were added. */
  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === versionChunkLength;
  }

  /** How many versions are of use. */
  get usedCount(): number {
    return this.#usedCount;
  }

  /** Whether less than half of it is of use. */
  get isSparse(): boolean {
    return this.#usedBytes * 2 < this.#bytes;
  }

  /** Packs a version of the key with the number `owner`. Not for a full chunk. */
  append(slabs: Slabs, owner: number, parts: VersionParts): PackedKeyValue {
    const { key, createRevision, modRevision, version, value, lease } = parts;
    const bytesMax = packedBytesMax(key.length, value.length);
    const isLarge = bytesMax > ownSlabBytes;
    const memory = isLarge ? new PackedMemory(bytesMax) : slabs.reserve(bytesMax);
    const start = isLarge ? 0 : slabs.position;
    const length = packKeyValue(memory, start, key, createRevision, modRevision, version, value, lease);
    if (!isLarge) slabs.take(length + 1);
    this.#add(memory, start, length, owner, growthOf(version));
    return new PackedKeyValue(memory, start, length, key);
  }

  /**
   * Packs the deletion at `modRevision` of the key whose version is at `slot` of `from`; `key` is the key, if it is at hand. Not
   * for a full chunk.
   */
  appendDeletion(
    slabs: Slabs,
    owner: number,
    from: VersionChunk,
    slot: number,
    modRevision: number,
    key: ByteString | undefined,
  ): PackedKeyValue {
    const source = from.memoryOf(slot);
    const sourceStart = from.startOf(slot);
    const bytesMax = packedBytesMax(packedKeyLength(source.bytes, sourceStart), 0);
    const isLarge = bytesMax > ownSlabBytes;
    const memory = isLarge ? new PackedMemory(bytesMax) : slabs.reserve(bytesMax);
    const start = isLarge ? 0 : slabs.position;
    const length = packDeletion(memory, start, source, sourceStart, modRevision);
    if (!isLarge) slabs.take(length + 1);
    this.#add(memory, start, length, owner, -1);
    return new PackedKeyValue(memory, start, length, key);
  }

  /**
   * Adds a version that is packed already. `isLasting` says that its memory can be kept for it; else it is copied. Not for a full
   * chunk.
   */
  take(slabs: Slabs, owner: number, { memory, start, length }: PackedPlace, growth: Growth, isLasting: boolean): void {
    // Memory that a version has for itself can always be kept.
    if (isLasting || 2 * length > memory.length) {
      this.#add(memory, start, length, owner, growth);
      return;
    }
    const isLarge = length > ownSlabBytes;
    const target = isLarge ? new PackedMemory(length + 1) : slabs.reserve(length + 1);
    const position = isLarge ? 0 : slabs.position;
    target.bytes.set(memory.bytes.subarray(start, start + length + 1), position);
    if (!isLarge) slabs.take(length + 1);
    this.#add(target, position, length, owner, growth);
  }

  /** Takes over a version of another chunk, which need not be kept for it. Not for a full chunk. */
  copy(slabs: Slabs, from: VersionChunk, slot: number): void {
    const place = { memory: from.memoryOf(slot), start: from.startOf(slot), length: from.lengthOf(slot) };
    this.take(slabs, from.ownerOf(slot), place, from.growthOf(slot), false);
  }

  /** The version is of no use any more, though it may still be an event. */
  release(slot: number): void {
    this.#rows[columnCount * slot + Column.owner] = noOwner;
    this.#usedCount -= 1;
    this.#usedBytes -= this.#costOf(slot);
    if (slot < this.#outOfLog) this.#letGo(slot);
  }

  /** The version, to all of whose predecessors that happened, is not an event of the log any more. */
  dropEvent(slot: number): void {
    this.#outOfLog = slot + 1;
    if (this.ownerOf(slot) === noOwner) this.#letGo(slot);
  }

  /** None of its versions will be an event of the log. */
  leaveLog(): void {
    this.#outOfLog = versionChunkLength;
  }

  /** The number of the key, or `noOwner`. */
  ownerOf(slot: number): number {
    return this.#rows[columnCount * slot + Column.owner]!;
  }

  /** `key` is that of the version, if it is at hand. */
  versionAt(slot: number, key?: ByteString): PackedKeyValue {
    return new PackedKeyValue(this.memoryOf(slot), this.startOf(slot), this.lengthOf(slot), key);
  }

  memoryOf(slot: number): PackedMemory {
    return this.#slabs[this.#rows[columnCount * slot + Column.slab]! >>> slabShift]!;
  }

  /** How many more keys lived after the version than before it. */
  growthOf(slot: number): Growth {
    return ((this.#rows[columnCount * slot + Column.slab]! & growthMask) - 1) as Growth;
  }

  /** Where the version begins in its memory. */
  startOf(slot: number): number {
    return this.#rows[columnCount * slot + Column.start]!;
  }

  /** The length of its encoding. */
  lengthOf(slot: number): number {
    return this.#rows[columnCount * slot + Column.length]!;
  }

  /** Below 0, 0 or above 0, as the key of the version comes before `key`, is the same, or comes behind. */
  compareKey(slot: number, key: ByteString): number {
    return comparePackedKey(this.memoryOf(slot).bytes, this.startOf(slot), key);
  }

  hasKey(slot: number, key: ByteString): boolean {
    return equalsPackedKey(this.memoryOf(slot).bytes, this.startOf(slot), key);
  }

  keyLengthOf(slot: number): number {
    return packedKeyLength(this.memoryOf(slot).bytes, this.startOf(slot));
  }

  keyOf(slot: number): ByteString {
    return packedKey(this.memoryOf(slot), this.startOf(slot));
  }

  /** The four bytes of the key from `offset` on, the first one highest, zeros behind its end. */
  keyHeadOf(slot: number, offset: number): number {
    return packedKeyHead(this.memoryOf(slot).bytes, this.startOf(slot), offset);
  }

  /** The revision at which the version was written. */
  revisionOf(slot: number): number {
    return packedModRevision(this.memoryOf(slot).bytes, this.startOf(slot));
  }

  /** Writes since creation, from 1; 0 for a deletion. */
  versionOf(slot: number): number {
    return packedVersion(this.memoryOf(slot).bytes, this.startOf(slot));
  }

  /** The revision at which the life of the key began to which the version belongs. */
  createRevisionOf(slot: number): number {
    return packedCreateRevision(this.memoryOf(slot).bytes, this.startOf(slot));
  }

  /** `createRevisionOf` and `versionOf` in one go, into `life`. */
  readLife(slot: number, life: PackedLife): void {
    readPackedLife(this.memoryOf(slot).bytes, this.startOf(slot), life);
  }

  /** The lease that the version is attached to; 0 for none. */
  leaseOf(slot: number): bigint {
    return packedLease(this.memoryOf(slot).bytes, this.startOf(slot));
  }

  /** What the version is reckoned to cost, in bytes. */
  reckonedBytesOf(slot: number): number {
    const { bytes } = this.memoryOf(slot);
    const start = this.startOf(slot);
    return packedKeyLength(bytes, start) + packedValueLength(bytes, start) + recordOverheadBytes;
  }

  #add(memory: PackedMemory, start: number, length: number, owner: number, growth: Growth): void {
    const slot = this.#length;
    if (memory !== this.#slabs[this.#slabs.length - 1]) this.#slabs.push(memory);
    const row = columnCount * slot;
    this.#rows[row + Column.start] = start;
    this.#rows[row + Column.length] = length;
    this.#rows[row + Column.slab] = ((this.#slabs.length - 1) << slabShift) | (growth + 1);
    this.#rows[row + Column.owner] = owner;
    this.#length = slot + 1;
    this.#usedCount += 1;
    const cost = this.#costOf(slot);
    this.#bytes += cost;
    this.#usedBytes += cost;
    if (slot >= this.#outOfLog) this.#noteRevision(slot);
  }

  #noteRevision(slot: number): void {
    if (slot === 0) this.firstRevision = this.revisionOf(slot);
    if (this.isFull) this.lastRevision = this.revisionOf(slot);
  }

  /**
   * Gives up the memory of a long version that nobody will ask for again, if it lies there alone: what a thousand of them take
   * is not to wait until the whole chunk is given up.
   */
  #letGo(slot: number): void {
    const slab = this.#slabOf(slot);
    const isAlone = this.#slabOf(slot - 1) !== slab && this.#slabOf(slot + 1) !== slab;
    if (isAlone && this.lengthOf(slot) > ownSlabBytes) this.#slabs[slab] = noMemory;
  }

  /** The number of the slab of a slot, -1 where there is no version. Slots of the same slab are neighbours. */
  #slabOf(slot: number): number {
    return slot < 0 || slot >= this.#length ? -1 : this.#rows[columnCount * slot + Column.slab]! >>> slabShift;
  }

  /** What the version takes of the memory: its place in the chunk counts as well. */
  #costOf(slot: number): number {
    return this.lengthOf(slot) + placeBytes;
  }
}

/** By the number of writes since the key's creation, which is 0 for a deletion. */
export function growthOf(version: number): Growth {
  return version > 1 ? 0 : version === 1 ? 1 : -1;
}

const placeBytes = columnCount * Int32Array.BYTES_PER_ELEMENT;
