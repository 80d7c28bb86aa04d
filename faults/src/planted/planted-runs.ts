/** Runs scenarios against servers with a bug planted in them: each must fail. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RegisteredSuite } from "../all-suites.js";
import { chosenScenarios, type RunOptions, runSuites, type ScenarioResult, type Totals } from "../runner.js";
import { ServerProcess } from "../server-process.js";
import { type RealPlantedBug, realPlantedBugs } from "./real-planted-bugs.js";

const loader = fileURLToPath(new URL("../../planted-loader.mjs", import.meta.url));
const file = "faults/src/planted/real-planted-bugs.ts";

/** Plants one bug after another, those of these names or all, and prints whether the tests notice. */
export async function runPlanted(
  suites: readonly RegisteredSuite[],
  names: readonly string[],
  options: RunOptions,
): Promise<Totals> {
  const chosen = realPlantedBugs.filter(({ bug }) => names.length === 0 || names.includes(bug.name));
  const results: ScenarioResult[] = [];
  for (const planted of chosen) {
    if (options.signal?.aborted === true) break;
    results.push(await plant(suites, planted, options));
  }
  if (options.resultFolder !== undefined && names.length === 0) {
    mkdirSync(options.resultFolder, { recursive: true });
    const text = JSON.stringify({ suite: "faults-planted", results }, undefined, 2);
    writeFileSync(join(options.resultFolder, "faults-planted.json"), `${text}\n`);
  }
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { result } of results) totals[result] += 1;
  options.print(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals;
}

async function plant(
  suites: readonly RegisteredSuite[],
  { bug, suite, only }: RealPlantedBug,
  options: RunOptions,
): Promise<ScenarioResult> {
  const title = `PLANTED ${bug.name} (${bug.kind}): found on real processes by ${suite}`;
  const found = suites.filter((registered) => registered.suite.name === suite);
  const [registered] = found;
  if (registered === undefined || chosenScenarios(registered, only).length !== 1)
    throw new Error(`${bug.name}: no single scenario of ${suite} has "${only}" in its title`);
  const lines: string[] = [];
  process.env.FAULTS_PLANTED = JSON.stringify(bug);
  process.env.NODE_OPTIONS = `--import ${loader}`;
  const { signal } = options;
  const quiet = { only, print: (line: string) => lines.push(line), ...(signal === undefined ? {} : { signal }) };
  const broken = await whyNotServing();
  const totals = broken === undefined ? await runSuites(found, quiet) : { failed: 0, skipped: 0 };
  delete process.env.FAULTS_PLANTED;
  delete process.env.NODE_OPTIONS;
  if (broken !== undefined)
    return show(options, { title, file, result: "failed", reason: `it shows nothing: ${broken}` });
  const said = lines.find((line) => /^(FAILED|skipped) /.test(line)) ?? "";
  const reason = said.slice(said.indexOf(": ", said.indexOf(only)) + 2);
  if (totals.skipped > 0) return show(options, { title, file, result: "skipped", reason });
  if (totals.failed > 0) return show(options, { title, file, result: "passed" }, reason);
  return show(options, { title, file, result: "failed", reason: `nothing was noticed: ${bug.summary}` });
}

/** Why no server comes to serve with a bug in it, if none does: then any scenario would fail, and show nothing. */
async function whyNotServing(): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-planted-"));
  try {
    const server = await ServerProcess.start({ dataDir: join(folder, "data") });
    await server.kill();
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function show(options: RunOptions, result: ScenarioResult, note?: string): ScenarioResult {
  const word = { passed: "ok", failed: "FAILED", skipped: "skipped" }[result.result];
  options.print(`${word} ${result.title}${result.reason === undefined ? "" : `: ${result.reason}`}`);
  if (note !== undefined) options.print(`    ${note.slice(0, 300)}`);
  return result;
}
