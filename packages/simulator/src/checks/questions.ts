/** Where an answer can stand: at its command, or wherever the state agrees with what it says. */
import { etcdTexts } from "@holdfast/protocol";
import type { Call } from "../history/calls.js";
import { apply, ownerOf, rangeRefusal, type Store } from "../model/index.js";
import { agrees, isJudgedByState } from "./agreement.js";
import { type Answered, answered, headerRevision, statefulTexts, textOfRefusal } from "./answers.js";
import type { Matching } from "./matching.js";
import type { NextPosition, Placeable } from "./placing.js";
import type { Replay } from "./replay.js";
import { isReadOnly } from "./wants.js";

type Holds = (store: Store) => boolean;

/** Everything that is to be placed. What the matching could not find is left out: that is told there. */
export function placeables(calls: readonly Call[], replay: Replay, matching: Matching): Placeable[] {
  return calls.flatMap((call) => {
    const next = nextPosition(call, replay, matching);
    if (next === undefined || call.ended === undefined) return [];
    return [{ call, ended: call.ended.order, next, mayBePast: isSerializable(call) }];
  });
}

function isSerializable(call: Call): boolean {
  if (call.kind === "range") return call.request.serializable;
  if (call.kind !== "txn" || !isReadOnly(call.request)) return false;
  return [...call.request.success, ...call.request.failure].every((operation) => operation.requestRange?.serializable);
}

function nextPosition(call: Call, replay: Replay, matching: Matching): NextPosition | undefined {
  const step = matching.steps.get(call);
  const answer = answered(call);
  if (answer === undefined) return refusedAt(call, step?.position, replay);
  if (answer.kind === "lock" || answer.kind === "campaign") {
    return step === undefined ? undefined : grantAt(answer, step.position, replay);
  }
  if (step !== undefined) return only(step.position);
  return readAt(answer, replay);
}

function only(position: number): NextPosition {
  return (from) => (from <= position ? position : undefined);
}

/** The first position from `from` on, and not outside of `within`, at which `holds` holds. */
function firstWhere(replay: Replay, holds: Holds, first = 0, last = replay.lastPosition): NextPosition {
  return (from) => {
    for (let position = Math.max(from, first); position <= last; position++) {
      if (holds(replay.storeAt(position))) return position;
    }
    return undefined;
  };
}

/** As `firstWhere`, among the positions whose revision is the one in the header. */
function firstAtHeader(replay: Replay, revision: number, holds: Holds, first = 0): NextPosition {
  const positions = replay.positionsOf(revision);
  if (positions === undefined) return () => undefined;
  return firstWhere(replay, holds, Math.max(first, positions.first), positions.last);
}

/** A grant stands behind the command with which its caller joined. */
function grantAt(answer: Extract<Answered, { kind: "lock" | "campaign" }>, join: number, replay: Replay): NextPosition {
  const holds: Holds = (store) => agrees(answer, store);
  if (answer.kind === "campaign") return firstWhere(replay, holds, join);
  return firstAtHeader(replay, headerRevision(answer), holds, join);
}

function readAt(answer: Answered, replay: Replay): NextPosition | undefined {
  if (!isJudgedByState(answer)) return undefined;
  const holds: Holds = (store) => agrees(answer, store);
  // The header of a renewal is older than the renewal (LEASE-23).
  return answer.kind === "leaseKeepAlive"
    ? firstWhere(replay, holds)
    : firstAtHeader(replay, headerRevision(answer), holds);
}

/** Refusals that tell something of the state are answers too. */
function refusedAt(call: Call, position: number | undefined, replay: Replay): NextPosition | undefined {
  if (call.result?.fate !== "refused" || !statefulTexts.has(call.result.message)) return undefined;
  if (position !== undefined) return only(position);
  const { message } = call.result;
  const refusal = refusalOf(call);
  return refusal && firstWhere(replay, (store) => refusal(store) === message);
}

/** The text that a store would refuse the call with; undefined for calls that are always proposed. */
function refusalOf(call: Call): ((store: Store) => string | undefined) | undefined {
  switch (call.kind) {
    case "range":
      return (store) => textOf(rangeRefusal(store, call.request));
    case "txn":
      return (store) => refusalText(apply(store, { kind: "txn", request: call.request }));
    case "put":
      return (store) => refusalText(apply(store, { kind: "put", request: call.request }));
    case "compact":
      return (store) => refusalText(apply(store, { kind: "compact", revision: call.request.revision }));
    case "leaseRevoke":
      return (store) => refusalText(apply(store, { kind: "leaseRevoke", leaseId: call.request.id }));
    case "leader":
      return ({ pairs }) => {
        return ownerOf(pairs, call.request.name) === undefined ? etcdTexts.electionNoLeader.wireMessage : undefined;
      };
    default:
      return undefined;
  }
}

function refusalText({ outcome }: ReturnType<typeof apply>): string | undefined {
  return outcome.kind === "refused" ? textOf(outcome.refusal) : undefined;
}

function textOf(refusal: Parameters<typeof textOfRefusal>[0] | undefined): string | undefined {
  return refusal === undefined ? undefined : textOfRefusal(refusal);
}
