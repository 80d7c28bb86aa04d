/**
 * The keys, their history and the revision: every version of every key that can still be read, by key, in key order
 * and in the order of time.
 *
 * It stores what it is told. Which request may do what is decided by the files that use it; leases are not its
 * business either, it only remembers the id that a version carries.
 */
import type { ByteString, PackedKeyValue, PackedLife } from "@holdfast/protocol";
import type { EventLog } from "./event-log.js";
import { KeyHistories } from "./key-histories.js";
import { KeyHistory } from "./key-history.js";
import { KeyIndex } from "./key-index.js";
import { KeyTable } from "./key-table.js";
import { recordOverheadBytes } from "./limits.js";
import { StoredVersion } from "./stored-version.js";
import type { KeyVersion } from "./types.js";
import { noOwner, type PackedVersion, type VersionParts } from "./version-chunk.js";

/** As the revision to read at: now, the changes of a transaction under way included. */
export const newest: number = Number.MAX_SAFE_INTEGER;

/** Called for each version; returning false ends the walk. The key space must not be changed meanwhile. */
export type VersionVisitor = (version: KeyVersion) => unknown;

export class KeySpace {
  /** Of each key, by its number. */
  readonly histories: KeyHistories = new KeyHistories();
  readonly events: EventLog = this.histories.events;
  readonly index: KeyIndex = new KeyIndex(this.histories);
  readonly #numbers = new KeyTable(this.histories);
  /** The main revision; an empty store is at 1 (GEN-1). */
  revision = 1;
  /** The oldest revision that can be read; -1 while nothing was ever compacted (COMP-2). */
  compactRevision = -1;
  #liveCount = 0;
  #bytes = 0;
  /** Of the key of the put under way. */
  readonly #life: PackedLife = { createRevision: 0, version: 0 };
  /** The position in the event log up to which the keys of the events were rid of what is compacted. */
  #trimmedEnd = 0;

  /** How many keys are alive. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** How many keys are known, alive or not. */
  get knownCount(): number {
    return this.#numbers.size;
  }

  /** What all kept versions are reckoned to cost. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest revision whose events can all be read. */
  get firstHistoryRevision(): number {
    return Math.max(this.compactRevision, 1);
  }

  history(key: ByteString): KeyHistory | undefined {
    const number = this.#numbers.find(key);
    return number === undefined ? undefined : new KeyHistory(number, key, this.histories);
  }

  /** The number of `key` in `histories`; undefined if it is not known. */
  numberOf(key: ByteString): number | undefined {
    return this.#numbers.find(key);
  }

  isLive(key: ByteString): boolean {
    return this.#liveNumberOf(key) !== undefined;
  }

  /** The live version of `key` now. */
  live(key: ByteString): KeyVersion | undefined {
    const number = this.#liveNumberOf(key);
    return number === undefined ? undefined : this.histories.latest(number, key);
  }

  /** When the life of `key` began that lasts now. */
  createRevision(key: ByteString): number | undefined {
    const number = this.#liveNumberOf(key);
    return number === undefined ? undefined : this.histories.createRevision(number);
  }

  /** The live version of `key` at a readable revision. */
  liveAt(key: ByteString, revision: number): KeyVersion | undefined {
    const number = this.#numbers.find(key);
    return number === undefined ? undefined : this.histories.liveAt(number, revision, key);
  }

  /**
   * Writes a new version of `key` at `revision`, which is the current one or the next (KV-22, KV-28). `number` is what
   * `numberOf(key)` says; the caller has looked it up anyway.
   */
  put(number: number | undefined, key: ByteString, value: Uint8Array, lease: bigint, revision: number): PackedKeyValue {
    const { histories } = this;
    const isLive = number !== undefined && histories.isLive(number);
    if (!isLive) {
      const first = new StoredVersion(key, value, revision, revision, 1, lease);
      return number === undefined ? this.#begin(first) : this.#append(number, false, first);
    }
    const life = this.#life;
    histories.readLife(number, life);
    const next = new StoredVersion(key, value, life.createRevision, revision, life.version + 1, lease);
    return this.#append(number, true, next);
  }

  /** Ends the life of `key`, which is alive and has this number, at `revision`. */
  delete(number: number, key: ByteString, revision: number): KeyVersion {
    this.index.changeLive(key, number, -1);
    return this.#bury(number, revision, key);
  }

