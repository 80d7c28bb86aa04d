/**
 * What a command changes: the primitives of writing, with the leases kept in step, all at one revision (KV-29).
 *
 * Nothing here can be refused. Whether a command may run is decided before, in full.
 */
import type {
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  ResponseHeader,
} from "@holdfast/protocol";
import type { KeyHistory } from "./key-history.js";
import { isSingleKey, upperBound } from "./key-interval.js";
import type { KeySpace } from "./key-space.js";
import type { LeaseTable } from "./leases.js";
import type { KeyVersion, LeaseRecord } from "./types.js";

/** A header with nothing but a revision; who answers is filled in by the services (GEN-3). */
export function headerAt(revision: number): ResponseHeader {
  return { clusterId: 0n, memberId: 0n, revision, raftTerm: 0 };
}

/** For everything that changed nothing. */
export const noChanges: readonly KeyVersion[] = Object.freeze([]);

const noPairs: readonly KeyValue[] = Object.freeze([]);

/** One serves command after command. */
export class ChangeSet {
  readonly #keys: KeySpace;
  readonly #leases: LeaseTable;
  #revisionBefore = 0;
  #changes: KeyVersion[] | undefined = undefined;

  constructor(keys: KeySpace, leases: LeaseTable) {
    this.#keys = keys;
    this.#leases = leases;
  }

  /** Starts over, for the next command. */
  begin(): void {
    this.#revisionBefore = this.#keys.revision;
    this.#changes = undefined;
  }

  /** The revision of the store as the command sees it: the new one from the first change on (TXN-8). */
  get revision(): number {
    return this.#changes === undefined ? this.#revisionBefore : this.#revisionBefore + 1;
  }

  /**
   * Makes the new revision, if there is one, that of the store. Returns the changes in the order in which they were
   * made.
   */
  commit(): readonly KeyVersion[] {
    this.#keys.revision = this.revision;
    return this.#changes ?? noChanges;
  }

  /** Runs a put whose lease exists, and whose key did before the command if it wants to keep something of it. */
  put(request: PutRequest): PutResponse {
    const history = this.#keys.history(request.key);
    const previous = history?.isLive ? history.latest : undefined;
    const kept = previous ?? history?.liveAt(this.#revisionBefore);
    const value = request.ignoreValue && kept !== undefined ? kept.value : request.value;
    const wantedLease = request.ignoreLease && kept !== undefined ? kept.lease : request.lease;
    const lease = this.#moveLease(request, previous, wantedLease);
    this.#record(this.#keys.put(history, request.key, value, lease, this.#revisionBefore + 1));
    return { header: headerAt(this.revision), prevKv: request.prevKv ? previous : undefined };
  }

  deleteRange(request: DeleteRangeRequest): DeleteRangeResponse {
    const doomed = this.#liveHistories(request);
    const prevKvs = request.prevKv && doomed.length > 0 ? doomed.map((history) => history.latest) : noPairs;
    for (const history of doomed) this.#delete(history);
    return { header: headerAt(this.revision), deleted: doomed.length, prevKvs };
  }

  /** Removes a lease and, in ascending order, its keys (LEASE-11). */
  endLease(lease: LeaseRecord): void {
    // Sorted by code units, which are bytes.
    const doomed = [...lease.keys].sort();
    this.#leases.end(lease);
    const revision = this.#revisionBefore + 1;
    for (const key of doomed) this.#record(this.#keys.delete(this.#keys.history(key)!, revision));
  }

  /** Attaches the key of `request` to the lease it is to have, and to no other (LEASE-32, LEASE-33). */
  #moveLease(request: PutRequest, previous: KeyVersion | undefined, lease: bigint): bigint {
    if (previous !== undefined) {
      if (previous.lease === lease) return previous.lease;
      this.#leases.detach(previous.lease, previous.key);
    }
    return this.#leases.attach(lease, previous?.key ?? request.key);
  }

  #delete(history: KeyHistory): void {
    this.#leases.detach(history.latest.lease, history.key);
    this.#record(this.#keys.delete(history, this.#revisionBefore + 1));
  }

  #liveHistories(request: DeleteRangeRequest): KeyHistory[] {
    if (isSingleKey(request.rangeEnd)) {
      const history = this.#keys.history(request.key);
      return history?.isLive ? [history] : [];
    }
    const found: KeyHistory[] = [];
    this.#keys.visitLiveHistories(request.key, upperBound(request.rangeEnd), (history) => {
      found.push(history);
    });
    return found;
  }

  #record(change: KeyVersion): void {
    if (this.#changes === undefined) this.#changes = [change];
    else this.#changes.push(change);
  }
}
