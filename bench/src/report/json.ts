/**
 * What `--json` writes: everything a reader needs to judge the run again, every sample included.
 */
import { writeFileSync } from "node:fs";
import type { Machine } from "../machine.js";
import type { Launch } from "../servers/launch.js";
import { isReached, mediansOf, type Outcome, ratioOf } from "./summary.js";

/** The circumstances of a run. */
export interface RunDescription {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly versions: Readonly<Partial<Record<Launch["name"], string>>>;
  /** The version line of h2load, where there is one. */
  readonly h2load: string | undefined;
  readonly rounds: number;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly isFull: boolean;
}

/** Writes the report to `path`, replacing what is there. Infinite and missing figures become null. */
export function writeReport(path: string, run: RunDescription, outcomes: readonly Outcome[]): void {
  writeFileSync(path, `${JSON.stringify({ ...run, workloads: outcomes.map(entryOf) }, undefined, 2)}\n`);
}

function entryOf(outcome: Outcome): object {
  const { name, group, unit, goal } = outcome.workload;
  if (!("servers" in outcome)) return { ...outcome, workload: undefined, name, group, unit, goal };
  return {
    ...{ name, group, unit, goal },
    isReached: isReached(outcome),
    ratio: ratioOf(outcome),
    servers: outcome.servers.map((rounds) => ({ ...rounds, medians: mediansOf(rounds) })),
  };
}
