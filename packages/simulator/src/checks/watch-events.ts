/** The events of one revision as a watch got them, against those there were. */
import { type Event, EventType } from "@holdfast/protocol";
import type { WatchRecord } from "../history/watches.js";
import { sameAnswer, show } from "./answers.js";
import type { Replay } from "./replay.js";
import { type Delivered, matcherOf } from "./watch-transcript.js";

/** What there was at one revision. */
export interface ExpectedRevision {
  readonly revision: number;
  /** Those the watch asks for, in order. */
  readonly expected: readonly Event[];
  /** When they were stored, as an order; 0 if that is not known. */
  readonly toldAt: number;
  /** Whether all of them must have come: not while the revision may still be told in fragments. */
  readonly isComplete: boolean;
  /** Whether there were no others. */
  readonly isAll: boolean;
  readonly replay: Replay | undefined;
}

/** What is wrong with what came of one revision. */
export function* revisionFaults(
  watch: WatchRecord,
  arrived: readonly Delivered[],
  there: ExpectedRevision,
): Generator<string> {
  const matches = matcherOf(watch.request);
  for (const { event, message } of arrived) {
    if (!matches(event)) yield `it got what it did not ask for: ${show(event)}`;
    if (message.at.order < there.toldAt) yield `it got revision ${there.revision} before that was stored`;
  }
  if (there.isAll) yield* allFaults(watch, arrived, there);
  else yield* knownFaults(arrived, there);
  for (const delivered of arrived) yield* previousFaults(watch, delivered, there);
}

function* allFaults(watch: WatchRecord, arrived: readonly Delivered[], there: ExpectedRevision): Generator<string> {
  const { revision, expected, isComplete } = there;
  if (arrived.length > expected.length || (isComplete && arrived.length < expected.length)) {
    yield `it got ${arrived.length} events of revision ${revision}, where there are ${expected.length} for it`;
  }
  for (const [at, { event }] of arrived.entries()) {
    const wanted = expected[at];
    if (wanted === undefined) return;
    if (event.type !== wanted.type || !sameAnswer(event.kv, wanted.kv)) {
      yield `it got ${show(event)} where there is ${show(wanted)}`;
    } else yield* knownPreviousFaults(watch, arrived[at]!, wanted, there.replay);
  }
}

/** Of an event that only a put is known of, the rest of the pair is not. */
function* knownFaults(arrived: readonly Delivered[], { revision, expected }: ExpectedRevision): Generator<string> {
  for (const wanted of expected) {
    const found = arrived.find(({ event }) => event.type === wanted.type && event.kv?.key === wanted.kv?.key);
    if (found === undefined) yield `it misses ${show(wanted)} at revision ${revision}`;
    else if (wanted.kv?.version !== 0 && !sameAnswer(found.event.kv, wanted.kv)) {
      yield `it got ${show(found.event)} where others got ${show(wanted)}`;
    }
  }
}

/** WATCH-25: the pair of the revision before, left out once that is compacted. */
function* knownPreviousFaults(
  { request }: WatchRecord,
  { event, message }: Delivered,
  wanted: Event,
  replay: Replay | undefined,
): Generator<string> {
  if (!request.prevKv || sameAnswer(event.prevKv, wanted.prevKv)) return;
  const store = replay?.storeAt(replay.lastToldBefore(message.at.order));
  const isCompacted = store !== undefined && store.compactRevision > (event.kv?.modRevision ?? 0) - 1;
  if (event.prevKv !== undefined || !isCompacted) {
    yield `the pair before ${show(event.kv)} is told as ${show(event.prevKv)}, but was ${show(wanted.prevKv)}`;
  }
}

/** What can be told of a previous pair without knowing it. */
function* previousFaults({ request }: WatchRecord, { event }: Delivered, there: ExpectedRevision): Generator<string> {
  const { kv, prevKv, type } = event;
  if (prevKv === undefined) return;
  if (!request.prevKv) yield `a previous pair came that nobody asked for, at revision ${there.revision}`;
  if (kv?.key !== prevKv.key || prevKv.modRevision >= there.revision) yield `${show(prevKv)} is not before ${show(kv)}`;
  const isNextVersion = kv?.version === prevKv.version + 1 && kv.createRevision === prevKv.createRevision;
  if (type === EventType.PUT && kv !== undefined && kv.version > 1 && !isNextVersion) {
    yield `${show(kv)} is not the version after ${show(prevKv)}`;
  }
}
