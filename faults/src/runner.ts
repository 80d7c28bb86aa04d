/**
 * Runs suites of faults one scenario after another, prints what became of each and writes it to a file. What is to be run is
 * decided by `run.mjs`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegisteredSuite } from "./all-suites.js";
import type { Scenario, ScenarioContext } from "./scenario.js";

export interface RunOptions {
  /** Only scenarios whose title contains it, upper or lower case. */
  readonly only?: string | undefined;
  readonly seconds?: number | undefined;
  readonly seed?: number | undefined;
  /** Where `faults-<suite>.json` goes; nothing is written without. */
  readonly resultFolder?: string | undefined;
  readonly print: (line: string) => void;
  /** Ends the scenario that runs, undoes what it did, and runs no further ones. */
  readonly signal?: AbortSignal;
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** As in the files that the table of faults is made from. */
export interface ScenarioResult {
  readonly title: string;
  readonly file: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly reason?: string;
}

/** What became of one scenario: passed if there is no reason why not. */
type Outcome = Pick<ScenarioResult, "result" | "reason">;

/** Runs the suites in order. A scenario that fails does not keep the others from running. */
export async function runSuites(suites: readonly RegisteredSuite[], options: RunOptions): Promise<Totals> {
  const results: ScenarioResult[] = [];
  for (const registered of suites) {
    if (options.signal?.aborted === true) break;
    const ofSuite = await runSuite(registered, options);
    if (ofSuite.length > 0 && options.resultFolder !== undefined)
      writeResults(options.resultFolder, registered.suite.name, ofSuite);
    results.push(...ofSuite);
  }
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { result } of results) totals[result] += 1;
  options.print(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals;
}

/** The scenarios of a suite that the options leave. */
export function chosenScenarios({ suite }: RegisteredSuite, only: string | undefined): readonly Scenario[] {
  const wanted = (only ?? "").toLowerCase();
  return suite.scenarios.filter(({ title }) => title.toLowerCase().includes(wanted));
}

async function runSuite(registered: RegisteredSuite, options: RunOptions): Promise<ScenarioResult[]> {
  const scenarios = chosenScenarios(registered, options.only);
  if (scenarios.length > 0) options.print(`${registered.suite.name}: ${registered.suite.summary}`);
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    if (options.signal?.aborted === true) break;
    const notes: string[] = [];
    const outcome = await runScenario(scenario, options, notes);
    const { title } = scenario;
    const word = outcome.result === "passed" ? "ok" : outcome.result === "failed" ? "FAILED" : "skipped";
    options.print(`${word} ${title}${outcome.reason === undefined ? "" : `: ${outcome.reason}`}`);
    for (const note of notes) options.print(`    ${note}`);
    results.push({ title, file: registered.file, ...outcome });
  }
  return results;
}

async function runScenario(scenario: Scenario, options: RunOptions, notes: string[]): Promise<Outcome> {
  try {
    const missing = await scenario.missing?.();
    if (missing !== undefined) return { result: "skipped", reason: missing };
  } catch (error) {
    return { result: "failed", reason: `cannot tell whether it can run here: ${inWords(error)}` };
  }
  const started = process.hrtime.bigint();
  const problems = await attempt(scenario, options, notes);
  notes.push(`${(Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)} s`);
  return problems.length === 0 ? { result: "passed" } : { result: "failed", reason: problems.join("; ") };
}

/** Runs a scenario against its time limit and undoes what it did. @returns what went wrong. */
async function attempt(scenario: Scenario, options: RunOptions, notes: string[]): Promise<string[]> {
  const problems: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "holdfast-faults-"));
  const undoes: (() => void | Promise<void>)[] = [
    () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  ];
  const limit = new AbortController();
  const secondsMax = scenario.secondsMax + (options.seconds ?? 0);
  const timer = setTimeout(() => limit.abort(new Error(`not done within ${secondsMax} s`)), secondsMax * 1000);
  const stop = (): void => limit.abort(new Error("stopped"));
  options.signal?.addEventListener("abort", stop);
  const context: ScenarioContext = {
    folder,
    signal: limit.signal,
    seconds: options.seconds,
    seed: options.seed,
    cleanUp: (undo) => undoes.push(undo),
    note: (line) => notes.push(line),
  };
  try {
    await Promise.race([scenario.run(context), whenAborted(limit.signal)]);
  } catch (error) {
    problems.push(inWords(error));
  }
  clearTimeout(timer);
  options.signal?.removeEventListener("abort", stop);
  // Whatever of the scenario still waits gives up now, before the ground is taken from under it.
  limit.abort(new Error("the scenario has ended"));
  problems.push(...(await undoAll(undoes)));
  return problems;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

/** The last thing done is undone first. A step that fails keeps none of the others from being taken. */
async function undoAll(undoes: readonly (() => void | Promise<void>)[]): Promise<string[]> {
  const problems: string[] = [];
  for (const undo of [...undoes].reverse()) {
    try {
      await undo();
    } catch (error) {
      problems.push(`clean-up: ${inWords(error)}`);
    }
  }
  return problems;
}

/** The message with where it was thrown, on one line. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = (error.stack ?? "").split("\n").find((line) => line.includes("/faults/"));
  const message = error.message.trim().replace(/\s*\n\s*/g, " | ");
  return place === undefined
    ? message
    : `${message} (${place
        .trim()
        .replace(/^at .*?\(?([^/(]*)(\/.*\/faults\/)/, "$1faults/")
        .replace(/\)$/, "")})`;
}

function writeResults(folder: string, suite: string, results: readonly ScenarioResult[]): void {
  mkdirSync(folder, { recursive: true });
  const name = `faults-${suite}`;
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ suite: name, results }, undefined, 2)}\n`);
}
