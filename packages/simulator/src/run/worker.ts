/** Runs single seeds and says what came of them: what a child process of the command does. */
import { judge } from "../checks/index.js";
import { startClients } from "../clients/index.js";
import type { Violation } from "../history/history.js";
import { countsOf, marksOfChecks } from "./check-counts.js";
import type { FaultName } from "./fault-names.js";
import { marksOf } from "./history-marks.js";
import { historyText } from "./history-text.js";
import { commandFor, type Overrides, overriddenConfig } from "./overrides.js";
import type { SeedSummary } from "./report.js";
import { type RunOptions, type RunResult, simulate } from "./run.js";
import { shrink } from "./shrink.js";

export interface SeedOptions {
  readonly overrides: Overrides;
  /** The bug that was planted in this process, to name it in the command that runs the seed again. */
  readonly planted?: string | undefined;
  /** Runs it twice and compares (C13). */
  readonly twice: boolean;
  readonly shrink: boolean;
  /** Keeps the history of a failed run; returns where. */
  readonly keepHistory: (seed: number, text: string) => string;
  readonly onLine?: (line: string) => void;
}

export const realParts: Pick<RunOptions, "startClients" | "judge"> = { startClients, judge };

export async function runSeed(seed: number, options: SeedOptions): Promise<SeedSummary> {
  const { overrides, onLine } = options;
  const config = overriddenConfig(seed, overrides);
  const result = await simulate(config, { ...realParts, ...(onLine === undefined ? {} : { onLine }) });
  const violations = [...result.violations];
  if (options.twice) violations.push(...differences(result, await simulate(config, realParts)));
  const counts = countsOf(result.findings);
  const reached = new Map([...result.marks, ...marksOf(result.history), ...marksOfChecks(counts)]);
  return {
    seed,
    steps: result.steps,
    virtualMs: result.virtualMs,
    faults: Object.keys(config.faults) as FaultName[],
    marks: Object.fromEntries(reached),
    counts: Object.fromEntries(counts),
    violations: violations.map(tell),
    failedChecks: [...new Set(violations.map(({ check }) => check))],
    report: violations.length === 0 ? undefined : await reportOf({ ...result, violations }, options),
  };
}

function tell({ check, invariant, message }: Violation): string {
  return `${check} (${invariant}): ${message}`;
}

function differences(first: RunResult, second: RunResult): Violation[] {
  const messages: string[] = [];
  if (first.traceHash !== second.traceHash) messages.push("the same seed twice gave two different traces");
  if (first.historyHash !== second.historyHash) messages.push("the same seed twice gave two different histories");
  return messages.map((message) => ({ check: "C13", invariant: "determinism", message }));
}

async function reportOf(failed: RunResult, options: SeedOptions): Promise<string> {
  const { seed } = failed;
  let { overrides } = options;
  let result = failed;
  const lines: string[] = [];
  if (options.shrink) {
    const small = await shrink(failed, overrides, realParts);
    ({ overrides, result } = small);
    lines.push(`made smaller in ${small.runs} runs`);
  }
  const path = options.keepHistory(seed, historyText(result.history));
  const { virtualMs, violations, lastLines } = result;
  lines.push(
    `seed ${seed} failed after ${(virtualMs / 1000).toFixed(1)} virtual seconds`,
    `configuration: ${JSON.stringify(overriddenConfig(seed, overrides))}`,
    "last events:",
    ...lastLines.map((line) => `  ${line}`),
    ...violations.map(tell),
    `history: ${path}`,
    `again: ${commandFor(seed, overrides, options.planted)}`,
  );
  return lines.join("\n");
}
