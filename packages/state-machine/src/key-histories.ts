/**
 * The keys' lives and deaths: of each key, under its number, its versions in the order in which they were written.
 *
 * Most keys have one version, and no object of their own: what is known of them lies in columns. Versions are told by their
 * place in the store of versions. Which versions are still readable is decided by the key space; here they are only kept and
 * found.
 */
import type { ByteString, PackedKeyValue, PackedLife } from "@holdfast/protocol";
import { DatedPlaces } from "./dated-places.js";
import { EarlierPlaces } from "./earlier-places.js";
import { EventLog } from "./event-log.js";
import { keyChunkLength, undatedPlacesMax } from "./limits.js";
import type { PackedVersion, VersionChunk, VersionParts } from "./version-chunk.js";
import { slotOf, VersionStore } from "./version-store.js";

const chunkShift = Math.log2(keyChunkLength);
const slotMask = keyChunkLength - 1;

/** Where the versions of a key before its latest are: none, one, a list, or a long list. */
type Earlier = undefined | number | EarlierPlaces | DatedPlaces;

/** The columns of a run of keys. */
class KeyChunk {
  /** Twice the place of the latest version, and 1 if that is no deletion. */
  readonly latest = new Int32Array(keyChunkLength);
  /** Undefined until a key of the chunk has an earlier version. */
  earlier: Earlier[] | undefined = undefined;
}

export class KeyHistories {
  readonly #store = new VersionStore((number, place) => this.#moveOldest(number, place));
  readonly events = new EventLog(this.#store);
  readonly #chunks: KeyChunk[] = [];
  /** Numbers of keys that were forgotten. */
  readonly #free: number[] = [];
  #numbersEnd = 0;

  /** Gives a key a number and its first version. */
  begin(version: VersionParts): { readonly number: number; readonly first: PackedKeyValue } {
    const number = this.#takeNumber();
    const first = this.events.push(number, version);
    this.#setLatest(number, this.events.lastPlace, version.version !== 0);
    return { number, first };
  }

  /** As `begin`, for a version whose event is compacted. */
  beginWithBase(version: VersionParts): { readonly number: number; readonly first: PackedKeyValue } {
    const number = this.#takeNumber();
    const { place, added } = this.#store.add(number, version);
    this.#setLatest(number, place, version.version !== 0);
    return { number, first: added };
  }

  /** Gives a key a number and its first version, which is packed already; `isLasting` as in `VersionChunk.take`. */
  beginPacked(version: PackedVersion, isLasting: boolean): number {
    const number = this.#takeNumber();
    this.events.take(number, version, isLasting);
    this.#setLatest(number, this.events.lastPlace, version.version !== 0);
    return number;
  }

  /** As `beginPacked`, for a version whose event is compacted. */
  beginWithPackedBase(version: PackedVersion, isLasting: boolean): number {
    const number = this.#takeNumber();
    this.#setLatest(number, this.#store.take(number, version, isLasting), true);
    return number;
  }

  /** As `append`, for a version that is packed already; `isLasting` as in `VersionChunk.take`. */
  appendPacked(number: number, version: PackedVersion, isLasting: boolean): void {
    this.events.take(number, version, isLasting);
    this.#addEarlier(number, this.#latestPlace(number));
    this.#setLatest(number, this.events.lastPlace, version.version !== 0);
  }

  /** Adds a version, which must not be older than the latest. */
  append(number: number, version: VersionParts): PackedKeyValue {
    const added = this.events.push(number, version);
    this.#addEarlier(number, this.#latestPlace(number));
    this.#setLatest(number, this.events.lastPlace, version.version !== 0);
    return added;
  }

  /** Adds the deletion of a key that is alive; `key` is the key, if it is at hand. */
  appendDeletion(number: number, revision: number, key: ByteString | undefined): PackedKeyValue {
    const place = this.#latestPlace(number);
    const added = this.events.pushDeletion(number, this.#chunkAt(place), slotOf(place), revision, key);
    this.#addEarlier(number, place);
    this.#setLatest(number, this.events.lastPlace, false);
    return added;
  }

  isLive(number: number): boolean {
    return (this.#chunkOf(number).latest[number & slotMask]! & 1) === 1;
  }

  /** The newest version, which may be a deletion. `key` is the key, if it is at hand. */
  latest(number: number, key?: ByteString): PackedKeyValue {
    return this.#version(this.#latestPlace(number), key);
  }

  /** The newest version at `revision`, which may be a deletion; undefined when the key was not yet known. */
  at(number: number, revision: number, key?: ByteString): PackedKeyValue | undefined {
    const place = this.#placeAt(number, revision);
    return place === undefined ? undefined : this.#version(place, key);
  }

  /** As `at`, but undefined for a deletion. */
  liveAt(number: number, revision: number, key?: ByteString): PackedKeyValue | undefined {
    const place = this.#livePlaceAt(number, revision);
    return place === undefined ? undefined : this.#version(place, key);
  }

  isLiveAt(number: number, revision: number): boolean {
    return this.#livePlaceAt(number, revision) !== undefined;
  }

  /** The version that everything from `revision` on builds upon: the live one before it, unless `revision` itself replaces it. */
  baseOf(number: number, revision: number): PackedKeyValue | undefined {
    const place = this.#placeAt(number, revision);
    if (place === undefined || this.#isDeletion(place) || this.#revisionAt(place) === revision) return undefined;
    return this.#version(place);
  }

  /** When the life of a key that is alive began. */
  createRevision(number: number): number {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).createRevisionOf(slotOf(place));
  }

  /** The revision of the newest version. */
  modRevision(number: number): number {
    return this.#revisionAt(this.#latestPlace(number));
  }

  /** How often a key was written since its creation; 0 if it is not alive. */
  version(number: number): number {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).versionOf(slotOf(place));
  }

  /** When the life of a key that is alive began, and how often it was written since, into `life`. */
  readLife(number: number, life: PackedLife): void {
    const place = this.#latestPlace(number);
    this.#chunkAt(place).readLife(slotOf(place), life);
  }

  /** The lease of a key; 0 for none. */
  lease(number: number): bigint {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).leaseOf(slotOf(place));
  }

  /** How long a key is. */
  keyLength(number: number): number {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).keyLengthOf(slotOf(place));
  }