  /**
   * Ends the lives of all keys from `from` to below `to` at `revision`, in key order. Calls `before` with the number of each
   * while it is still alive, and `after` with its deletion.
   */
  deleteAll(
    from: ByteString,
    to: ByteString | undefined,
    revision: number,
    before: (number: number) => void,
    after: (deletion: KeyVersion) => void,
  ): number {
    const doomed = this.index.endLives(from, to);
    for (const number of doomed) {
      before(number);
      after(this.#bury(number, revision, undefined));
    }
    return doomed.length;
  }

  /**
   * Adds a version that is packed already. `number` is what `numberOf(key)` says; `isLasting` tells that the
   * memory of the pair can be kept for it.
   */
  takePacked(number: number | undefined, key: ByteString, pair: PackedVersion, isLasting: boolean): void {
    const isLive = pair.version !== 0;
    if (number === undefined) {
      this.#makeKnown(this.histories.beginPacked(pair, isLasting), key, pair.valueLength, isLive);
    } else {
      const wasLive = this.histories.isLive(number);
      this.histories.appendPacked(number, pair, isLasting);
      this.#countAppended(number, key, pair.valueLength, wasLive, isLive);
    }
  }

  /** As `takePacked`, for a version whose event is compacted and whose key is not known yet. */
  takePackedBase(key: ByteString, pair: PackedVersion, isLasting: boolean): void {
    this.#makeKnown(this.histories.beginWithPackedBase(pair, isLasting), key, pair.valueLength, true);
  }

  /** Adds a version of a restored store as it is. `history` is what `history(version.key)` says. */
  restore(history: KeyHistory | undefined, version: KeyVersion): void {
    if (history === undefined) this.#begin(version);
    else this.#append(history.number, history.isLive, version);
  }

  /** As `restore`, for a version whose event is compacted and whose key is not known yet. */
  restoreBase(version: KeyVersion): void {
    const { number } = this.histories.beginWithBase(version);
    this.#makeKnown(number, version.key, version.value.length, version.version !== 0);
  }

  /** Calls `visit` with every live version from `from` to below `to` now, in key order. */
  visitLive(from: ByteString, to: ByteString | undefined, visit: VersionVisitor): void {
    this.index.visitLive(from, to, (number) => visit(this.histories.latest(number)));
  }

  /** Calls `visit` with every version that was alive at `revision`, which must be readable, in key order. */
  visitAt(from: ByteString, to: ByteString | undefined, revision: number, visit: VersionVisitor): void {
    if (revision === newest) {
      this.visitLive(from, to, visit);
      return;
    }
    this.index.visit(from, to, (number) => {
      const version = this.histories.liveAt(number, revision);
      return version === undefined ? undefined : visit(version);
    });
  }

  /** How many keys were alive at `revision`, which must be readable: by the shorter way through time or keys. */
  countAt(from: ByteString, to: ByteString | undefined, revision: number): number {
    if (revision === newest) return this.index.countLive(from, to);
    const position = this.events.positionOf(revision + 1);
    if (this.events.end - position < this.index.countKnown(from, to)) {
      return this.index.countLive(from, to) - this.growthBetween(position, this.events.end, from, to);
    }
    let count = 0;
    this.visitAt(from, to, revision, () => {
      count += 1;
    });
    return count;
  }

  /** How many keys more live at the position `end` of the event log than at `start`; all events in between must be kept. */
  growthBetween(start: number, end: number, from: ByteString, to: ByteString | undefined): number {
    let growth = 0;
    for (let position = start; position < end; position++) {
      const step = this.events.growthAt(position);
      if (step !== 0 && this.events.isWithin(position, from, to)) growth += step;
    }
    return growth;
  }

  /**
   * How many keys and events at most are looked at, besides the pairs that are wanted, to count and read at `revision`: the older
   * it is the more, and for every key that is deleted now.
   */
  detourAt(from: ByteString, to: ByteString | undefined, revision: number): number {
    const changes = this.events.end - this.events.positionOf(revision + 1);
    return changes + this.index.countKnown(from, to) - this.index.countLive(from, to);
  }

  /**
   * Removes compacted events and the versions that only they needed, and what the events of the compacted revision itself
   * replaced; looks at no more than `eventsMax` events for it. Returns whether nothing of the kind is left.
   */
  sweep(eventsMax: number): boolean {
    const { events, compactRevision } = this;
    let count = 0;
    for (; events.start < events.end && events.revisionAt(events.start) < compactRevision; count++) {
      if (count >= eventsMax) return false;
      this.#trim(events.start);
      events.dropFirst();
    }
    this.#trimmedEnd = Math.max(this.#trimmedEnd, events.start);
    for (; this.#trimmedEnd < events.end; count++) {
      if (events.revisionAt(this.#trimmedEnd) > compactRevision) break;
      if (count >= eventsMax) return false;
      this.#trim(this.#trimmedEnd);
      this.#trimmedEnd += 1;
    }
    return this.histories.tidy(eventsMax - count);
  }

  #liveNumberOf(key: ByteString): number | undefined {
    const number = this.#numbers.find(key);
    return number === undefined || !this.histories.isLive(number) ? undefined : number;
  }

  /** Rids the key of the event at a position of what the event replaced. */
  #trim(position: number): void {
    const { histories, compactRevision } = this;
    const number = this.events.ownerAt(position);
    if (number === noOwner) return;
    this.#bytes -= histories.trim(number, this.events.placeAt(position), compactRevision);
    if (!histories.isForgotten(number, compactRevision)) return;
    const key = histories.key(number);
    this.index.remove(key);
    this.#numbers.delete(key, number);
    this.#bytes -= histories.forget(number);
  }

  /** Makes a key known that was not. */
  #begin(version: VersionParts): PackedKeyValue {
    const { number, first } = this.histories.begin(version);
    this.#makeKnown(number, version.key, version.value.length, version.version !== 0);
    return first;
  }

  #makeKnown(number: number, key: ByteString, valueLength: number, isLive: boolean): void {
    this.#numbers.add(key, number);
    this.index.insert(key, number);
    if (isLive) this.#liveCount += 1;
    this.#bytes += key.length + valueLength + recordOverheadBytes;
  }

  /** Writes the deletion of a key that the index knows to be dead. */
  #bury(number: number, revision: number, key: ByteString | undefined): PackedKeyValue {
    const deletion = this.histories.appendDeletion(number, revision, key);
    this.#bytes += this.histories.keyLength(number) + recordOverheadBytes;
    this.#liveCount -= 1;
    return deletion;
  }

  #append(number: number, isLive: boolean, version: VersionParts): PackedKeyValue {
    const added = this.histories.append(number, version);
    this.#countAppended(number, version.key, version.value.length, isLive, version.version !== 0);
    return added;
  }

  #countAppended(number: number, key: ByteString, valueLength: number, wasLive: boolean, isLive: boolean): void {
    this.#bytes += key.length + valueLength + recordOverheadBytes;
    const difference = (isLive ? 1 : 0) - (wasLive ? 1 : 0);
    if (difference !== 0) {
      this.#liveCount += difference;
      this.index.changeLive(key, number, difference > 0 ? 1 : -1);
    }
  }
}
