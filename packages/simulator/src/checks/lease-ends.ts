/**
 * C7: no lease ends before its TTL has passed since the last renewal that was answered with success was sent, nor sooner than
 * that after the start of the server (I6); and once faults are over, who is not renewed any more ends within TTL + 2 s (I14).
 * A stall of the server ends none (F13). Clocks may be fast or slow by their allowed error. Without a log, answers by which a lease is gone stand for its end.
 */
import type { History, Life } from "../history/history.js";
import { nameOf } from "./answers.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder } from "./finding.js";
import { clockRateError, earliestEndMs, type LeaseRecord, leaseRecords } from "./lease-record.js";
import type { Replay, Step } from "./replay.js";

/** How late a lease may end that nobody renews, in a healthy server. */
const endDelayMsMax = 2000;

/** Most that one stall may count as on the lease clock: two ticks before it is noticed, and two for rounding. */
const stallCountedMsMax = 400;

/** How often the lease clock ticks, and how long a stall is that cannot go unnoticed: more than two ticks. */
const tickMs = 100;
const noticedMsMin = 3 * tickMs;

/** A lease from its grant to its end, by the log. */
interface LeaseLife {
  readonly granted: Step;
  readonly ended: Step | undefined;
}

export function checkLeaseEnds(evidence: Evidence): Finding {
  const builder = new FindingBuilder("C7");
  const { history } = evidence;
  const records = leaseRecords(history.calls);
  for (const record of records.values()) checkGone(record, builder);
  if (evidence.whyNoReplay !== undefined) {
    builder.fellBack(evidence.whyNoReplay);
    return builder.finding();
  }
  const endMs = lastMs(history);
  for (const life of leaseLives(evidence.replay)) {
    const record = records.get(life.granted.granted!.leaseId);
    checkEarly(life, record, history, builder);
    checkAfterStalls(life, record, history, builder);
    checkLate(life, record, history, endMs, builder);
  }
  return builder.finding();
}

/** By answers only: a lease that had been renewed and was revoked by nobody is gone too soon. */
function checkGone({ leaseId, renewals, grants, revokedFrom, gone }: LeaseRecord, builder: FindingBuilder): void {
  if (grants > 1) return;
  for (const { call, ended } of gone) {
    if (call.ended === undefined || revokedFrom.some((order) => order < ended)) continue;
    for (const renewal of renewals) {
      if (renewal.answered > call.invoked.order || call.ended.ms >= earliestEndMs(renewal)) continue;
      const what = `lease ${leaseId} (${renewal.ttlSeconds} s) was renewed by a call of ${renewal.sentMs} ms`;
      builder.violation("I6", `${what}, but ${nameOf(call)} found it gone at ${call.ended.ms} ms`);
    }
  }
}

/** How long the server's lease clock stood still meanwhile: a stall counts as two ticks at most, and there are two to it. */
function stalledBetween({ stalls = [] }: History, fromMs: number, toMs: number): number {
  let sumMs = 0;
  for (const stall of stalls) {
    const overlapMs = Math.min(stall.toMs, toMs) - Math.max(stall.fromMs, fromMs);
    if (overlapMs > stallCountedMsMax) sumMs += overlapMs - stallCountedMsMax;
  }
  return sumMs;
}

function leaseLives({ steps }: Replay): LeaseLife[] {
  const ends = new Map<number, Step>();
  for (const step of steps) if (step.ended !== undefined) ends.set(step.ended.grantNumber, step);
  return steps
    .filter((step) => step.granted !== undefined)
    .map((granted) => ({ granted, ended: ends.get(granted.granted!.grantNumber) }));
}