  /** Every kept version, oldest first. */
  versions(number: number): PackedKeyValue[] {
    const places: number[] = [];
    for (let index = 0; index < this.#earlierCount(number); index++) places.push(this.#earlierPlace(number, index));
    return [...places, this.#latestPlace(number)].map((place) => this.#version(place));
  }

  /** The key of a number. */
  key(number: number): ByteString {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).keyOf(slotOf(place));
  }

  /** Below 0, 0 or above 0, as the key of a number comes before `key`, is the same, or comes behind. */
  compareKey(number: number, key: ByteString): number {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).compareKey(slotOf(place), key);
  }

  /** The four bytes of the key of a number from `offset` on, the first one highest, zeros behind its end. */
  keyHead(number: number, offset: number): number {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).keyHeadOf(slotOf(place), offset);
  }

  hasKey(number: number, key: ByteString): boolean {
    const place = this.#latestPlace(number);
    return this.#chunkAt(place).hasKey(slotOf(place), key);
  }

  /**
   * Drops what can no longer be read of a key once everything before `revision` is compacted: of its versions older than the
   * one at `place`, and that itself, those below the revision, but the newest if it is alive (COMP-3, COMP-4). What is
   * replaced by a newer event is dropped when that is looked at, so that no call takes long. Returns the bytes given up. The
   * latest version always stays; `isForgotten` tells when the whole history may go.
   */
  trim(number: number, place: number, revision: number): number {
    let bytes = 0;
    for (let isLast = false; !isLast && this.#earlierCount(number) > 0; ) {
      const oldest = this.#earlierPlace(number, 0);
      isLast = oldest === place;
      if (this.#revisionAt(oldest) >= revision || (isLast && !this.#isDeletion(oldest))) break;
      bytes += this.#release(oldest);
      this.#dropOldest(number);
    }
    return bytes;
  }

  /** Whether nothing of this key can be read once everything before `revision` is compacted. */
  isForgotten(number: number, revision: number): boolean {
    return !this.isLive(number) && this.#revisionAt(this.#latestPlace(number)) < revision;
  }

  /** Gives up a key that is forgotten, with its number. Returns the bytes given up. */
  forget(number: number): number {
    let bytes = this.#release(this.#latestPlace(number));
    for (; this.#earlierCount(number) > 0; this.#dropOldest(number))
      bytes += this.#release(this.#earlierPlace(number, 0));
    this.#free.push(number);
    return bytes;
  }

  /** Frees memory of versions that were dropped, at the cost of about `versionsMax` versions; returns whether nothing is left. */
  tidy(versionsMax: number): boolean {
    return this.#store.tidy(versionsMax);
  }

  #livePlaceAt(number: number, revision: number): number | undefined {
    const place = this.#placeAt(number, revision);
    return place === undefined || this.#isDeletion(place) ? undefined : place;
  }

  #isDeletion(place: number): boolean {
    return this.#chunkAt(place).growthOf(slotOf(place)) < 0;
  }

  #placeAt(number: number, revision: number): number | undefined {
    const latest = this.#latestPlace(number);
    if (this.#revisionAt(latest) <= revision) return latest;
    const earlier = this.#chunkOf(number).earlier?.[number & slotMask];
    return earlier instanceof DatedPlaces ? earlier.findAt(revision) : this.#earlierPlaceAt(number, revision);
  }

  #earlierPlaceAt(number: number, revision: number): number | undefined {
    let low = 0;
    let high = this.#earlierCount(number);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isWrittenBy(this.#earlierPlace(number, middle), revision)) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : this.#earlierPlace(number, low - 1);
  }

  /** Whether a version was written at `revision` or before. Its chunk mostly tells. */
  #isWrittenBy(place: number, revision: number): boolean {
    const chunk = this.#chunkAt(place);
    if (chunk.lastRevision <= revision) return true;
    return chunk.firstRevision <= revision && chunk.revisionOf(slotOf(place)) <= revision;
  }

  #earlierCount(number: number): number {
    const earlier = this.#chunkOf(number).earlier?.[number & slotMask];
    return earlier === undefined ? 0 : typeof earlier === "number" ? 1 : earlier.length;
  }

  #earlierPlace(number: number, index: number): number {
    const earlier = this.#chunkOf(number).earlier![number & slotMask]!;
    return typeof earlier === "number" ? earlier : earlier.at(index);
  }

  #addEarlier(number: number, place: number): void {
    const chunk = this.#chunkOf(number);
    const slot = number & slotMask;
    chunk.earlier ??= new Array(keyChunkLength).fill(undefined);
    const earlier = chunk.earlier[slot];
    if (earlier === undefined) chunk.earlier[slot] = place;
    else if (typeof earlier === "number") chunk.earlier[slot] = new EarlierPlaces(earlier, place);
    else if (earlier instanceof DatedPlaces) earlier.push(place, this.#revisionAt(place));
    else if (earlier.length < undatedPlacesMax) earlier.push(place);
    else chunk.earlier[slot] = this.#dated(earlier, place);
  }

  /** The places of a list and one more, with their revisions. */
  #dated(earlier: EarlierPlaces, last: number): DatedPlaces {
    const count = earlier.length;
    const dated = new DatedPlaces(this.#revisionAt(earlier.at(0)), count + (count >>> 1));
    for (let index = 0; index < count; index++) dated.push(earlier.at(index), this.#revisionAt(earlier.at(index)));
    dated.push(last, this.#revisionAt(last));
    return dated;
  }

  #dropOldest(number: number): void {
    const earlier = this.#chunkOf(number).earlier!;
    const slot = number & slotMask;
    const places = earlier[slot]!;
    if (typeof places === "number") earlier[slot] = undefined;
    else if (places.length === 2) earlier[slot] = places.at(1);
    else places.dropFirst();
  }

  #moveOldest(number: number, place: number): void {
    const chunk = this.#chunkOf(number);
    const slot = number & slotMask;
    const earlier = chunk.earlier?.[slot];
    if (earlier === undefined) this.#setLatest(number, place, this.isLive(number));
    else if (typeof earlier === "number") chunk.earlier![slot] = place;
    else earlier.moveFirst(place);
  }

  #setLatest(number: number, place: number, isLive: boolean): void {
    const chunk = this.#chunkOf(number);
    chunk.latest[number & slotMask] = 2 * place + (isLive ? 1 : 0);
  }

  #latestPlace(number: number): number {
    return this.#chunkOf(number).latest[number & slotMask]! >>> 1;
  }

  /** Returns the bytes given up. */
  #release(place: number): number {
    const bytes = this.#chunkAt(place).reckonedBytesOf(slotOf(place));
    this.#store.release(place);
    return bytes;
  }

  #takeNumber(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#numbersEnd === this.#chunks.length * keyChunkLength) this.#chunks.push(new KeyChunk());
    return this.#numbersEnd++;
  }

  #version(place: number, key?: ByteString): PackedKeyValue {
    return this.#chunkAt(place).versionAt(slotOf(place), key);
  }

  #revisionAt(place: number): number {
    return this.#chunkAt(place).revisionOf(slotOf(place));
  }

  #chunkAt(place: number): VersionChunk {
    return this.#store.chunkOf(place);
  }

  #chunkOf(number: number): KeyChunk {
    return this.#chunks[number >>> chunkShift]!;
  }
}
