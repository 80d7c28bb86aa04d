/** Coverage marks that show in what the clients saw and what the log holds. */
import { readBatch } from "@holdfast/replica";
import type { History, StoredEntry } from "../history/history.js";
import type { Moment } from "../history/moment.js";

/** How often each was reached. */
export function marksOf(history: History): Map<string, number> {
  const ends = leaseEnds(history.entries);
  return new Map([
    ["lease-expired", ends.length],
    ["keepalive-refused-by-end", refusedByEnd(history, ends)],
    ["watcher-overtaken", history.watches.filter(isOvertaken).length],
    ["watch-resumed", history.watches.filter(({ resumedFrom }) => resumedFrom !== undefined).length],
    ["lock-waited", history.calls.filter(isLongWait).length],
    ["call-unknown", history.calls.filter(({ result }) => result === undefined || result.fate === "unknown").length],
    ["queue-full", history.calls.filter(isTooMany).length],
  ]);
}

interface LeaseEnd {
  readonly leaseId: bigint;
  readonly at: Moment;
}

function leaseEnds(entries: readonly StoredEntry[]): LeaseEnd[] {
  const ends: LeaseEnd[] = [];
  for (const { index, payload, at } of entries) {
    readBatch(index, payload, ({ command }) => {
      if (command.kind === "leaseExpire") ends.push({ leaseId: command.leaseId, at });
    });
  }
  return ends;
}

/** A refresh that was under way when the end of its lease was stored, and was told that there is no such lease. */
function refusedByEnd({ calls }: History, ends: readonly LeaseEnd[]): number {
  let count = 0;
  for (const call of calls) {
    if (call.kind !== "leaseKeepAlive" || call.result?.fate !== "done" || call.result.response.ttl !== 0) continue;
    const { invoked, ended, request } = call;
    const lastOrder = ended?.order ?? 0;
    const isMet = ({ leaseId, at }: LeaseEnd): boolean =>
      leaseId === request.id && at.order > invoked.order && at.order < lastOrder;
    if (ends.some(isMet)) count++;
  }
  return count;
}

/** It had been told something before it was cancelled for what is gone. */
function isOvertaken({ messages }: History["watches"][number]): boolean {
  const end = messages.findIndex(({ canceled, compactRevision }) => canceled && compactRevision > 0);
  return end > 0 && messages.slice(0, end).some(({ events }) => events.length > 0);
}

/** Longer than any answer takes that waits for nobody. */
const waitedMs = 1_000;

function isLongWait({ kind, invoked, ended, result }: History["calls"][number]): boolean {
  if ((kind !== "lock" && kind !== "campaign") || result?.fate !== "done" || ended === undefined) return false;
  return ended.ms - invoked.ms > waitedMs;
}

function isTooMany({ result }: History["calls"][number]): boolean {
  return result?.fate === "refused" && result.message.includes("too many requests");
}
