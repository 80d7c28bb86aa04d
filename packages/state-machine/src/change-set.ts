/**
 * What a command changes: the primitives of writing, with the leases kept in step, all at one revision (KV-29).
 *
 * Nothing here can be refused. Whether a command may run is decided before, in full.
 */
import type {
  ByteString,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  ResponseHeader,
} from "@holdfast/protocol";
import { isSingleKey, upperBound } from "./key-interval.js";
import type { KeySpace } from "./key-space.js";
import type { LeaseTable } from "./leases.js";
import { noLease } from "./stored-version.js";
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
  /** The answer of the command's puts that are asked for nothing back: it is the same for all of them. */
  #plainPut: PutResponse | undefined = undefined;

  constructor(keys: KeySpace, leases: LeaseTable) {
    this.#keys = keys;
    this.#leases = leases;
  }

  /** Starts over, for the next command. */
  begin(): void {
    this.#revisionBefore = this.#keys.revision;
    this.#changes = undefined;
    this.#plainPut = undefined;
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
    const { key } = request;
    const number = this.#keys.numberOf(key);
    // Most puts want nothing of the version before: of that no object is made.
    const kept = request.ignoreValue || request.ignoreLease ? this.#toKeepOf(number, key) : undefined;
    const previous = request.prevKv ? this.#liveVersion(number, key) : undefined;
    const value = request.ignoreValue && kept !== undefined ? kept.value : request.value;
    const wantedLease = request.ignoreLease && kept !== undefined ? kept.lease : request.lease;
    const lease = this.#moveLease(number, key, wantedLease);
    this.#record(this.#keys.put(number, key, value, lease, this.#revisionBefore + 1));
    if (request.prevKv) return { header: headerAt(this.revision), prevKv: previous };
    this.#plainPut ??= { header: headerAt(this.revision), prevKv: undefined };
    return this.#plainPut;
  }

  deleteRange(request: DeleteRangeRequest): DeleteRangeResponse {
    const prevKvs: KeyValue[] | undefined = request.prevKv ? [] : undefined;
    const deleted = isSingleKey(request.rangeEnd)
      ? this.#deleteOne(request.key, prevKvs)
      : this.#deleteAll(request.key, upperBound(request.rangeEnd), prevKvs);
    return { header: headerAt(this.revision), deleted, prevKvs: prevKvs ?? noPairs };
  }

  /** Removes a lease and, in ascending order, its keys (LEASE-11). */
  endLease(lease: LeaseRecord): void {
    const doomed = inOrder([...lease.keys]);
    this.#leases.end(lease);
    for (const key of doomed) this.#delete(this.#keys.numberOf(key)!, key);
  }

  #liveVersion(number: number | undefined, key: ByteString): KeyVersion | undefined {
    const { histories } = this.#keys;
    return number !== undefined && histories.isLive(number) ? histories.latest(number, key) : undefined;
  }

  /** The version of which a put keeps value or lease; the command itself may have deleted the key. */
  #toKeepOf(number: number | undefined, key: ByteString): KeyVersion | undefined {
    if (number === undefined) return undefined;
    return this.#liveVersion(number, key) ?? this.#keys.histories.liveAt(number, this.#revisionBefore, key);
  }

  /** Attaches `key` to the lease it is to have, and to no other (LEASE-32, LEASE-33). */
  #moveLease(number: number | undefined, key: ByteString, lease: bigint): bigint {
    const { histories } = this.#keys;
    // Without leases no key has one.
    if (this.#leases.size > 0 && number !== undefined && histories.isLive(number)) {
      const previousLease = histories.lease(number);
      if (previousLease === lease) return previousLease;
      this.#leases.detach(previousLease, key);
    }
    return this.#leases.attach(lease, key);
  }

  /** Returns how many keys were deleted. */
  #deleteOne(key: ByteString, prevKvs: KeyValue[] | undefined): number {
    const { histories } = this.#keys;
    const number = this.#keys.numberOf(key);
    if (number === undefined || !histories.isLive(number)) return 0;
    prevKvs?.push(histories.latest(number, key));
    if (this.#leases.size > 0) this.#leases.detach(histories.lease(number), key);
    this.#delete(number, key);
    return 1;
  }

  /** As `#deleteOne`. There may be very many keys: none is looked up, and of none more is made than its event (F14). */
  #deleteAll(from: ByteString, to: ByteString | undefined, prevKvs: KeyValue[] | undefined): number {
    const { histories } = this.#keys;
    const hasLeases = this.#leases.size > 0;
    return this.#keys.deleteAll(
      from,
      to,
      this.#revisionBefore + 1,
      (number) => {
        prevKvs?.push(histories.latest(number));
        const lease = hasLeases ? histories.lease(number) : noLease;
        if (lease !== noLease) this.#leases.detach(lease, histories.key(number));
      },
      (deletion) => this.#record(deletion),
    );
  }

  #delete(number: number, key: ByteString): void {
    this.#record(this.#keys.delete(number, key, this.#revisionBefore + 1));
  }

  #record(change: KeyVersion): void {
    if (this.#changes === undefined) this.#changes = [change];
    else this.#changes.push(change);
  }
}

/** Sorted by code units, which are bytes. Keys mostly come as they were put, in ascending order. */
function inOrder(keys: ByteString[]): ByteString[] {
  for (let index = 1; index < keys.length; index++) if (keys[index - 1]! > keys[index]!) return keys.sort();
  return keys;
}
