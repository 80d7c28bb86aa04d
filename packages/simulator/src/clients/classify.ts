/**
 * What the end of a call means for whoever made it: done, refused, or unknown (fault model, section 4). The one rule that
 * matters: nothing counts as refused that may have had an effect.
 */
import { etcdErrors, etcdTexts, StatusCode } from "@holdfast/protocol";
import type { CallEnd } from "@holdfast/transport";

/** What can be read off the end of a call. */
export type Ended = Pick<CallEnd, "status" | "neverProcessed">;

const refusingCodes: ReadonlySet<number> = new Set([
  StatusCode.invalidArgument,
  StatusCode.notFound,
  StatusCode.failedPrecondition,
  StatusCode.outOfRange,
  StatusCode.permissionDenied,
  StatusCode.unauthenticated,
  StatusCode.resourceExhausted,
  StatusCode.unimplemented,
  StatusCode.dataLoss,
]);

/** Texts with which the Lock and Election services refuse under the code UNKNOWN (LOCK-14, LOCK-16, ELECT-4). */
const refusingTexts: ReadonlySet<string> = new Set([
  ...Object.values(etcdErrors)
    .filter((error) => refusingCodes.has(error.code))
    .map((error) => error.message),
  etcdTexts.mutexSessionExpired.message,
  etcdTexts.electionLeaderMissing.message,
  etcdTexts.electionNoLeader.message,
  etcdTexts.electionNotLeader.message,
]);

/**
 * Beginnings of what the client's own transport says when an answer got lost on the way: the server may have done what it
 * was asked, whatever the code is.
 */
const lostAnswers: readonly string[] = [
  "stream reset by ",
  "unexpected answer that is not gRPC",
  "too many unfinished response messages",
];

/** The class of a call that ended so. */
export function classOf({ status, neverProcessed }: Ended): "done" | "refused" | "unknown" {
  if (status.code === StatusCode.ok) return "done";
  if (neverProcessed) return "refused";
  if (lostAnswers.some((text) => status.message.startsWith(text))) return "unknown";
  if (status.code === StatusCode.unknown) return refusingTexts.has(status.message) ? "refused" : "unknown";
  return refusingCodes.has(status.code) ? "refused" : "unknown";
}
