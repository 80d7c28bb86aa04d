/**
 * C1: what was once known to be stored is in the final log, at the same place with the same bytes (I1). What snapshots stand
 * for is not in there any more: `finalFirstIndex` says where the final log begins. Skipped without a log.
 */
import type { History, StoredEntry } from "../history/history.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder, noLog, skipped } from "./finding.js";

export function checkFinalLog({ history, hasLog }: Evidence): Finding {
  if (!hasLog) return skipped("C1", noLog);
  if (isUnread(history))
    return skipped("C1", "the run ended with a server that does not serve, so its log was not read");
  const builder = new FindingBuilder("C1");
  for (const contradiction of history.logContradictions) builder.violation("I1", contradiction);
  checkOrder(history.entries, "observed", builder);
  checkOrder(history.finalEntries, "final", builder);
  compare(history, builder);
  return builder.finding();
}

/** Whether nothing was read in the end because nobody could: a server that halted keeps what it has to itself (I11). */
function isUnread({ finalEntries, lives }: History): boolean {
  const last = lives.at(-1);
  return finalEntries.length === 0 && last !== undefined && (last.how === "stopped" || last.how === "refused-to-start");
}

/** Entries of one log ascend in place and epoch; a log's own entries may leave gaps. */
function checkOrder(entries: readonly StoredEntry[], which: string, builder: FindingBuilder): void {
  entries.forEach(({ index, epoch }, at) => {
    const before = entries[at - 1];
    if (before === undefined) return;
    if (index <= before.index) builder.violation("I1", `${which} entry ${index} comes after ${before.index}`);
    if (epoch < before.epoch) {
      builder.violation("I1", `${which} entry ${index} is of epoch ${epoch}, after one of epoch ${before.epoch}`);
    }
  });
}

function compare({ entries, finalEntries, finalFirstIndex }: History, builder: FindingBuilder): void {
  const final = new Map(finalEntries.map((entry) => [entry.index, entry]));
  const firstIndex = finalFirstIndex ?? finalEntries[0]?.index ?? 1;
  const missing: StoredEntry[] = [];
  for (const entry of entries) {
    if (entry.index < firstIndex) continue;
    builder.count("entries compared");
    const left = final.get(entry.index);
    if (left === undefined) missing.push(entry);
    else if (left.epoch !== entry.epoch || Buffer.compare(left.payload, entry.payload) !== 0) {
      builder.violation(
        "I1",
        `entry ${entry.index}, stored at ${entry.at.ms} ms, has other bytes or another epoch in the end`,
      );
    }
  }
  const [first] = missing;
  if (first === undefined) return;
  const which = missing.length === 1 ? `entry ${first.index}` : `${missing.length} entries from ${first.index} on`;
  builder.violation("I1", `${which}, stored from ${first.at.ms} ms on, are not in the final log`);
}
