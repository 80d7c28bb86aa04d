/** Whether the answer to a call is what the model says of a command. */
import { etcdTexts } from "@holdfast/protocol";
import type { Call } from "../history/calls.js";
import type { ModelOutcome } from "../model/index.js";
import { sameAnswer, show, textOfRefusal } from "./answers.js";
import type { Step } from "./replay.js";
import type { Want } from "./wants.js";

/** What a call was answered, for people to read. */
export function answerOf({ result }: Call): string {
  if (result === undefined) return "nothing";
  return result.fate === "done" ? show(result.response) : `code ${result.code} "${result.message}"`;
}

/** Whether `step` may be what `want` is looking for. */
export function fits({ call, part }: Want, step: Step): boolean {
  const { result } = call;
  if (result === undefined || result.fate === "unknown") return true;
  if (result.fate === "refused") return part === "lease" || fitsRefusal(result.message, step);
  return part === "main" ? isAnsweredBy(call, step.outcome) : step.outcome.kind !== "refused";
}

/** Refusals that a call may meet after its first command was applied, whose effect is gone by then. */
const lateRefusals: ReadonlySet<string> = new Set([
  etcdTexts.mutexSessionExpired.wireMessage,
  etcdTexts.electionNotLeader.wireMessage,
]);

/** A refused call has no effect; if the command was refused, then for the reason that was told. */
function fitsRefusal(message: string, step: Step): boolean {
  if (lateRefusals.has(message)) return true;
  if (step.outcome.kind === "refused") return textOfRefusal(step.outcome.refusal) === message;
  return !hasEffect(step);
}

function hasEffect({ events, granted, ended, outcome }: Step): boolean {
  return events.length > 0 || granted !== undefined || ended !== undefined || outcome.kind === "compact";
}

/** For a call that was answered with OK. */
export function isAnsweredBy(call: Call, outcome: ModelOutcome): boolean {
  if (call.result?.fate !== "done" || outcome.kind === "refused") return false;
  const { response } = call.result;
  switch (outcome.kind) {
    case "put":
    case "leaseGrant":
    case "leaseRevoke":
      return sameAnswer(response, outcome.response);
    case "deleteRange":
      return call.kind === "unlock"
        ? sameAnswer(response.header, outcome.response.header)
        : sameAnswer(response, outcome.response);
    case "txn":
      if (call.kind === "proclaim" && !outcome.response.succeeded) return false;
      return call.kind === "txn"
        ? sameAnswer(response, outcome.response)
        : sameAnswer(response.header, outcome.response.header);
    case "compact":
      return fitsCompaction(call, response.header?.revision ?? 0, outcome.response.header?.revision ?? 0);
    default:
      return false;
  }
}

/** A compaction that waits for old data to go is answered with the revision of then (COMP-5, COMP-6). */
function fitsCompaction(call: Call, answered: number, expected: number): boolean {
  const isPhysical = call.kind === "compact" && call.request.physical;
  return isPhysical ? answered >= expected : answered === expected;
}
