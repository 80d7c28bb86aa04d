/**
 * The calls of a history as operations on a store, for a search that knows nothing of a log. Besides the calls there is what
 * nobody asked for: leases that run out, as soon as they may, and waiters that are cleaned away.
 */
import type { KeyValue } from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import type { Call, CallOf } from "../history/calls.js";
import {
  apply,
  findLease,
  findPair,
  joining,
  ownershipKey,
  proclaiming,
  resigning,
  type Store,
  unlocking,
} from "../model/index.js";
import { agrees, isJudgedByState } from "./agreement.js";
import { type Answered, answered, hasWritten, headerRevision, nameOf, pairsIn, sameAnswer } from "./answers.js";
import { isAnsweredBy } from "./fitting.js";
import { LeaseChances } from "./lease-chances.js";
import { type LeaseRecord, leaseRecords } from "./lease-record.js";
import type { Operation } from "./search.js";
import { leaseOf } from "./wants.js";

export type StoreOperation = Operation<Store>;

const zeroLease = 0n;
/** What a lease lives that the server makes for a lock or an election (LOCK-7, ELECT-3). */
const sessionTtlSeconds = 60;

/** Turns calls into operations. */
export class StoreOperations {
  readonly #observed: ReadonlyMap<number, readonly KeyValue[]>;
  readonly #writers: ReadonlyMap<number, Call>;
  readonly #leases: LeaseChances;
  readonly #records: ReadonlyMap<bigint, LeaseRecord>;

  constructor(calls: readonly Call[]) {
    this.#observed = pairsByRevision(calls);
    this.#writers = writersByRevision(calls);
    this.#records = leaseRecords(calls);
    this.#leases = new LeaseChances(calls, this.#records);
  }

  /** Everything that one call does. Nothing for one that was refused: it has no effect. */
  of(call: Call): StoreOperation[] {
    if (call.kind === "lock" || call.kind === "campaign") return this.#waiting(call);
    const answer = answered(call);
    if (answer !== undefined && isJudgedByState(answer)) return this.#reading(answer);
    const command = this.#commandOf(call);
    if (command === undefined || call.result?.fate === "refused" || isOfNoUse(call)) return [];
    return [this.#calling(call, "", (store) => this.#run(store, command, call))];
  }

  /** The ends of leases for want of renewal, as soon as they may come: one for each grant. */
  expiries(): StoreOperation[] {
    return [...this.#records.values()].flatMap((record) => {
      return Array.from({ length: Math.max(1, record.grants) }, () => this.#expiry(record));
    });
  }

  /** Where nothing hangs on a lease, and its id is not used again, its end is left to those who find it gone. */
  #expiry({ leaseId, grants }: LeaseRecord): StoreOperation {
    const step = (store: Store): Store | undefined => {
      const lease = findLease(store, leaseId);
      if (lease === undefined || (grants <= 1 && !hasKeys(store, leaseId))) return undefined;
      return this.#apply(store, { kind: "leaseExpire", leaseId, grantNumber: lease.grantNumber });
    };
    const from = this.#leases.expiresFrom(leaseId);
    const to = Number.POSITIVE_INFINITY;
    const parts = { required: false, isRead: false, isPast: () => false, after: undefined };
    return { name: `end of lease ${leaseId}`, from, to, ...parts, step };
  }

  #reading(answer: Answered): StoreOperation[] {
    // The server's own choice of ids may be behind what it lists.
    if (answer.kind === "leaseLeases") return [];
    const step = (store: Store): Store | undefined => {
      const prepared = this.#leases.prepared(store, answer.call);
      return agrees(answer, prepared) ? prepared : undefined;
    };
    const dependsOnLease = answer.kind === "leaseKeepAlive" || answer.kind === "leaseTimeToLive";
    return [{ ...this.#calling(answer.call, "", step), isRead: !dependsOnLease }];
  }

  #calling(
    call: Call,
    part: string,
    step: StoreOperation["step"],
    after?: StoreOperation,
    required = call.result?.fate === "done",
  ): StoreOperation {
    const isOver = call.result?.fate === "done" || call.result?.fate === "refused";
    const to = isOver ? (call.ended?.order ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    return {
      name: `${nameOf(call)}${part}`,
      from: call.invoked.order,
      to,
      required,
      isRead: false,
      isPast: isPastOf(call, part),
      after,
      step: required ? step : this.#makingRevision(step),
    };
  }

  /**
   * What need not have happened explains nothing unless it made a revision that no other call says is its own: where
   * nothing hangs on a lease, `LeaseChances` has its end.
   */
  #makingRevision(step: StoreOperation["step"]): StoreOperation["step"] {
    return (store) => {
      if (this.#writers.has(store.revision + 1)) return undefined;
      const next = step(store);
      return next === undefined || next.revision === store.revision ? undefined : next;
    };
  }

  /** Joining, then holding; or, for who went away, joining and being cleaned away, each perhaps. */
  #waiting(call: CallOf<"lock"> | CallOf<"campaign">): StoreOperation[] {
    const lease = leaseOf(call);
    if (lease === undefined) return [];
    const { name } = call.request;
    const value = call.kind === "campaign" ? call.request.value : new Uint8Array(0);
    const key = ownershipKey(name, lease);
    const granting = call.request.lease === zeroLease ? this.#granting(call, lease) : undefined;
    const joinStep = (store: Store): Store | undefined => {
      return this.#apply(this.#leases.prepared(store, call), joining(name, lease, value), call);
    };
    const join = this.#calling(call, ", joining", joinStep, granting);
    const operations = granting === undefined ? [join] : [granting, join];
    const answer = answered(call);
    const replace = this.#replacing(call, key, value);
    if (answer === undefined) return [...operations, replace, this.#leaving(call, key)];
    const isHeader = (store: Store): boolean => call.kind === "campaign" || headerRevision(answer) === store.revision;
    const held = (store: Store): Store | undefined => (isHeader(store) && agrees(answer, store) ? store : undefined);
    return [...operations, replace, { ...this.#calling(call, ", granted", held, join), isRead: true }];
  }

  #granting(call: Call, leaseId: bigint): StoreOperation {
    const command = { kind: "leaseGrant", leaseId, ttlSeconds: sessionTtlSeconds } as const;
    return this.#calling(call, ", granting a lease", (store) => this.#apply(store, command));
  }

  /** ELECT-8. */
  #replacing(call: Call, key: KeyValue["key"], value: Uint8Array): StoreOperation {
    const step = (store: Store): Store | undefined => {
      const pair = findPair(store.pairs, key);
      if (pair === undefined || sameAnswer(pair.value, value)) return undefined;
      return this.#apply(store, proclaiming(key, pair.createRevision, pair.lease, value));
    };
    return this.#calling(call, ", with another value", step, undefined, false);
  }

  /** LOCK-15, ELECT-10. */
  #leaving(call: Call, key: KeyValue["key"]): StoreOperation {
    const step = (store: Store): Store | undefined => {
      const pair = findPair(store.pairs, key);
      return pair === undefined ? undefined : this.#apply(store, resigning(key, pair.createRevision));
    };
    return { ...this.#calling(call, ", leaving", step, undefined, false), to: Number.POSITIVE_INFINITY };
  }

  #commandOf(call: Call): Command | undefined {
    switch (call.kind) {
      case "put":
        return { kind: "put", request: call.request };
      case "deleteRange":
        return { kind: "deleteRange", request: call.request };
      case "txn":
        return { kind: "txn", request: call.request };
      case "compact":
        return { kind: "compact", revision: call.request.revision };
      case "leaseGrant":
        return this.#grantOf(call);
      case "leaseRevoke":
        return { kind: "leaseRevoke", leaseId: call.request.id };
      case "unlock":
        return unlocking(call.request.key);
      case "resign":
        return call.request.leader && resigning(call.request.leader.key, call.request.leader.rev);
      case "proclaim":
        return proclaimOf(call);
      default:
        return undefined;
    }
  }

