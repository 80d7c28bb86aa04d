/**
 * Whether users may write or read all keys of a lease, without walking through its keys each time they tie one more to it.
 *
 * For who asked once it is counted how many of the keys are denied, and the count is kept right with every key that comes
 * and goes, whoever moves it. What is kept saves work only: the answers are those that a walk would give, so replicas of one
 * log agree however often each of them was asked.
 */
import { type ByteString, emptyByteString } from "@holdfast/protocol";
import type { LeaseKeysObserver } from "../leases.js";
import { leaseKeysWalkedMax, leaseRightsUsersMax } from "../limits.js";
import type { LeaseRecord } from "../types.js";
import type { UserAccess } from "./user-access.js";

/** How many keys of one lease are denied to one user. */
interface Denied {
  writes: number;
  reads: number;
}

export class LeaseRights implements LeaseKeysObserver {
  /** Of leases that are alive only, because nobody else holds one that has ended. */
  #counted = new WeakMap<LeaseRecord, Map<UserAccess, Denied>>();
  /** Whether anything was counted: it never is while authentication is off. */
  #isCounting = false;
  #authRevision = 0;

  /** Whether every key of `lease` may be written; `authRevision` is that of `access`. */
  mayWriteAll(access: UserAccess, lease: LeaseRecord, authRevision: number): boolean {
    return access.isRoot || this.#denied(access, lease, authRevision).writes === 0;
  }

  /** Whether every key of `lease` may be read; `authRevision` is that of `access`. */
  mayReadAll(access: UserAccess, lease: LeaseRecord, authRevision: number): boolean {
    return access.isRoot || this.#denied(access, lease, authRevision).reads === 0;
  }

  keyAttached(lease: LeaseRecord, key: ByteString): void {
    if (this.#isCounting) this.#count(lease, key, 1);
  }

  keyDetached(lease: LeaseRecord, key: ByteString): void {
    if (this.#isCounting) this.#count(lease, key, -1);
  }

  #count(lease: LeaseRecord, key: ByteString, change: 1 | -1): void {
    const users = this.#counted.get(lease);
    if (users === undefined) return;
    for (const [access, denied] of users) addDenied(denied, access, key, change);
  }

  #denied(access: UserAccess, lease: LeaseRecord, authRevision: number): Denied {
    // What users may do has changed: nobody asks with the old objects again.
    if (authRevision !== this.#authRevision) this.#forgetAll(authRevision);
    const known = this.#counted.get(lease)?.get(access);
    if (known !== undefined) return known;
    const denied: Denied = { writes: 0, reads: 0 };
    for (const key of lease.keys) addDenied(denied, access, key, 1);
    if (lease.keys.size > leaseKeysWalkedMax) this.#remember(access, lease, denied);
    return denied;
  }

  #remember(access: UserAccess, lease: LeaseRecord, denied: Denied): void {
    const users = this.#counted.get(lease) ?? new Map<UserAccess, Denied>();
    if (users.size >= leaseRightsUsersMax) {
      const oldest = users.keys().next();
      if (oldest.done !== true) users.delete(oldest.value);
    }
    users.set(access, denied);
    this.#counted.set(lease, users);
    this.#isCounting = true;
  }

  #forgetAll(authRevision: number): void {
    this.#counted = new WeakMap();
    this.#isCounting = false;
    this.#authRevision = authRevision;
  }
}

function addDenied(denied: Denied, access: UserAccess, key: ByteString, change: 1 | -1): void {
  if (!access.mayWrite(key, emptyByteString)) denied.writes += change;
  if (!access.mayRead(key, emptyByteString)) denied.reads += change;
}