function checkEarly(
  { granted, ended }: LeaseLife,
  record: LeaseRecord | undefined,
  history: History,
  builder: FindingBuilder,
): void {
  if (ended?.command.kind !== "leaseExpire") return;
  builder.count("expiries");
  const { leaseId, ttlSeconds } = granted.granted!;
  const grantedAt = granted.entry.at;
  const endedAt = ended.entry.at;
  const tooEarly = (sentMs: number, since: string): void => {
    const stalledMs = stalledBetween(history, sentMs, endedAt.ms);
    if (endedAt.ms >= earliestEndMs({ sentMs, ttlSeconds }) + stalledMs) return;
    builder.violation("I6", `lease ${leaseId} (${ttlSeconds} s) ended at ${endedAt.ms} ms, ${since} at ${sentMs} ms`);
  };
  tooEarly(grantedAt.ms, "granted");
  for (const renewal of record?.renewals ?? []) {
    if (renewal.isGrant) continue;
    const isOfThis = renewal.answered > grantedAt.order && renewal.sent < endedAt.order;
    if (isOfThis) tooEarly(renewal.sentMs, "with a renewal that was answered sent");
  }
  const life = servingAt(history.lives, endedAt.order);
  if (life !== undefined) tooEarly(life.started.ms, "in a life that began");
}

/**
 * F13: what arrived while the server stood still is read before any lease ends, so a tick that comes late ends none. Told by
 * leases that were not due when the stall began: they live for at least one more tick.
 */
function checkAfterStalls(
  { granted, ended }: LeaseLife,
  record: LeaseRecord | undefined,
  { stalls = [] }: History,
  builder: FindingBuilder,
): void {
  if (ended?.command.kind !== "leaseExpire") return;
  const { leaseId, ttlSeconds } = granted.granted!;
  const endedAt = ended.entry.at;
  const renewals = (record?.renewals ?? []).filter(({ isGrant, sent }) => !isGrant && sent < endedAt.order);
  const kept = renewals.map(({ sentMs }) => sentMs);
  const dueMs = earliestEndMs({ sentMs: Math.max(granted.entry.at.ms, ...kept), ttlSeconds });
  for (const { fromMs, toMs, clockStood = false } of stalls) {
    if (clockStood || toMs - fromMs < noticedMsMin || dueMs < fromMs || endedAt.ms < toMs) continue;
    builder.count("ends not before the tick after a stall");
    if (endedAt.ms >= toMs + tickMs / (1 + 2 * clockRateError)) continue;
    const what = `lease ${leaseId} (${ttlSeconds} s) was not due when the server stood still from ${fromMs} ms on`;
    builder.violation("I6", `${what}, but was ended at ${endedAt.ms} ms, before the tick after that at ${toMs} ms`);
  }
}

/** Who was serving then. What is found in the log at a start was proposed by a life before. */
function servingAt(lives: readonly Life[], order: number): Life | undefined {
  const life = lives.findLast(({ started }) => started.order < order);
  return life?.serving !== undefined && life.serving.order < order ? life : undefined;
}

function checkLate(
  { granted, ended }: LeaseLife,
  record: LeaseRecord | undefined,
  { healed, lives }: History,
  lastSeenMs: number,
  builder: FindingBuilder,
): void {
  if (healed === undefined) return;
  const endOrder = ended?.entry.at.order ?? Number.POSITIVE_INFINITY;
  const life = lives.findLast(({ serving }) => serving !== undefined && serving.order < endOrder);
  const tries = (record?.tries ?? []).filter(({ sent }) => sent < endOrder).map(({ overMs }) => overMs);
  const sinceMs = Math.max(healed.ms, granted.entry.at.ms, life?.serving?.ms ?? 0, ...tries);
  const { leaseId, ttlSeconds } = granted.granted!;
  const boundMs = sinceMs + ttlSeconds * 1000 * (1 + clockRateError) + endDelayMsMax;
  const livedUntilMs = ended?.entry.at.ms ?? lastSeenMs;
  if (livedUntilMs <= boundMs) return;
  const what = `lease ${leaseId} (${ttlSeconds} s) was last kept at ${sinceMs} ms and still lived at ${livedUntilMs} ms`;
  builder.violation("I14", what);
}

/** The last moment of which anything is recorded. */
function lastMs({ calls, entries }: History): number {
  const moments = [...calls.map(({ ended, invoked }) => ended ?? invoked), ...entries.map(({ at }) => at)];
  return moments.reduce((latest, { ms }) => Math.max(latest, ms), 0);
}
