/**
 * The leases: id, length, and the keys that go when they go. Never a deadline; time is the replica's business.
 */
import type { ByteString } from "@holdfast/protocol";
import { LeaseKeys } from "./lease-keys.js";
import { noLease } from "./stored-version.js";
import type { LeaseRecord } from "./types.js";

class Lease implements LeaseRecord {
  readonly leaseId: bigint;
  readonly ttlSeconds: number;
  readonly grantNumber: number;
  readonly keys: LeaseKeys = new LeaseKeys();

  constructor(leaseId: bigint, ttlSeconds: number, grantNumber: number) {
    this.leaseId = leaseId;
    this.ttlSeconds = ttlSeconds;
    this.grantNumber = grantNumber;
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
  /** In the order of their grants, because a `Map` keeps the order of insertion and grants are numbered upwards. */
  readonly #leases = new Map<bigint, Lease>();

  get size(): number {
    return this.#leases.size;
  }

  find(leaseId: bigint): LeaseRecord | undefined {
    return this.#leases.get(leaseId);
  }

  /** All leases, oldest grant first. */
  all(): Iterable<LeaseRecord> {
    return this.#leases.values();
  }

  /** Adds a lease; the id must be free and the grant newer than all others. */
  grant(leaseId: bigint, ttlSeconds: number, grantNumber: number): LeaseRecord {
    const lease = new Lease(leaseId, ttlSeconds, grantNumber);
    this.#leases.set(leaseId, lease);
    return lease;
  }

  /** Removes a lease with all its keys, of which `observer` is not told one by one: there may be a hundred thousand. */
  end(lease: LeaseRecord): void {
    this.#leases.delete(lease.leaseId);
  }

  /**
   * Ties `key` to a lease, if there is a lease of that id. Returns the id as the lease holds it, so that the versions
   * of all its keys share one bigint.
   */
  attach(leaseId: bigint, key: ByteString): bigint {
    if (leaseId === noLease) return noLease;
    const lease = this.#leases.get(leaseId);
    if (lease === undefined) return leaseId;
    if (lease.keys.add(key)) this.observer?.keyAttached(lease, key);
    return lease.leaseId;
  }

  /** Unties `key` from the lease that it is attached to; nothing happens for `noLease`. */
  detach(leaseId: bigint, key: ByteString): void {
    if (leaseId === noLease) return;
    const lease = this.#leases.get(leaseId);
    if (lease?.keys.delete(key) === true) this.observer?.keyDetached(lease, key);
  }
}
