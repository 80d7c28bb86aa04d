/**
 * C2, the witness check: the log is the witness of the order. Each answer must be what the model says at its position, and
 * the positions must agree with real time; refused calls have no effect, unknown ones at most one (I2, I3, I9). Grants of
 * locks and elections are judged by C5. Skipped without a log: then C3 searches for an order.
 */

import { nameOf } from "./answers.js";
import type { Evidence } from "./evidence.js";
import { type Finding, FindingBuilder, skipped } from "./finding.js";
import { answerOf } from "./fitting.js";
import type { Placed } from "./placing.js";
import type { Replay } from "./replay.js";

export function checkWitness(evidence: Evidence): Finding {
  const { whyNoReplay } = evidence;
  if (whyNoReplay !== undefined) return skipped("C2", whyNoReplay);
  const builder = new FindingBuilder("C2");
  const { replay, matching, placed } = evidence;
  if (replay.unreadable !== undefined) builder.violation("I11", replay.unreadable);
  for (const { invariant, message } of matching.mismatches) builder.violation(invariant, message);
  for (const item of placed) {
    builder.count("answers placed");
    if (item.position === undefined && !isGrant(item)) builder.violation(invariantOf(item), explain(item, replay));
  }
  return builder.finding();
}

/** Whether this is the answer of a call that waits for ownership. */
export function isGrant({ call }: Placed): boolean {
  return (call.kind === "lock" || call.kind === "campaign") && call.result?.fate === "done";
}

/** Why an answer has no place, for people to read. */
export function explain({ call, floor, ceiling, anywhere }: Placed, replay: Replay): string {
  const what = `${nameOf(call)}, ${call.result?.fate} with ${answerOf(call)},`;
  if (anywhere === undefined) return `${what} fits no position of the log`;
  const state = `the state of position ${anywhere} (revision ${replay.storeAt(anywhere).revision})`;
  if (anywhere > ceiling)
    return `${what} shows ${state} before it was stored: only ${ceiling} was when the answer came`;
  const known = `position ${floor} (revision ${replay.storeAt(floor).revision}) had been answered from`;
  return `${what} shows ${state}, although ${known} when it was made`;
}

function invariantOf({ call, anywhere, ceiling }: Placed): string {
  if (anywhere !== undefined && anywhere > ceiling) return "I1";
  return call.kind === "range" || call.kind === "txn" ? "I3" : "I2";
}
