/**
 * The leases: id, length, and the keys that go when they go. Never a deadline; time is the replica's business.
 */
import type { ByteString } from "@holdfast/protocol";
import { IdTable } from "./id-table.js";
import { LeaseKeys } from "./lease-keys.js";
import { noLease } from "./stored-version.js";
import type { LeaseRecord } from "./types.js";

/** One object with its keys: there may be a million, and each object takes time when it is made and whenever it is looked for. */
class Lease extends LeaseKeys implements LeaseRecord {
  readonly leaseId: bigint;
  readonly ttlSeconds: number;
  readonly grantNumber: number;
  #before: Lease | undefined;
  #next: Lease | undefined = undefined;

  /** `before` is the last of those that were granted before it and live. */
  constructor(leaseId: bigint, ttlSeconds: number, grantNumber: number, before: Lease | undefined) {
    super();
    this.leaseId = leaseId;
    this.ttlSeconds = ttlSeconds;
    this.grantNumber = grantNumber;
    this.#before = before;
    if (before !== undefined) before.#next = this;
  }

  get keys(): LeaseKeys {
    return this;
  }

  get before(): Lease | undefined {
    return this.#before;
  }

  /** The one that was granted next. */
  get next(): Lease | undefined {
    return this.#next;
  }

  /** Leaves the line of those that live. */
  leave(): void {
    if (this.#before !== undefined) this.#before.#next = this.#next;
    if (this.#next !== undefined) this.#next.#before = this.#before;
    this.#before = undefined;
    this.#next = undefined;
  }
}

/** Is told of every key that comes to a living lease or leaves it, right after that has happened. */
export interface LeaseKeysObserver {
  keyAttached(lease: LeaseRecord, key: ByteString): void;
  keyDetached(lease: LeaseRecord, key: ByteString): void;
}

export class LeaseTable {
  /** Set by whoever keeps account of the keys of leases; it must not change anything. */
  observer: LeaseKeysObserver | undefined = undefined;
  readonly #leases = new IdTable<Lease>();
  /** The ends of the line in which they stand in the order of their grants. */
  #first: Lease | undefined;
  #last: Lease | undefined;
  #keyCount = 0;

  /** How many keys are attached to leases, over all of them. */
  get keyCount(): number {
    return this.#keyCount;
  }

  get size(): number {
    return this.#leases.size;
  }

  find(leaseId: bigint): LeaseRecord | undefined {
    return this.#leases.find(leaseId);
  }

  /** All leases, oldest grant first. None may be granted or end meanwhile. */
  *all(): Generator<LeaseRecord> {
    for (let lease = this.#first; lease !== undefined; lease = lease.next) yield lease;
  }

  /** Adds a lease; the id must be free and the grant newer than all others. */
  grant(leaseId: bigint, ttlSeconds: number, grantNumber: number): LeaseRecord {
    const lease = new Lease(leaseId, ttlSeconds, grantNumber, this.#last);
    this.#first ??= lease;
    this.#last = lease;
    this.#leases.add(leaseId, lease);
    return lease;
  }

  /** Removes a lease with all its keys, of which `observer` is not told one by one: there may be a hundred thousand. */
  end(lease: LeaseRecord): void {
    const known = this.#leases.find(lease.leaseId);
    if (known === undefined) return;
    this.#leases.delete(lease.leaseId);
    this.#keyCount -= known.size;
    if (known === this.#first) this.#first = known.next;
    if (known === this.#last) this.#last = known.before;
    known.leave();
  }

  /**
   * Ties `key` to a lease, if there is a lease of that id. Returns the id as the lease holds it, so that the versions
   * of all its keys share one bigint.
   */
  attach(leaseId: bigint, key: ByteString): bigint {
    if (leaseId === noLease) return noLease;
    const lease = this.#leases.find(leaseId);
    if (lease === undefined) return leaseId;
    if (lease.add(key)) {
      this.#keyCount += 1;
      this.observer?.keyAttached(lease, key);
    }
    return lease.leaseId;
  }

  /** Unties `key` from the lease that it is attached to; nothing happens for `noLease`. */
  detach(leaseId: bigint, key: ByteString): void {
    if (leaseId === noLease) return;
    const lease = this.#leases.find(leaseId);
    if (lease?.delete(key) !== true) return;
    this.#keyCount -= 1;
    this.observer?.keyDetached(lease, key);
  }
}
