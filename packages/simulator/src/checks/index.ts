/**
 * The judge: what a history says about the invariants I1 to I11 and I14. Pure functions on recorded histories, of simulated
 * runs as well as of real processes; where there is nothing to look at, a check says so instead of passing.
 */
import type { History } from "../history/history.js";
import { checkDeadLeases } from "./dead-leases.js";
import { checkDigests } from "./digests.js";
import { Evidence } from "./evidence.js";
import { checkFinalLog } from "./final-log.js";
import type { Finding } from "./finding.js";
import { checkHalts } from "./halts.js";
import { checkLeaseEnds } from "./lease-ends.js";
import { checkLinearizability } from "./linearizability.js";
import { checkMonotony } from "./monotony.js";
import { checkMutualExclusion } from "./mutual-exclusion.js";
import { checkOwnership } from "./ownership.js";
import { checkWatches } from "./watch-transcripts.js";
import { checkWitness } from "./witness.js";

export { Evidence } from "./evidence.js";
export type { Finding } from "./finding.js";
export {
  checkDeadLeases,
  checkDigests,
  checkFinalLog,
  checkHalts,
  checkLeaseEnds,
  checkLinearizability,
  checkMonotony,
  checkMutualExclusion,
  checkOwnership,
  checkWatches,
  checkWitness,
};

/** All checks, by their numbers. Each may be run alone on `new Evidence(history)`. */
export const allChecks = {
  C1: checkFinalLog,
  C2: checkWitness,
  C3: checkLinearizability,
  C4: checkMonotony,
  C5: checkOwnership,
  C6: checkMutualExclusion,
  C7: checkLeaseEnds,
  C8: checkDeadLeases,
  C9: checkWatches,
  C10: checkDigests,
  C11: checkHalts,
} as const satisfies Record<string, (evidence: Evidence) => Finding>;

/** What all checks find, with those that were skipped, and searches that were given up. */
export function judge(history: History): readonly Finding[] {
  const evidence = new Evidence(history);
  return Object.values(allChecks).map((check) => check(evidence));
}
