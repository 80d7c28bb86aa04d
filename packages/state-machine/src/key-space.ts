/**
 * The keys, their history and the revision: every version of every key that can still be read, by key, in key order
 * and in the order of time.
 *
 * It stores what it is told. Which request may do what is decided by the files that use it; leases are not its
 * business either, it only remembers the id that a version carries.
 */
import type { ByteString } from "@holdfast/protocol";
import { EventLog } from "./event-log.js";
import { deletionOf, KeyHistory, StoredVersion, versionBytes } from "./key-history.js";
import { KeyIndex } from "./key-index.js";
import { KeyMap } from "./key-map.js";
import type { KeyVersion } from "./types.js";

/** As the revision to read at: now, the changes of a transaction under way included. */
export const newest: number = Number.MAX_SAFE_INTEGER;

/** Called for each version; returning false ends the walk. The key space must not be changed meanwhile. */
export type VersionVisitor = (version: KeyVersion) => unknown;

export class KeySpace {
  readonly events: EventLog = new EventLog();
  readonly index: KeyIndex = new KeyIndex();
  readonly #histories = new KeyMap();
  /** The main revision; an empty store is at 1 (GEN-1). */
  revision = 1;
  /** The oldest revision that can be read; -1 while nothing was ever compacted (COMP-2). */
  compactRevision = -1;
  #liveCount = 0;
  #bytes = 0;
  /** The position in the event log up to which the keys of the events were rid of what is compacted. */
  #trimmedEnd = 0;

  /** How many keys are alive. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** How many keys are known, alive or not. */
  get knownCount(): number {
    return this.#histories.size;
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
    return this.#histories.get(key);
  }

  /** The live version of `key` now. */
  live(key: ByteString): KeyVersion | undefined {
    const latest = this.#histories.get(key)?.latest;
    return latest === undefined || latest.version === 0 ? undefined : latest;
  }

  /** The live version of `key` at a readable revision. */
  liveAt(key: ByteString, revision: number): KeyVersion | undefined {
    return this.#histories.get(key)?.liveAt(revision);
  }

  /**
   * Writes a new version of `key` at `revision`, which is the current one or the next (KV-22, KV-28). `history` is what
   * `history(key)` says; the caller has looked it up anyway.
   */
  put(
    history: KeyHistory | undefined,
    key: ByteString,
    value: Uint8Array,
    lease: bigint,
    revision: number,
  ): KeyVersion {
    if (history === undefined) {
      const first = new StoredVersion(key, value, revision, revision, 1, lease);
      this.#begin(first);
      this.#remember(first);
      return first;
    }
    if (!history.isLive) {
      const revived = new StoredVersion(history.key, value, revision, revision, 1, lease);
      history.append(revived);
      this.#countLive(history.key, 1);
      this.#remember(revived);
      return revived;
    }
    const { createRevision, version } = history.latest;
    const changed = new StoredVersion(history.key, value, createRevision, revision, version + 1, lease);
    history.append(changed);
    this.#remember(changed);
    return changed;
  }

  /** Ends the life of a live key at `revision`. */
  delete(history: KeyHistory, revision: number): KeyVersion {
    const deletion = deletionOf(history.key, revision);
    history.append(deletion);
    this.#countLive(history.key, -1);
    this.#remember(deletion);
    return deletion;
  }

  /** Adds a version of a restored store as it is. `history` is what `history(version.key)` says. */
  restore(history: KeyHistory | undefined, version: KeyVersion): void {
    if (history === undefined) {
      this.#begin(version);
    } else {
      const difference = (version.version === 0 ? 0 : 1) - (history.isLive ? 1 : 0);
      history.append(version);
      if (difference !== 0) this.#countLive(version.key, difference > 0 ? 1 : -1);
    }
    this.#remember(version);
  }

  /** As `restore`, for a version whose event is compacted and whose key is not known yet. */
  restoreBase(version: KeyVersion): void {
    this.#begin(version);
    this.#bytes += versionBytes(version);
  }

  /** Calls `visit` with every live version from `from` to below `to` now, in key order. */
  visitLive(from: ByteString, to: ByteString | undefined, visit: VersionVisitor): void {
    this.index.visitLive(from, to, (history) => visit(history.latest));
  }

  /** Calls `visit` with every version that was alive at `revision`, which must be readable, in key order. */
  visitAt(from: ByteString, to: ByteString | undefined, revision: number, visit: VersionVisitor): void {
    if (revision === newest) {
      this.visitLive(from, to, visit);
      return;
    }
    this.index.visit(from, to, (history) => {
      const version = history.liveAt(revision);
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
      const event = this.events.at(position);
      if (event.version > 1 || event.key < from || (to !== undefined && event.key >= to)) continue;
      growth += event.version === 1 ? 1 : -1;
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
    for (; events.start < events.end && events.at(events.start).modRevision < compactRevision; count++) {
      if (count >= eventsMax) return false;
      this.#trim(events.dropFirst().key);
    }
    this.#trimmedEnd = Math.max(this.#trimmedEnd, events.start);
    for (; this.#trimmedEnd < events.end; count++) {
      const event = events.at(this.#trimmedEnd);
      if (event.modRevision > compactRevision) return true;
      if (count >= eventsMax) return false;
      this.#trim(event.key);
      this.#trimmedEnd += 1;
    }
    return true;
  }

  #trim(key: ByteString): void {
    const history = this.#histories.get(key);
    if (history === undefined) return;
    this.#bytes -= history.trim(this.compactRevision);
    if (!history.isForgotten(this.compactRevision)) return;
    this.#bytes -= versionBytes(history.latest);
    this.index.remove(history);
    this.#histories.delete(key);
  }

  #remember(event: KeyVersion): void {
    this.events.push(event);
    this.#bytes += versionBytes(event);
  }

  /** Makes a key known that was not. */
  #begin(first: KeyVersion): void {
    const history = new KeyHistory(first);
    this.#histories.add(history);
    this.index.insert(history);
    if (history.isLive) this.#liveCount += 1;
  }

  #countLive(key: ByteString, difference: 1 | -1): void {
    this.#liveCount += difference;
    this.index.changeLive(key, difference);
  }
}
