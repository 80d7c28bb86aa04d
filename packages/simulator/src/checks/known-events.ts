/**
 * The events that there were: all of them where the log is known, else what answers and watches tell of them. Either way a
 * watch must not miss one that is known.
 */
import { type ByteString, createEvent, createKeyValue, type Event, EventType } from "@holdfast/protocol";
import type { WatchRecord } from "../history/watches.js";
import { type Answered, headerRevision } from "./answers.js";
import type { Replay } from "./replay.js";

/** The events of one revision, in order. */
export interface RevisionEvents {
  readonly revision: number;
  readonly events: readonly Event[];
  /** When a server had first been told that they are stored, as an order; 0 where that is not known. */
  readonly toldAt: number;
}

export interface KnownEvents {
  /** Whether there are no others. */
  readonly isComplete: boolean;
  /** Ascending by revision. */
  readonly revisions: readonly RevisionEvents[];
  /** The newest revision that is known of. */
  readonly lastRevision: number;
}

/** Everything, from the log. */
export function eventsOfLog(replay: Replay): KnownEvents {
  const revisions = replay.steps
    .filter(({ events }) => events.length > 0)
    .map(({ store, events, entry }) => ({ revision: store.revision, events, toldAt: entry.at.order }));
  return { isComplete: true, revisions, lastRevision: replay.lastStore.revision };
}

/** What was seen of it, without a log: events that reached some watch, and puts that were answered. */
export function eventsSeen(answers: readonly Answered[], watches: readonly WatchRecord[]): KnownEvents {
  const seen = new Map<number, Map<ByteString, Event>>();
  const remember = (event: Event): void => {
    const { key, modRevision } = event.kv ?? createKeyValue();
    const ofRevision = seen.get(modRevision) ?? new Map<ByteString, Event>();
    if (!ofRevision.has(key)) ofRevision.set(key, event);
    seen.set(modRevision, ofRevision);
  };
  for (const { messages } of watches) for (const { events } of messages) for (const event of events) remember(event);
  for (const answer of answers) if (answer.kind === "put") rememberPut(answer, seen, remember);
  const revisions = [...seen]
    .sort(([left], [right]) => left - right)
    .map(([revision, byKey]) => {
      return { revision, events: [...byKey.values()], toldAt: 0 };
    });
  return { isComplete: false, revisions, lastRevision: revisions.at(-1)?.revision ?? 0 };
}

/** Of a put it is not known which version it made; a watch that saw it knows better. */
function rememberPut(
  answer: Extract<Answered, { kind: "put" }>,
  seen: ReadonlyMap<number, ReadonlyMap<ByteString, Event>>,
  remember: (event: Event) => void,
): void {
  const revision = headerRevision(answer);
  if (seen.get(revision)?.has(answer.request.key)) return;
  const { key } = answer.request;
  remember(createEvent({ type: EventType.PUT, kv: createKeyValue({ key, modRevision: revision }) }));
}

/** The index of the first of `revisions` that is not below `revision`. */
export function firstFrom(revisions: readonly RevisionEvents[], revision: number): number {
  let low = 0;
  let high = revisions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (revisions[middle]!.revision < revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
