/**
 * C8: no key is attached to a lease that has ended or was never granted, and with a lease all its keys go in one revision
 * (I7). Every pair that an answer or a watch shows is held against the ends of leases: those in the log, and those that a
 * revocation was answered with. Without a log the latter are all.
 */
import { type Event, EventType, type KeyValue } from "@holdfast/protocol";
import type { WatchRecord } from "../history/watches.js";
import { findLease } from "../model/index.js";
import { type Answered, allAnswered, headerRevision, nameOf, pairsIn } from "./answers.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder } from "./finding.js";
import type { Replay } from "./replay.js";
import { coveredUpTo, deliveredBy, revisionOf } from "./watch-transcript.js";

/** A pair with a lease, and where it was seen. */
interface Sighting {
  readonly pair: KeyValue;
  /** It was still there at this revision. */
  readonly aliveAt: number;
  readonly where: string;
}

export function checkDeadLeases(evidence: Evidence): Finding {
  const builder = new FindingBuilder("C8");
  const { calls, watches } = evidence.history;
  const answers = allAnswered(calls);
  const { whyNoReplay } = evidence;
  const replay = whyNoReplay === undefined ? evidence.replay : undefined;
  if (whyNoReplay !== undefined) builder.fellBack(whyNoReplay);
  const ends = endsOfLeases(answers, replay);
  for (const sighting of [...answers.flatMap(seenInAnswer), ...watches.flatMap(seenOnWatch)]) {
    builder.count("attached keys seen");
    checkSighting(sighting, ends, builder);
    if (replay !== undefined) checkGranted(sighting, replay, builder);
  }
  return builder.finding();
}

/** The revisions at which leases had ended, by id. */
function endsOfLeases(answers: readonly Answered[], replay: Replay | undefined): Map<bigint, number[]> {
  const ends = new Map<bigint, number[]>();
  const note = (leaseId: bigint, revision: number): void => {
    const known = ends.get(leaseId);
    if (known === undefined) ends.set(leaseId, [revision]);
    else known.push(revision);
  };
  for (const answer of answers) if (answer.kind === "leaseRevoke") note(answer.request.id, headerRevision(answer));
  for (const { ended, store } of replay?.steps ?? []) if (ended !== undefined) note(ended.leaseId, store.revision);
  return ends;
}

function seenInAnswer(answer: Answered): Sighting[] {
  return pairsIn(answer)
    .filter(({ pair }) => pair.lease !== 0n)
    .map(({ pair, aliveAt }) => ({ pair, aliveAt, where: nameOf(answer.call) }));
}

/** A pair lives until the next event of its key, or as far as the watch came; with filters that is not known. */
function seenOnWatch(watch: WatchRecord): Sighting[] {
  if (watch.request.filters.length > 0) return [];
  const last = new Map<string, Event>();
  const sightings: Sighting[] = [];
  const see = (event: Event, aliveAt: number): void => {
    const { kv, type } = event;
    if (kv === undefined || type !== EventType.PUT || kv.lease === 0n) return;
    sightings.push({ pair: kv, aliveAt: Math.max(aliveAt, kv.modRevision), where: `watch ${watch.id}` });
  };
  for (const { event } of deliveredBy(watch)) {
    const key = event.kv?.key ?? "";
    const before = last.get(key);
    if (before !== undefined) see(before, revisionOf(event) - 1);
    last.set(key, event);
  }
  const upTo = coveredUpTo(watch);
  for (const event of last.values()) see(event, upTo);
  return sightings;
}

/** Attached before the end, and still there at it. */
function checkSighting(
  { pair, aliveAt, where }: Sighting,
  ends: ReadonlyMap<bigint, number[]>,
  builder: FindingBuilder,
): void {
  for (const end of ends.get(pair.lease) ?? []) {
    if (pair.modRevision > end || end > aliveAt || aliveAt === pair.modRevision) continue;
    const what = `${where} shows ${JSON.stringify(pair.key)} of revision ${pair.modRevision} alive at ${aliveAt}`;
    builder.violation("I7", `${what}, but its lease ${pair.lease} had ended at revision ${end}`);
  }
}

function checkGranted({ pair, where }: Sighting, replay: Replay, builder: FindingBuilder): void {
  const positions = replay.positionsOf(pair.modRevision);
  if (positions === undefined || findLease(replay.storeAt(positions.first), pair.lease) !== undefined) return;
  const what = `${where} shows ${JSON.stringify(pair.key)} attached to lease ${pair.lease} at revision ${pair.modRevision}`;
  builder.violation("I7", `${what}, where there was no such lease`);
}
