/**
 * C11: a server that stops of its own accord says why, and after its end nothing is answered or stored until another life
 * serves (I11). Needs lives; skipped without them.
 */
import type { Life, StoredEntry } from "../history/history.js";
import { allAnswered, nameOf } from "./answers.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder, skipped } from "./finding.js";

export function checkHalts({ history }: Evidence): Finding {
  if (history.lives.length === 0) return skipped("C11", "the lives of the server were not observed");
  const builder = new FindingBuilder("C11");
  for (const life of history.lives) checkReason(life, builder);
  const serving = history.lives.filter((life) => life.serving !== undefined);
  for (const { call, ended } of allAnswered(history.calls)) {
    if (!serving.some((life) => overlaps(life, call.invoked.order, ended))) {
      builder.violation("I11", `${nameOf(call)} was answered although nobody served from ${call.invoked.ms} ms on`);
    }
  }
  for (const entry of history.entries) checkEntry(entry, history.lives, builder);
  return builder.finding();
}

function checkReason({ number, how, reason, ended }: Life, builder: FindingBuilder): void {
  if (how === "stopped" || how === "refused-to-start") {
    builder.count(how);
    if (reason === undefined || reason === "") builder.violation("I11", `life ${number} ${how} without a reason`);
  }
  if (how !== undefined && ended === undefined) builder.violation("I11", `life ${number} is ${how}, but has not ended`);
}

/** Whether some of the time between the two orders was in that life. */
function overlaps({ started, ended }: Life, from: number, to: number): boolean {
  return started.order < to && (ended === undefined || ended.order > from);
}

/** What is stored is told to somebody who lives. */
function checkEntry({ index, at }: StoredEntry, lives: readonly Life[], builder: FindingBuilder): void {
  if (lives.some((life) => overlaps(life, at.order, at.order))) return;
  builder.violation("I11", `entry ${index} was stored at ${at.ms} ms, when no server lived`);
}
