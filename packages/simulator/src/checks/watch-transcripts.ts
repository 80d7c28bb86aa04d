/**
 * C9: each watch saw exactly the events it asked for, from its start to as far as it came: in order, none twice, none
 * missing, all of a revision together, with the right pairs before; notices of progress are true, compaction ends a watch
 * aloud, and who resumed missed nothing (I8). Without a log the events that any answer or watch shows stand in for it.
 */
import type { WatchRecord } from "../history/watches.js";
import { type Answered, allAnswered, headerRevision } from "./answers.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder } from "./finding.js";
import { eventsOfLog, eventsSeen, firstFrom, type KnownEvents } from "./known-events.js";
import type { Replay } from "./replay.js";
import { revisionFaults } from "./watch-events.js";
import {
  coveredUpTo,
  type Delivered,
  deliveredBy,
  isProgress,
  matcherOf,
  orderFaults,
  revisionOf,
  startOf,
} from "./watch-transcript.js";

/** What watches are held against. */
interface Ground {
  readonly known: KnownEvents;
  /** Undefined without a log. */
  readonly replay: Replay | undefined;
  readonly answers: readonly Answered[];
}

export function checkWatches(evidence: Evidence): Finding {
  const { calls, watches } = evidence.history;
  const builder = new FindingBuilder("C9");
  const answers = allAnswered(calls);
  const { whyNoReplay } = evidence;
  const replay = whyNoReplay === undefined ? evidence.replay : undefined;
  if (whyNoReplay !== undefined) builder.fellBack(whyNoReplay);
  const known = replay === undefined ? eventsSeen(answers, watches) : eventsOfLog(replay);
  for (const watch of watches) {
    const delivered = deliveredBy(watch);
    builder.count("watches");
    builder.count("events", delivered.length);
    for (const fault of watchFaults(watch, delivered, { known, replay, answers })) {
      builder.violation("I8", `watch ${watch.id} of ${watch.client}: ${fault}`);
    }
  }
  return builder.finding();
}

function* watchFaults(watch: WatchRecord, delivered: readonly Delivered[], ground: Ground): Generator<string> {
  yield* orderFaults(watch);
  const start = startOf(watch);
  if (start === undefined) {
    if (delivered.length > 0) yield "events came although its creation was never answered";
    return;
  }
  yield* startFaults(watch, delivered[0], start, ground.answers);
  yield* contentFaults(watch, delivered, start, ground);
  yield* compactionFaults(watch, start, ground.replay);
  if (ground.replay !== undefined) yield* progressFaults(watch, ground.replay);
}

/** Nothing from before the start; from "now" on nothing that had been seen before; nothing that had been compacted. */
function* startFaults(
  watch: WatchRecord,
  first: Delivered | undefined,
  start: number,
  answers: readonly Answered[],
): Generator<string> {
  if (first === undefined) return;
  const { startRevision } = watch.request;
  const revision = revisionOf(first.event);
  if (startRevision !== 0 && revision < start) yield `it begins at revision ${start}, but got ${revision}`;
  for (const answer of answers) {
    if (answer.ended > watch.created.order) continue;
    const seen = headerRevision(answer);
    if (startRevision === 0 && revision <= seen) yield `it begins now, but got revision ${revision} with ${seen} known`;
    if (answer.kind === "compact" && startRevision > 0 && startRevision < answer.request.revision) {
      yield `it got events from revision ${startRevision} on, after a compaction to ${answer.request.revision}`;
    }
  }
}

/** What should have come, revision by revision, against what came. */
function* contentFaults(
  watch: WatchRecord,
  delivered: readonly Delivered[],
  start: number,
  { known, replay }: Ground,
): Generator<string> {
  const matches = matcherOf(watch.request);
  const upTo = mustHaveUpTo(watch, known);
  const got = byRevision(delivered);
  for (const [revision, arrived] of got) {
    const wanted = known.revisions[firstFrom(known.revisions, revision)];
    const expected = wanted?.revision === revision ? wanted.events.filter(matches) : [];
    const toldAt = wanted?.revision === revision ? wanted.toldAt : 0;
    const isComplete = known.isComplete && revision <= upTo;
    yield* revisionFaults(watch, arrived, { revision, expected, toldAt, isComplete, isAll: known.isComplete, replay });
  }
  // A watch from now on may have been registered a moment before its creation was answered (WATCH-5).
  const [firstGot] = got.keys();
  const from = watch.request.startRevision === 0 ? Math.min(start, firstGot ?? start) : start;
  for (let at = firstFrom(known.revisions, from); at < known.revisions.length; at++) {
    const { revision, events } = known.revisions[at]!;
    if (revision > upTo) return;
    if (!got.has(revision) && events.some(matches)) yield `revision ${revision} is missing; it came as far as ${upTo}`;
  }
}

/** At the end of a run a watch that is still open must have everything; else up to what it saw. */
function mustHaveUpTo(watch: WatchRecord, known: KnownEvents): number {
  const isOpen = !watch.messages.some(({ canceled }) => canceled);
  return watch.caughtUp && isOpen ? known.lastRevision : coveredUpTo(watch);
}

function byRevision(delivered: readonly Delivered[]): Map<number, Delivered[]> {
  const groups = new Map<number, Delivered[]>();
  for (const one of delivered) {
    const revision = revisionOf(one.event);
    const group = groups.get(revision);
    if (group === undefined) groups.set(revision, [one]);
    else group.push(one);
  }
  return groups;
}

/** WATCH-22, WATCH-23: only a watch that compaction has overtaken is ended by it. */
function* compactionFaults(watch: WatchRecord, start: number, replay: Replay | undefined): Generator<string> {
  const end = watch.messages.find(({ compactRevision }) => compactRevision > 0);
  if (end === undefined) return;
  const { compactRevision, revision, at, canceled } = end;
  if (!canceled) yield `a message of compaction to ${compactRevision} did not cancel it`;
  if (revision !== 0) yield `it was told of the compaction with a header of revision ${revision}`;
  const next = Math.max(start, coveredUpTo(watch) + 1);
  if (next >= compactRevision) yield `it was ended for a compaction to ${compactRevision}, but needed ${next} next`;
  if (replay === undefined) return;
  const compacted = replay.storeAt(replay.lastToldBefore(at.order)).compactRevision;
  if (compacted < compactRevision)
    yield `it was ended for a compaction to ${compactRevision}, but only ${compacted} was`;
}

/** A notice of progress is of a revision that there was (WATCH-32). */
function* progressFaults(watch: WatchRecord, replay: Replay): Generator<string> {
  for (const message of watch.messages) {
    const { revision } = replay.storeAt(replay.lastToldBefore(message.at.order));
    if (isProgress(message) && message.revision > revision) {
      yield `a notice of progress came at revision ${message.revision}, but there was only ${revision}`;
    }
  }
}
