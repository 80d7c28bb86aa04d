/** Makes a failure small: leaves out faults, clients and time, one after the other, as long as the same check fails. */
import type { Violation } from "../history/history.js";
import type { FaultName } from "./fault-names.js";
import { type FaultChoice, faultOf, type Overrides, overriddenConfig } from "./overrides.js";
import { type RunOptions, type RunResult, simulate } from "./run.js";

export interface Shrunk {
  readonly overrides: Overrides;
  readonly result: RunResult;
  /** How many runs it took. */
  readonly runs: number;
}

/** @param failed a run with `overrides` that found violations. @param runsMax when to be content with what there is. */
export async function shrink(
  failed: RunResult,
  overrides: Overrides,
  options: RunOptions,
  runsMax = 200,
): Promise<Shrunk> {
  const { seed } = failed;
  const check = (failed.violations[0] as Violation).check;
  let best: Shrunk = { overrides, result: failed, runs: 0 };
  for (let grew = true; grew && best.runs < runsMax; ) {
    grew = false;
    for (const candidate of smaller(seed, best.overrides)) {
      if (best.runs >= runsMax) break;
      const result = await simulate(overriddenConfig(seed, candidate), options);
      best = { ...best, runs: best.runs + 1 };
      if (!result.violations.some((violation) => violation.check === check)) continue;
      best = { ...best, overrides: candidate, result };
      grew = true;
      break;
    }
  }
  return best;
}

/** What could be tried next: each with one thing less. */
function* smaller(seed: number, overrides: Overrides): Iterable<Overrides> {
  const { faults, clients, safetyMs } = overriddenConfig(seed, overrides);
  const choices = overrides.faults?.filter((choice) => faults[faultOf(choice)] !== undefined);
  const kept: readonly FaultChoice[] = choices ?? (Object.keys(faults) as FaultName[]);
  for (const left of kept) yield { ...overrides, faults: kept.filter((choice) => choice !== left) };
  if (clients.roles.length > 1) {
    for (const at of clients.roles.keys())
      yield { ...overrides, roles: clients.roles.filter((_role, other) => other !== at) };
  }
  if (safetyMs > 1_000) yield { ...overrides, safetyMs: Math.floor(safetyMs / 2) };
}
