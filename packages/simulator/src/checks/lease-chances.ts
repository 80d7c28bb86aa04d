/**
 * What may have happened to leases without anybody hearing of it, so that a search need not try all of it at all times: a
 * grant of unknown fate counts as made by whoever meets the lease first, and a lease on which nothing hangs as ended by
 * whoever finds it gone, once it may have ended. A lease that is found gone, and alive again, is for C7 to find.
 */
import type { RequestOp } from "@holdfast/protocol";
import type { Call } from "../history/calls.js";
import { findLease, type Store } from "../model/index.js";
import { answered } from "./answers.js";
import { earliestOf, type LeaseRecord, ordersBefore, unknownTtlSeconds } from "./lease-record.js";

interface PossibleGrant {
  readonly from: number;
  readonly ttlSeconds: number;
}

export class LeaseChances {
  readonly #grants = new Map<bigint, PossibleGrant>();
  readonly #goneFrom = new Map<bigint, number>();
  readonly #expiresFrom = new Map<bigint, number>();

  constructor(calls: readonly Call[], records: ReadonlyMap<bigint, LeaseRecord>) {
    const orderBefore = ordersBefore(calls);
    for (const record of records.values()) {
      const { leaseId, grants, revokedFrom } = record;
      const expiresFrom = grants > 1 ? 0 : orderBefore(earliestOf(record));
      this.#expiresFrom.set(leaseId, expiresFrom);
      this.#goneFrom.set(leaseId, Math.min(expiresFrom, ...revokedFrom));
    }
    for (const call of calls) this.#note(call, records);
  }

  /** From when on, as an order, a lease may run out. */
  expiresFrom(leaseId: bigint): number {
    return this.#expiresFrom.get(leaseId) ?? 0;
  }

  /** The store as `call` may have found it, as far as its leases go. */
  prepared(store: Store, call: Call): Store {
    const until = call.ended?.order ?? Number.POSITIVE_INFINITY;
    let prepared = store;
    for (const leaseId of isGone(call) ? [] : leasesMet(call)) prepared = this.#granted(prepared, leaseId, until);
    return isGone(call) ? this.#ended(store, leasesMet(call)[0]!, until) : prepared;
  }

  #note(call: Call, records: ReadonlyMap<bigint, LeaseRecord>): void {
    if (call.kind !== "leaseGrant" || call.result?.fate === "done" || call.result?.fate === "refused") return;
    const { id, ttl } = call.request;
    const record = records.get(id);
    const ttlSeconds = record === undefined ? ttl : unknownTtlSeconds(record, call);
    // The first of several counts; more than one grant of an id is rare enough.
    if (id !== 0n && !this.#grants.has(id)) this.#grants.set(id, { from: call.invoked.order, ttlSeconds });
  }

  #granted(store: Store, leaseId: bigint, until: number): Store {
    const grant = this.#grants.get(leaseId);
    if (grant === undefined || grant.from >= until || findLease(store, leaseId) !== undefined) return store;
    const appliedCommands = store.appliedCommands + 1;
    const lease = { leaseId, ttlSeconds: grant.ttlSeconds, grantNumber: appliedCommands };
    return { ...store, appliedCommands, leases: [...store.leases, lease] };
  }

  #ended(store: Store, leaseId: bigint, until: number): Store {
    const hasKeys = store.pairs.some((pair) => pair.lease === leaseId);
    if (hasKeys || findLease(store, leaseId) === undefined || (this.#goneFrom.get(leaseId) ?? 0) >= until) return store;
    return { ...store, leases: store.leases.filter((lease) => lease.leaseId !== leaseId) };
  }
}

/** Whether the answer says that there is no such lease. */
function isGone(call: Call): boolean {
  const answer = answered(call);
  if (answer?.kind === "leaseKeepAlive") return answer.response.ttl === 0;
  return answer?.kind === "leaseTimeToLive" && answer.response.grantedTtl === 0;
}

/** The leases that a call needs to be there. */
function leasesMet(call: Call): bigint[] {
  switch (call.kind) {
    case "put":
      return [call.request.lease];
    case "txn":
      return leasesIn([...call.request.success, ...call.request.failure]);
    case "lock":
    case "campaign":
      return [call.request.lease];
    case "leaseKeepAlive":
    case "leaseTimeToLive":
    case "leaseRevoke":
      return [call.request.id];
    default:
      return [];
  }
}

function leasesIn(operations: readonly RequestOp[]): bigint[] {
  return operations.flatMap(({ requestPut, requestTxn }) => {
    if (requestTxn !== undefined) return leasesIn([...requestTxn.success, ...requestTxn.failure]);
    return requestPut === undefined ? [] : [requestPut.lease];
  });
}
