/** What the checks of one run looked at and what they could not, as numbers that can be added up over many runs. */
import type { Finding } from "../checks/index.js";

/** By name, each beginning with the number of its check. What was skipped counts one for the run. */
export function countsOf(findings: readonly Finding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { check, counts: own, gaveUp, skipped, fellBack } of findings) {
    for (const [name, count] of Object.entries(own)) counts.set(`${check} ${name}`, count);
    if (gaveUp.length > 0) counts.set(`${check} gave up searches`, gaveUp.length);
    if (skipped === undefined) counts.set(ranCount(check), 1);
    else counts.set(`${check} skipped in runs where ${skipped}`, 1);
    if (fellBack !== undefined) counts.set(`${check} by answers alone in runs where ${fellBack}`, 1);
  }
  return counts;
}

/** The name of the number of runs in which a check was not skipped. */
export function ranCount(check: string): string {
  return `${check} runs`;
}

/** Marks that the checks count on the way. */
export function marksOfChecks(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([["unfenced-overlap", counts.get("C6 unfenced resource went backwards") ?? 0]]);
}