  /** The server may raise the TTL (LEASE-5). A grant of unknown fate is left to those who meet the lease: `LeaseChances`. */
  #grantOf({ result }: CallOf<"leaseGrant">): Command | undefined {
    if (result?.fate !== "done") return undefined;
    const { id, ttl } = result.response;
    return { kind: "leaseGrant", leaseId: id, ttlSeconds: ttl };
  }

  #run(store: Store, command: Command, call: Call): Store | undefined {
    const prepared = this.#leases.prepared(store, call);
    const applied = apply(prepared, command);
    if (call.result?.fate === "done" && !isAnsweredBy(call, applied.outcome)) return undefined;
    return this.#kept(prepared, applied.store, call);
  }

  #apply(store: Store, command: Command, call?: Call): Store | undefined {
    const { outcome, store: next } = apply(store, command);
    return outcome.kind === "refused" ? undefined : this.#kept(store, next, call);
  }

  /**
   * The same store if nothing changed; none if the new revision is known to be another call's, or lacks a pair that somebody
   * saw of it.
   */
  #kept(before: Store, after: Store, call: Call | undefined): Store | undefined {
    const { revision, compactRevision, leases } = after;
    if (revision === before.revision) {
      return compactRevision === before.compactRevision && leases === before.leases ? before : after;
    }
    const writer = this.#writers.get(revision);
    if (writer !== undefined && writer !== call) return undefined;
    const observed = this.#observed.get(revision) ?? [];
    return observed.every((pair) => sameAnswer(findPair(after.pairs, pair.key), pair)) ? after : undefined;
  }
}

/** What cannot help to explain any answer: a compaction that nobody heard of. */
function isOfNoUse(call: Call): boolean {
  return call.kind === "compact" && call.result?.fate !== "done";
}

function hasKeys({ pairs }: Store, leaseId: bigint): boolean {
  return pairs.some((pair) => pair.lease === leaseId);
}

/** Revisions never fall, so what was answered with a lower one is missed. Parts of a call are not answered. */
function isPastOf(call: Call, part: string): (store: Store) => boolean {
  const answer = answered(call);
  if (answer === undefined || part !== "" || answer.kind === "leaseKeepAlive") return () => false;
  const revision = headerRevision(answer);
  return (store) => store.revision > revision && !(answer.kind === "compact" && answer.request.physical);
}

/** What ranges and deletions showed, by the revision that made it. */
function pairsByRevision(calls: readonly Call[]): Map<number, KeyValue[]> {
  const observed = new Map<number, KeyValue[]>();
  for (const call of calls) {
    const answer = answered(call);
    if (answer === undefined || answer.kind === "txn") continue;
    for (const { pair, whole } of pairsIn(answer)) {
      if (!whole) continue;
      const others = observed.get(pair.modRevision);
      if (others === undefined) observed.set(pair.modRevision, [pair]);
      else others.push(pair);
    }
  }
  return observed;
}

/** Calls whose answers say that they made a revision. */
function writersByRevision(calls: readonly Call[]): Map<number, Call> {
  const writers = new Map<number, Call>();
  for (const call of calls) {
    const answer = answered(call);
    if (answer !== undefined && hasWritten(answer)) writers.set(headerRevision(answer), call);
  }
  return writers;
}

/** Of one that left the lease to the server it is not known which that was. */
function proclaimOf(call: CallOf<"proclaim">): Command | undefined {
  const { leader, value } = call.request;
  return leader === undefined || leader.lease === zeroLease
    ? undefined
    : proclaiming(leader.key, leader.rev, leader.lease, value);
}
