/**
 * Versions that are made for an answer, and what all versions have in common. The versions of the store are packed.
 */
import type { ByteString } from "@holdfast/protocol";
import type { KeyVersion } from "./types.js";

/** The value of a deletion, and of a pair whose value was not asked for. */
export const noValue: Uint8Array = new Uint8Array(0);

/** The lease of a key without lease. */
export const noLease = 0n;

/** The one shape of every version that is not packed, so that what reads versions stays fast. */
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
