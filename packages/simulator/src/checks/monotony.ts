/**
 * C4: revisions never fall. In headers: against whatever had been answered before a call was made, on each connection, and
 * on each watch. In pairs: one revision of a key is one value, versions count up by one within a life, lives do not overlap;
 * and no revision has two writers (I2). Needs answers and watches only.
 */
import type { Event, KeyValue } from "@holdfast/protocol";
import type { WatchRecord } from "../history/watches.js";
import {
  type Answered,
  allAnswered,
  hasWritten,
  headerRevision,
  nameOf,
  pairsIn,
  type SeenPair,
  sameAnswer,
  show,
} from "./answers.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder } from "./finding.js";

/** Answers with more than this in them may be overtaken by others on their way, so their order on a connection says nothing. */
const bulkyBytes = 16 * 1024;

export function checkMonotony({ history }: Evidence): Finding {
  const builder = new FindingBuilder("C4");
  const answers = allAnswered(history.calls);
  checkRealTime(answers, builder);
  checkConnections(answers, builder);
  for (const watch of history.watches) checkWatchHeaders(watch, builder);
  checkPairs(answers, history.watches, builder);
  checkWriters(answers, builder);
  return builder.finding();
}

/** A header is no lower than any that had been seen when its call was made. A serializable read may be behind (I3). */
function checkRealTime(answers: readonly Answered[], builder: FindingBuilder): void {
  const byEnd = [...answers].sort((left, right) => left.ended - right.ended);
  const byStart = [...answers].sort((left, right) => left.call.invoked.order - right.call.invoked.order);
  let highest: Answered | undefined;
  let seen = 0;
  for (const answer of byStart) {
    for (; seen < byEnd.length && byEnd[seen]!.ended < answer.call.invoked.order; seen++) {
      if (highest === undefined || headerRevision(byEnd[seen]!) > headerRevision(highest)) highest = byEnd[seen];
    }
    if (highest === undefined || headerRevision(answer) >= headerRevision(highest)) continue;
    if (answer.kind === "range" && answer.request.serializable) continue;
    builder.violation("I2", `${tell(answer)} after ${tell(highest)}`);
  }
}

function tell(answer: Answered): string {
  return `${nameOf(answer.call)} was answered at revision ${headerRevision(answer)}`;
}

/** In the order of arrival. A campaign shows when it joined (ELECT-6), a renewal the moment before it (LEASE-23). */
function checkConnections(answers: readonly Answered[], builder: FindingBuilder): void {
  const highest = new Map<number, Answered>();
  for (const answer of [...answers].sort((left, right) => left.ended - right.ended)) {
    if (answer.kind === "campaign" || answer.kind === "leaseKeepAlive" || isBulky(answer)) continue;
    const before = highest.get(answer.call.connection);
    if (before === undefined || headerRevision(answer) >= headerRevision(before)) {
      highest.set(answer.call.connection, answer);
    } else {
      builder.violation("I2", `${tell(answer)}, behind ${tell(before)} on the same connection`);
    }
  }
}

function isBulky(answer: Answered): boolean {
  const bytes = pairsIn(answer).reduce((sum, { pair }) => sum + pair.key.length + pair.value.length, 0);
  return bytes > bulkyBytes;
}

/** The answer to a watch that compaction has overtaken has no revision (WATCH-22). */
function checkWatchHeaders({ id, client, messages }: WatchRecord, builder: FindingBuilder): void {
  let highest = 0;
  for (const { revision, compactRevision } of messages) {
    if (compactRevision > 0) continue;
    if (revision < highest) {
      builder.violation("I2", `watch ${id} of ${client} got a header of revision ${revision} after one of ${highest}`);
    }
    highest = Math.max(highest, revision);
  }
}

function checkPairs(answers: readonly Answered[], watches: readonly WatchRecord[], builder: FindingBuilder): void {
  const byKey = new Map<string, SeenPair[]>();
  for (const seen of [...answers.flatMap(pairsIn), ...watches.flatMap(pairsOfWatch)]) {
    const others = byKey.get(seen.pair.key);
    if (others === undefined) byKey.set(seen.pair.key, [seen]);
    else others.push(seen);
  }
  for (const seen of byKey.values()) {
    seen.sort((left, right) => left.pair.modRevision - right.pair.modRevision);
    seen.forEach((later, at) => {
      const why = at === 0 ? whyImpossible(later.pair) : whyNotAfter(seen[at - 1]!, later);
      if (why !== undefined)
        builder.violation("I2", `${why}: ${at === 0 ? "" : show(seen[at - 1]!.pair)} ${show(later.pair)}`);
    });
  }
}

function pairsOfWatch({ messages }: WatchRecord): SeenPair[] {
  return messages.flatMap(({ events }) => events.flatMap(pairsOfEvent));
}

/** The pair of a deletion is none. */
function pairsOfEvent({ kv, prevKv }: Event): SeenPair[] {
  return [kv, prevKv]
    .filter((pair) => pair !== undefined && pair.version > 0)
    .map((pair) => ({ pair: pair!, aliveAt: pair!.modRevision, whole: true }));
}

function whyImpossible({ createRevision, modRevision, version }: KeyValue): string | undefined {
  if (createRevision > modRevision) return "a pair was changed before it was created";
  if ((version === 1) !== (createRevision === modRevision)) return "version 1 is the creation, and only that";
  return version > modRevision - createRevision + 1 ? "a pair has more versions than revisions" : undefined;
}

/** Both of one key, the first with the lower or the same modification revision. */
function whyNotAfter(first: SeenPair, second: SeenPair): string | undefined {
  const [earlier, later] = [first.pair, second.pair];
  if (earlier.modRevision === later.modRevision) return whyNotSame(first, second);
  if (earlier.createRevision === later.createRevision) {
    const writes = later.version - earlier.version;
    if (writes < 1) return "a later version does not count up";
    if (writes > later.modRevision - earlier.modRevision) return "there are more versions than revisions between";
  } else if (later.createRevision <= earlier.modRevision) return "two lives of a key overlap";
  return whyImpossible(later);
}

function whyNotSame(first: SeenPair, second: SeenPair): string | undefined {
  const [left, right] = [first.pair, second.pair];
  const isSame =
    first.whole && second.whole
      ? sameAnswer(left, right)
      : left.createRevision === right.createRevision && left.version === right.version;
  return isSame ? undefined : "one revision of a key is seen as two";
}

/** What changes something does so at a revision of its own. */
function checkWriters(answers: readonly Answered[], builder: FindingBuilder): void {
  const writers = new Map<number, Answered>();
  for (const answer of answers) {
    if (!hasWritten(answer)) continue;
    const revision = headerRevision(answer);
    const other = writers.get(revision);
    if (other === undefined) writers.set(revision, answer);
    else builder.violation("I2", `${nameOf(other.call)} and ${nameOf(answer.call)} both made revision ${revision}`);
  }
}
