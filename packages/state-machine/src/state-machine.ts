/**
 * The door of the core: one command after another goes in, outcomes and changes come out.
 *
 * The same commands give the same state everywhere. There is no clock, chance or I/O in here; when a lease ends, what
 * is proposed and who is told are the replica's business.
 */
import type {
  AlarmMember,
  ByteString,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "@holdfast/protocol";
import { AccessControl } from "./auth/access.js";
import type { Action } from "./auth/action.js";
import { AlarmStore } from "./auth/alarms.js";
import { freezeAuth } from "./auth/auth-snapshot.js";
import { AuthStore } from "./auth/auth-store.js";
import type { AuthCommand, AuthView, Caller } from "./auth/auth-types.js";
import { ChangeSet, headerAt, noChanges } from "./change-set.js";
import { commandKinds } from "./command-codec.js";
import { countInSlices } from "./count-in-slices.js";
import { hasEffect } from "./effects.js";
import { FrozenState } from "./frozen-state.js";
import { previousVersion, type RevisionVisitor, readHistory } from "./history-reader.js";
import { isSingleKey, upperBound } from "./key-interval.js";
import { KeySpace, type VersionVisitor } from "./key-space.js";
import { LargeRange } from "./large-range.js";
import { LeaseTable } from "./leases.js";
import { leaseTtlSecondsMax, recordOverheadBytes } from "./limits.js";
import { PutIfAbsent } from "./put-if-absent.js";
import { PutReplay } from "./put-replay.js";
import { RangeReader, type RangeReaderOutcome } from "./range-reader.js";
import { isCutEarly, rangeRefusal, readRange } from "./ranges.js";
import { noLease } from "./stored-version.js";
import { type TxnBounds, type TxnExcess, txnExcess, type Upcoming } from "./transaction-bounds.js";
import { chooseTxn, isReadOnlyTxn, putRefusal, runPutOfAbsent, runTxn, txnRefusal } from "./transactions.js";
import type { Command, KeyVersion, LeaseChange, LeaseRecord, Outcome, RangeOutcome, Refusal } from "./types.js";

/** What a machine is made of; for restoring one and for looking inside in tests. */
export interface MachineParts {
  readonly keys: KeySpace;
  readonly leases: LeaseTable;
  readonly appliedCommands: number;
  readonly auth?: AuthStore;
  readonly alarms?: AlarmStore;
}

const noLeaseChanges: readonly LeaseChange[] = Object.freeze([]);

export class StateMachine {
  readonly #keys: KeySpace;
  readonly #leases: LeaseTable;
  readonly #auth: AuthStore;
  readonly #alarms: AlarmStore;
  readonly #access: AccessControl;
  readonly #changeSet: ChangeSet;
  readonly #putReplay: PutReplay;
  #appliedCommands: number;
  #changes: readonly KeyVersion[] = noChanges;
  #leaseChanges: readonly LeaseChange[] = noLeaseChanges;
  #frozenStates = 0;

  /** An empty store at revision 1 (GEN-1), unless parts are handed in; these belong to the machine from then on. */
  constructor(parts?: MachineParts) {
    this.#keys = parts?.keys ?? new KeySpace();
    this.#leases = parts?.leases ?? new LeaseTable();
    this.#auth = parts?.auth ?? new AuthStore();
    this.#alarms = parts?.alarms ?? new AlarmStore();
    this.#appliedCommands = parts?.appliedCommands ?? 0;
    this.#access = new AccessControl(this.#auth, this.#leases);
    this.#changeSet = new ChangeSet(this.#keys, this.#leases);
    this.#putReplay = new PutReplay(this.#keys, this.#leases);
  }

  /** The revision of the newest change. */
  get revision(): number {
    return this.#keys.revision;
  }

  /** The oldest revision that can be read; -1 when nothing was ever compacted (COMP-2). */
  get compactRevision(): number {
    return this.#keys.compactRevision;
  }

  /** How many commands were applied, refused ones included; the number of the newest. */
  get appliedCommands(): number {
    return this.#appliedCommands;
  }

  /** The changes of the last `apply`, in the order in which they were made, all of one revision. May be kept. */
  get changes(): readonly KeyVersion[] {
    return this.#changes;
  }

  /** What the last `apply` did to leases. May be kept. */
  get leaseChanges(): readonly LeaseChange[] {
    return this.#leaseChanges;
  }

  /** How many keys are alive. */
  get keyCount(): number {
    return this.#keys.liveCount;
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  /** How many keys are attached to leases. */
  get leasedKeyCount(): number {
    return this.#leases.keyCount;
  }

  /** What keys, values, history, leases, users and roles are reckoned to take, in bytes; shrinks as `sweep` goes on. */
  get approximateBytes(): number {
    return this.#keys.bytes + this.#leases.size * recordOverheadBytes + this.#auth.bytes;
  }

  /** Users, roles and permissions. */
  get auth(): AuthView {
    return this.#auth;
  }

  /** The alarms that are raised, by type and then by member. May be kept. */
  alarms(): readonly AlarmMember[] {
    return this.#alarms.all();
  }

  /**
   * Why `caller` may not see or do this now (AUTH-20); undefined when nothing speaks against it. Without authentication
   * nothing ever does.
   */
  accessRefusal(action: Action, caller: Caller | undefined): Refusal | undefined {
    return this.#access.actionRefusal(action, caller);
  }

  /**
   * Why `command` would be refused to `caller` now, before the state is looked at: alarms first, then permissions (ORD-1).
   * For turning away early what cannot succeed; `apply` asks again and has the last word.
   */
  commandRefusal(command: Command, caller: Caller | undefined): Refusal | undefined {
    return this.#alarms.refusal(command) ?? this.#access.commandRefusal(command, caller);
  }

  /**
   * Whether `command`, which adds nothing to the store, would change anything if `caller` had it applied now. For telling what
   * frees something from what only asks to; `apply` does not depend on it.
   */
  hasEffect(command: Command, caller: Caller | undefined): boolean {
    if (this.commandRefusal(command, caller) !== undefined) return false;
    return hasEffect(this.#keys, this.#leases, this.#auth, this.#alarms, command);
  }

  /**
   * Applies the next command of the log, asked for by `caller`. Total: whatever the command, there is an outcome, and a
   * refused command changes nothing but the count of commands. An error thrown means a bug. Alarms are looked at first,
   * then permissions, then the state (ORD-1).
   */
  apply(command: Command, caller?: Caller): Outcome {
    this.#appliedCommands += 1;
    this.#changes = noChanges;
    this.#leaseChanges = noLeaseChanges;
    this.#changeSet.begin();
    const refusal = this.commandRefusal(command, caller);
    return refusal === undefined ? this.#run(command) : refused(refusal);
  }

  /**
   * As `apply` of the command in `bytes[start..end)`, if that is a plain put, asked for by nobody, against which nothing can speak;
   * for replaying a log, since neither outcome nor changes are told. Returns false, and does nothing, for any other command.
   */
  replayPut(bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes[start] !== commandKinds.put || this.#auth.enabled || !this.#alarms.isEmpty) return false;
    if (!this.#putReplay.apply(bytes, start + 1, end)) return false;
    this.#appliedCommands += 1;
    this.#changes = noChanges;
    this.#leaseChanges = noLeaseChanges;
    return true;
  }

  /** Answers a range at any readable revision (KV-1 to KV-13). */
  range(request: RangeRequest): RangeOutcome {
    const refusal = rangeRefusal(this.#keys, request);
    if (refusal !== undefined) return refused(refusal);
    return { kind: "range", response: readRange(this.#keys, request, this.revision) };
  }

  /** Answers a read-only transaction as `apply` would, without a command (TXN-17). Throws `TypeError` for any other. */
  rangeTxn(request: TxnRequest): Outcome {
    if (!isReadOnlyTxn(request)) throw new TypeError("not a read-only transaction");
    this.#changeSet.begin();
    return this.#runTxn(request);
  }

  /**
   * Which bound a transaction of legal shape would pass, if it were applied now or after `upcoming`; for refusing it before it is
   * proposed. `apply` does not look at bounds.
   */
  txnExcess(request: TxnRequest, bounds: TxnBounds, upcoming: Upcoming): TxnExcess | undefined {
    return txnExcess(this.#keys, request, bounds, upcoming);
  }

  /** Counts the keys of a range of more than one key at the revision it asks for, with pauses; see `countInSlices`. */
  countInSlices(request: RangeRequest): Iterator<void, number> {
    const revision = request.revision <= 0 ? this.revision : request.revision;
    return countInSlices(this.#keys, request.key, upperBound(request.rangeEnd), revision);
  }

  /**
   * A reader for a range that is too large to be answered at once (KV-14). Counts the keys, unless it is told their `count`,
   * which for an old revision can take long.
   */
  rangeReader(request: RangeRequest, count?: number): RangeReaderOutcome {
    const refusal = rangeRefusal(this.#keys, request);
    if (refusal !== undefined) return refused(refusal);
    const revision = request.revision <= 0 ? this.revision : request.revision;
    return { kind: "reader", reader: new RangeReader(this.#keys, request, revision, count) };
  }

  /** As `rangeReader`, for any order and filter. */
  largeRange(request: RangeRequest): LargeRange {
    return new LargeRange(this.#keys, request, request.revision <= 0 ? this.revision : request.revision);
  }

  /** Why a range cannot be read at the revision it asks for (KV-12); undefined if it can. */
  rangeRefusal(request: RangeRequest): Refusal | undefined {
    return rangeRefusal(this.#keys, request);
  }

  /** Whether more than about `keysMax` keys or events have to be looked at for a range, as far as that can be told beforehand. */
  isLargeRange(request: RangeRequest, keysMax: number): boolean {
    const { key, rangeEnd, limit, countOnly, revision } = request;
    if (isSingleKey(rangeEnd)) return false;
    const to = upperBound(rangeEnd);
    const known = this.#keys.index.countKnown(key, to);
    if (known <= keysMax) return false;
    const pairs = countOnly ? 0 : limit > 0 && isCutEarly(request) ? Math.min(limit, known) : known;
    return pairs > keysMax || (revision > 0 && pairs + this.#keys.detourAt(key, to, revision) > keysMax);
  }

  /** The live version of `key` now. */
  get(key: ByteString): KeyVersion | undefined {
    return this.#keys.live(key);
  }

  /**
   * A number that no other known key has, as long as `key` is known: from its first change until compaction forgets that it was
   * deleted. Undefined if it is not known.
   */
  keyNumber(key: ByteString): number | undefined {
    return this.#keys.numberOf(key);
  }

  /** When the present life of `key` began; undefined if it is not alive. */
  createRevision(key: ByteString): number | undefined {
    return this.#keys.createRevision(key);
  }

  /** The live version of `key` at `revision`; undefined also when that revision is compacted or in the future. */
  getAt(key: ByteString, revision: number): KeyVersion | undefined {
    if (revision < this.compactRevision || revision > this.revision) return undefined;
    return this.#keys.liveAt(key, revision);
  }

  /** How many keys from `from` to below `to` are alive; told without looking at each. */
  countLive(from: ByteString, to: ByteString): number {
    return this.#keys.index.countLive(from, to);
  }

  /** See `KeyIndex.hasLiveLike`; `key` is known. */
  hasLiveLike(key: ByteString, length: number): boolean | undefined {
    return this.#keys.index.hasLiveLike(key, this.#keys.numberOf(key)!, length);
  }

  /** Visits the live keys of an interval (KV-1) in key order until `visit` returns false; it must not apply commands. */
  forEachLive(key: ByteString, rangeEnd: ByteString, visit: VersionVisitor): void {
    if (!isSingleKey(rangeEnd)) {
      this.#keys.visitLive(key, upperBound(rangeEnd), visit);
      return;
    }
    const version = this.#keys.live(key);
    if (version !== undefined) visit(version);
  }

  lease(leaseId: bigint): LeaseRecord | undefined {
    return this.#leases.find(leaseId);
  }

  /** All leases, oldest grant first. */
  leases(): Iterable<LeaseRecord> {
    return this.#leases.all();
  }

  /** Reads the history for a watcher; every revision from `max(compactRevision, 1)` on is there. See `readHistory`. */
  readHistory(fromRevision: number, revisionsMax: number, visit: RevisionVisitor): number {
    return readHistory(this.#keys, fromRevision, revisionsMax, visit);
  }

  /** The pair before an event, as a watcher shows it (WATCH-25). */
  previousVersion(version: KeyVersion): KeyVersion | undefined {
    return previousVersion(this.#keys, version);
  }

  /** Whether `sweep` has to wait because a frozen state is open. */
  get sweepIsHeldOff(): boolean {
    return this.#frozenStates > 0;
  }

  /**
   * Removes compacted data for good, at most `budgetItems` events of it (COMP-5). Returns whether nothing is left to
   * do. Does nothing, and returns false, as long as `sweepIsHeldOff`.
   */
  sweep(budgetItems: number): boolean {
    return !this.sweepIsHeldOff && this.#keys.sweep(budgetItems);
  }

  /** Holds the present state still for a snapshot. To be released, or old data piles up. */
  freeze(): FrozenState {
    this.#frozenStates += 1;
    const auth = freezeAuth(this.#auth, this.#alarms);
    const parts = { leases: this.#leases.all(), auth, appliedCommands: this.#appliedCommands };
    return new FrozenState(this.#keys, parts, () => {
      this.#frozenStates -= 1;
    });
  }

  #run(command: Command): Outcome {
    switch (command.kind) {
      case "put":
        return this.#put(command.request);
      case "deleteRange":
        return this.#deleteRange(command.request);
      case "txn":
        return this.#txn(command.request);
      case "compact":
        return this.#compact(command.revision);
      case "leaseGrant":
        return this.#leaseGrant(command.leaseId, command.ttlSeconds);
      case "leaseRevoke":
        return this.#leaseRevoke(command.leaseId);
      case "leaseExpire":
        return this.#leaseExpire(command.leaseId, command.grantNumber);
      case "alarm":
        return { kind: "alarm", alarms: this.#alarms.apply(command) };
      default:
        return this.#administer(command);
    }
  }

  #administer(command: AuthCommand): Outcome {
    const refusal = this.#auth.apply(command);
    return refusal === undefined ? { kind: command.kind } : refused(refusal);
  }

  #put(request: PutRequest): Outcome {
    const refusal = putRefusal(this.#keys, this.#leases, request);
    if (refusal !== undefined) return refused(refusal);
    const response = this.#changeSet.put(request);
    this.#changes = this.#changeSet.commit();
    return { kind: "put", response };
  }

  #deleteRange(request: DeleteRangeRequest): Outcome {
    const response = this.#changeSet.deleteRange(request);
    this.#changes = this.#changeSet.commit();
    return { kind: "deleteRange", response };
  }

  #txn(request: TxnRequest): Outcome {
    const outcome = this.#runTxn(request);
    this.#changes = this.#changeSet.commit();
    return outcome;
  }

  #runTxn(request: TxnRequest): Outcome {
    if (request instanceof PutIfAbsent && !this.#keys.isLive(request.put.key)) return this.#putAbsent(request.put);
    const chosen = chooseTxn(this.#keys, request);
    if (chosen === undefined) return refused("too-many-operations");
    const refusal = txnRefusal(this.#keys, this.#leases, chosen);
    if (refusal !== undefined) return refused(refusal);
    return { kind: "txn", response: runTxn(this.#keys, this.#changeSet, chosen) };
  }

  /** The transaction that is a `PutIfAbsent` of a key that is absent, in short. */
  #putAbsent(put: PutRequest): Outcome {
    const refusal = putRefusal(this.#keys, this.#leases, put);
    if (refusal !== undefined) return refused(refusal);
    return { kind: "txn", response: runPutOfAbsent(this.#changeSet, put) };
  }

  /** COMP-1, COMP-6. What is compacted stays until `sweep` removes it, but cannot be read any more. */
  #compact(revision: number): Outcome {
    if (revision <= this.compactRevision) return refused("compacted");
    if (revision > this.revision) return refused("future-revision");
    this.#keys.compactRevision = revision;
    return { kind: "compact", response: { header: headerAt(this.revision) } };
  }

  /** LEASE-2 to LEASE-4, LEASE-7. The minimum length and the choice of an id are behind us. */
  #leaseGrant(leaseId: bigint, ttlSeconds: number): Outcome {
    if (leaseId === noLease) return refused("lease-not-found");
    if (ttlSeconds > leaseTtlSecondsMax) return refused("lease-ttl-too-large");
    if (this.#leases.find(leaseId) !== undefined) return refused("lease-exists");
    const lease = this.#leases.grant(leaseId, ttlSeconds, this.#appliedCommands);
    this.#leaseChanges = [{ kind: "granted", lease }];
    return {
      kind: "leaseGrant",
      response: { header: headerAt(this.revision), id: leaseId, ttl: ttlSeconds, error: "" },
    };
  }

  /** LEASE-11, LEASE-13, LEASE-15, LEASE-16. */
  #leaseRevoke(leaseId: bigint): Outcome {
    const lease = this.#leases.find(leaseId);
    if (lease === undefined) return refused("lease-not-found");
    this.#endLease(lease);
    return { kind: "leaseRevoke", response: { header: headerAt(this.revision) } };
  }

  #leaseExpire(leaseId: bigint, grantNumber: number): Outcome {
    const lease = this.#leases.find(leaseId);
    if (lease === undefined || lease.grantNumber !== grantNumber) return { kind: "leaseExpire", ended: false };
    this.#endLease(lease);
    return { kind: "leaseExpire", ended: true };
  }

  #endLease(lease: LeaseRecord): void {
    this.#changeSet.endLease(lease);
    this.#changes = this.#changeSet.commit();
    this.#leaseChanges = [{ kind: "ended", leaseId: lease.leaseId, grantNumber: lease.grantNumber }];
  }
}

function refused(refusal: Refusal): { readonly kind: "refused"; readonly refusal: Refusal } {
  return { kind: "refused", refusal };
}
