/**
 * What one watch was told, taken apart: where it starts, how far it saw, and whether its messages are in order by themselves.
 */
import { type ByteString, type Event, EventType, FilterType, type WatchCreateRequest } from "@holdfast/protocol";
import type { WatchMessage, WatchRecord } from "../history/watches.js";
import { type Interval, isWithin } from "../model/index.js";

/** An event in the message it came in. */
export interface Delivered {
  readonly event: Event;
  readonly message: WatchMessage;
}

/** Which events a watch asks for (WATCH-6, WATCH-26). */
export function matcherOf({ key, rangeEnd, filters }: WatchCreateRequest): (event: Event) => boolean {
  const interval: Interval = { key: key === "" ? ("\0" as ByteString) : key, rangeEnd };
  const unwanted = new Set<number>(
    filters.map((filter) => (filter === FilterType.NOPUT ? EventType.PUT : EventType.DELETE)),
  );
  return ({ type, kv }) => kv !== undefined && !unwanted.has(type) && isWithin(interval, kv.key);
}

/** A message that says how far the watch has come, and nothing else. */
export function isProgress({ events, created, canceled, fragment }: WatchMessage): boolean {
  return events.length === 0 && !created && !canceled && !fragment;
}

export function revisionOf(event: Event): number {
  return event.kv?.modRevision ?? 0;
}

/** Every event of the watch, in the order it came. */
export function deliveredBy({ messages }: WatchRecord): Delivered[] {
  return messages.flatMap((message) => message.events.map((event) => ({ event, message })));
}

/** The message that answered the creation; undefined if none came. */
export function creationOf({ messages }: WatchRecord): WatchMessage | undefined {
  return messages.find(({ created }) => created);
}

/**
 * The revision that the watch begins at: the one it asked for, which for one that resumes is the one after what it has seen
 * (or a start that was still to come), or what follows its creation (WATCH-5). Undefined if it is not known.
 */
export function startOf(watch: WatchRecord): number | undefined {
  if (watch.request.startRevision > 0) return watch.request.startRevision;
  if (watch.resumedFrom !== undefined) return watch.resumedFrom + 1;
  const creation = creationOf(watch);
  return creation === undefined ? undefined : creation.revision + 1;
}

/** Up to which revision everything must have come: by what was seen, or by a notice of progress (WATCH-32). */
export function coveredUpTo(watch: WatchRecord): number {
  let covered = 0;
  for (const message of watch.messages) {
    if (isProgress(message)) covered = Math.max(covered, message.revision);
    // Of a revision that is still being told in fragments only those before it are complete.
    const last = message.events.at(-1);
    if (last !== undefined) covered = Math.max(covered, revisionOf(last) - (message.fragment ? 1 : 0));
  }
  return covered;
}

/** What is wrong with a transcript by itself: order, repetition, cut revisions, messages after the end. */
export function* orderFaults(watch: WatchRecord): Generator<string> {
  let previous: Delivered | undefined;
  for (const delivered of deliveredBy(watch)) {
    if (previous !== undefined) yield* orderFaultsBetween(previous, delivered, watch);
    previous = delivered;
  }
  yield* messageFaults(watch);
}

function* orderFaultsBetween(previous: Delivered, next: Delivered, watch: WatchRecord): Generator<string> {
  const [before, after] = [revisionOf(previous.event), revisionOf(next.event)];
  if (after < before) yield `an event of revision ${after} came after one of ${before}`;
  if (after !== before || previous.message === next.message) return;
  if (!previous.message.fragment) yield `revision ${after} is split over messages that are no fragments`;
  else if (!watch.request.fragment) yield `revision ${after} came in fragments that nobody asked for`;
}

function* messageFaults({ messages, request }: WatchRecord): Generator<string> {
  let covered = 0;
  let hasEnded = false;
  for (const message of messages) {
    if (hasEnded) yield `something came after the watch had been cancelled, at revision ${message.revision}`;
    const first = message.events[0];
    if (first !== undefined && revisionOf(first) <= covered) {
      yield `an event of revision ${revisionOf(first)} came after a notice of progress at ${covered}`;
    }
    if (first !== undefined && revisionOf(message.events.at(-1)!) > message.revision) {
      yield `a message with the header of revision ${message.revision} has an event of ${revisionOf(message.events.at(-1)!)}`;
    }
    if (message.fragment && !request.fragment) yield "a fragment came that nobody asked for";
    if (isProgress(message)) covered = Math.max(covered, message.revision);
    hasEnded ||= message.canceled;
  }
}
