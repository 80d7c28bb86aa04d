/** What the calls of a history tell about each lease: when it was asked for, renewed, and given up. */
import type { Call, CallOf } from "../history/calls.js";
import { type Answered, allAnswered } from "./answers.js";

/** A clock that may be wrong by no more than this runs no faster than `1 + clockRateError` (fault model, section 2). */
export const clockRateError = 0.005;

/** A success: a grant, or a renewal that was answered with a TTL. */
export interface Renewal {
  /** Of a grant the answer alone does not tell which of several leases of the id it is. */
  readonly isGrant: boolean;
  readonly sentMs: number;
  readonly sent: number;
  readonly answered: number;
  readonly ttlSeconds: number;
}

/** Everything about one id. */
export interface LeaseRecord {
  readonly leaseId: bigint;
  readonly renewals: Renewal[];
  /** Calls that may have granted it; with more than one the id may stand for several leases. */
  grants: number;
  /** Calls that may have revoked it, by when they were made. */
  readonly revokedFrom: number[];
  /** When renewals were tried, whatever came of them. */
  readonly tries: { readonly sent: number; readonly overMs: number }[];
  /** Answers by which it is gone. */
  readonly gone: Answered[];
}

/** The leases of a history, by id. */
export function leaseRecords(calls: readonly Call[]): Map<bigint, LeaseRecord> {
  const records = new Map<bigint, LeaseRecord>();
  const of = (leaseId: bigint): LeaseRecord => {
    const known = records.get(leaseId);
    if (known !== undefined) return known;
    const record = { leaseId, renewals: [], grants: 0, revokedFrom: [], tries: [], gone: [] };
    records.set(leaseId, record);
    return record;
  };
  for (const call of calls) noteCall(call, of);
  for (const answer of allAnswered(calls)) noteAnswer(answer, of);
  return records;
}

/** The earliest moment at which a lease renewed then may end. */
export function earliestEndMs({ sentMs, ttlSeconds }: Pick<Renewal, "sentMs" | "ttlSeconds">): number {
  return sentMs + (ttlSeconds * 1000) / (1 + clockRateError);
}

/** The earliest moment at which a lease may end, by all its renewals; 0 if there were none. */
export function earliestOf({ renewals }: LeaseRecord): number {
  return renewals.reduce((latest, renewal) => Math.max(latest, earliestEndMs(renewal)), 0);
}

/** From a time to the order of the last moment before it: what happens then comes behind that. Binary search, so made once. */
export function ordersBefore(calls: readonly Call[]): (ms: number) => number {
  const moments = calls.flatMap(({ invoked, ended }) => (ended === undefined ? [invoked] : [invoked, ended]));
  moments.sort((left, right) => left.order - right.order);
  return (ms) => {
    let low = 0;
    let high = moments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (moments[middle]!.ms < ms) low = middle + 1;
      else high = middle;
    }
    return moments[low - 1]?.order ?? 0;
  };
}

/**
 * The TTL that a grant of unknown fate must have had if it was made: what it was raised to, the next renewal tells (LEASE-5).
 * What is answered after another grant of that id cannot be told from it, and does no harm: it had ended by then.
 */
export function unknownTtlSeconds(
  { renewals }: Pick<LeaseRecord, "renewals">,
  { request, invoked }: CallOf<"leaseGrant">,
): number {
  const next = renewals.find(({ sent }) => sent > invoked.order);
  return next?.ttlSeconds ?? request.ttl;
}

function noteCall(call: Call, of: (leaseId: bigint) => LeaseRecord): void {
  if (call.kind === "leaseKeepAlive") {
    of(call.request.id).tries.push({ sent: call.invoked.order, overMs: call.ended?.ms ?? call.invoked.ms });
  }
  if (call.result?.fate === "refused") return;
  if (call.kind === "leaseGrant" && call.request.id !== 0n) of(call.request.id).grants++;
  if (call.kind === "leaseRevoke") of(call.request.id).revokedFrom.push(call.invoked.order);
}

function noteAnswer(answer: Answered, of: (leaseId: bigint) => LeaseRecord): void {
  if (answer.kind === "leaseGrant") {
    if (answer.request.id === 0n) of(answer.response.id).grants++;
    of(answer.response.id).renewals.push(renewal(answer, answer.response.ttl));
  } else if (answer.kind === "leaseKeepAlive") {
    const record = of(answer.request.id);
    if (answer.response.ttl > 0) record.renewals.push(renewal(answer, answer.response.ttl));
    else record.gone.push(answer);
  } else if (answer.kind === "leaseTimeToLive" && answer.response.ttl === -1 && answer.response.grantedTtl === 0) {
    of(answer.request.id).gone.push(answer);
  }
}

function renewal({ call, ended }: Answered, ttlSeconds: number): Renewal {
  return {
    isGrant: call.kind === "leaseGrant",
    sentMs: call.invoked.ms,
    sent: call.invoked.order,
    answered: ended,
    ttlSeconds,
  };
}
