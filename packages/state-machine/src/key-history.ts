/**
 * One key's lives and deaths: its versions in the order in which they were written.
 *
 * Which versions are still readable is decided by the key space; here they are only kept and found.
 */
import type { ByteString } from "@holdfast/protocol";
import { recordOverheadBytes } from "./limits.js";
import type { KeyVersion } from "./types.js";

/** The value of a deletion, and of a pair whose value was not asked for. */
export const noValue: Uint8Array = new Uint8Array(0);

/** The lease of a key without lease. */
export const noLease = 0n;

/** The one shape of every version that the core makes, so that everything reading versions stays monomorphic. */
export class StoredVersion implements KeyVersion {
  readonly key: ByteString;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;

  constructor(
    key: ByteString,
    value: Uint8Array,
    createRevision: number,
    modRevision: number,
    version: number,
    lease: bigint,
  ) {
    this.key = key;
    this.value = value;
    this.createRevision = createRevision;
    this.modRevision = modRevision;
    this.version = version;
    this.lease = lease;
  }
}

/** The event of a key that is deleted: no value, no creation, no lease (WATCH-18). */
export function deletionOf(key: ByteString, modRevision: number): StoredVersion {
  return new StoredVersion(key, noValue, 0, modRevision, 0, noLease);
}

/** Whether `version` marks the end of a life. */
export function isDeletion(version: KeyVersion): boolean {
  return version.version === 0;
}

/** What `version` is reckoned to cost, in bytes. */
export function versionBytes(version: KeyVersion): number {
  return version.key.length + version.value.length + recordOverheadBytes;
}

/** All kept versions of one key. There is always at least one; most keys have just that and no array. */
export class KeyHistory {
  readonly key: ByteString;
  #latest: KeyVersion;
  /** The versions before the latest, oldest first; never empty. */
  #earlier: KeyVersion[] | undefined;

  constructor(first: KeyVersion) {
    this.key = first.key;
    this.#latest = first;
    this.#earlier = undefined;
  }

  /** The newest version, which may be a deletion. */
  get latest(): KeyVersion {
    return this.#latest;
  }

  get isLive(): boolean {
    return this.#latest.version !== 0;
  }

  /** Adds a version, which must not be older than the latest. */
  append(version: KeyVersion): void {
    if (this.#earlier === undefined) this.#earlier = [this.#latest];
    else this.#earlier.push(this.#latest);
    this.#latest = version;
  }

  /** The newest version at `revision`, which may be a deletion; undefined when the key was not yet known. */
  at(revision: number): KeyVersion | undefined {
    if (this.#latest.modRevision <= revision) return this.#latest;
    if (this.#earlier === undefined) return undefined;
    const newer = firstAfter(this.#earlier, revision);
    return newer === 0 ? undefined : this.#earlier[newer - 1];
  }

  /** As `at`, but undefined for a deletion. */
  liveAt(revision: number): KeyVersion | undefined {
    const version = this.at(revision);
    return version === undefined || version.version === 0 ? undefined : version;
  }

  /** The version that everything from `revision` on builds upon: the live one before it, unless `revision` itself replaces it. */
  baseOf(revision: number): KeyVersion | undefined {
    return this.at(revision)?.modRevision === revision ? undefined : this.liveAt(revision - 1);
  }

  /** Every kept version, oldest first. */
  versions(): readonly KeyVersion[] {
    return this.#earlier === undefined ? [this.#latest] : [...this.#earlier, this.#latest];
  }

  /**
   * Drops what can no longer be read once everything before `revision` is compacted: all versions below it but the
   * newest, and that one too if it is a deletion or replaced at `revision` (COMP-3, COMP-4). Returns the bytes given up. The latest version
   * always stays; `isForgotten` tells when the whole history may go.
   */
  trim(revision: number): number {
    const earlier = this.#earlier;
    if (earlier === undefined) return 0;
    const keptFrom =
      this.#latest.modRevision <= revision ? firstAfter(earlier, revision - 1) : firstReadable(earlier, revision);
    if (keptFrom === 0) return 0;
    let bytes = 0;
    for (let index = 0; index < keptFrom; index++) bytes += versionBytes(earlier[index]!);
    this.#earlier = keptFrom === earlier.length ? undefined : earlier.slice(keptFrom);
    return bytes;
  }

  /** Whether nothing of this key can be read once everything before `revision` is compacted. */
  isForgotten(revision: number): boolean {
    return this.#latest.version === 0 && this.#latest.modRevision < revision;
  }
}

// Functions and not private methods: these would cost every key a hidden field.

/**
 * Position of the first of the earlier versions that stays readable when everything before `revision` is compacted, if the
 * latest is of a later revision.
 */
function firstReadable(earlier: readonly KeyVersion[], revision: number): number {
  const first = firstAfter(earlier, revision - 1);
  const isReplaced = first < earlier.length && earlier[first]!.modRevision === revision;
  return first > 0 && !isReplaced && !isDeletion(earlier[first - 1]!) ? first - 1 : first;
}

/** Position of the first of the versions that is newer than `revision`. */
function firstAfter(earlier: readonly KeyVersion[], revision: number): number {
  let low = 0;
  let high = earlier.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (earlier[middle]!.modRevision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
