/**
 * `npm run bench`, from the command line to the last line of the table. What can be asked for: `options.ts`.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { h2loadMissing, h2loadVersion } from "./h2load.js";
import { describeMachine, isInMemory, machineLines } from "./machine.js";
import { chooseWorkloads, type Options, readOptions, UsageError, usage } from "./options.js";
import { runOther, type Stage } from "./other-runs.js";
import { type RunDescription, writeReport } from "./report/json.js";
import { goalText, type Outcome } from "./report/summary.js";
import { conclusion, ResultTable } from "./report/table.js";
import { measureWorkload } from "./runner.js";
import { etcdLaunch, findEtcd, holdfastLaunch, type Launch } from "./servers/launch.js";
import type { Workload } from "./workload.js";
import { allWorkloads } from "./workloads/all.js";

/** With the exit codes that shells give for them. */
const endingSignals = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

/** Runs what the arguments ask for; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options.isHelp) return say(usage);
    if (options.kind !== "table") return await runOther(options, setStage(options, versionsOf));
    const workloads = chooseWorkloads(allWorkloads, options);
    if (options.isList) return list(chooseWorkloads(allWorkloads, { only: options.only, isFull: true }));
    if (workloads.length === 0) throw new UsageError("all of these take minutes: give --full as well");
    return await measure(workloads, options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
}

/** Makes ready where a run takes place, and says what is measured. */
function setStage(options: Options, introduce: (run: RunDescription) => string): Stage {
  const folder = createFolder(options.parent);
  const launches = chooseLaunches(options.servers);
  const description = describeRun(options, folder, launches);
  console.log(`${machineLines(description.machine)}\n${introduce(description)}`);
  return { folder, launches, description };
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function list(workloads: readonly Workload[]): number {
  console.log("Goals are of the ratio Holdfast / etcd, or where it says so of Holdfast itself.\n");
  const widthOf = (pick: (workload: Workload) => string) => Math.max(...workloads.map((each) => pick(each).length));
  const groupWidth = widthOf(({ group }) => group);
  const nameWidth = widthOf(({ name }) => name);
  const unitWidth = widthOf(({ unit }) => unit);
  for (const { name, group, unit, goal, isLong } of workloads) {
    const columns = [group.padEnd(groupWidth), name.padEnd(nameWidth), unit.padEnd(unitWidth), goalText(goal)];
    console.log(`${columns.join("  ")}${isLong === true ? "  (--full)" : ""}`);
  }
  return 0;
}

/** Measures all workloads, printing and writing what there is as it comes. */
async function measure(workloads: readonly Workload[], options: Options): Promise<number> {
  const { folder, launches, description: run } = setStage(options, introduction);
  const table = new ResultTable(
    workloads,
    launches.map(({ name }) => name),
  );
  console.log(`\n${table.head()}`);
  const outcomes: Outcome[] = [];
  for (const workload of workloads) {
    const outcome = await measureOne(workload, launches, { ...options, folder }, run.h2load !== undefined);
    outcomes.push(outcome);
    console.log(table.row(outcome));
    // After every row, so that a run that is broken off leaves what it found.
    if (options.json !== undefined) writeReport(options.json, run, outcomes);
  }
  console.log(`\n${conclusion(outcomes)}`);
  return outcomes.some((outcome) => "failed" in outcome) ? 1 : 0;
}

async function measureOne(
  workload: Workload,
  launches: readonly Launch[],
  options: Options & { readonly folder: string },
  hasH2load: boolean,
): Promise<Outcome> {
  if (workload.needsH2load === true && !hasH2load) return { workload, skipped: h2loadMissing };
  return measureWorkload(workload, launches, options);
}

/** A fresh folder on a real disk for the data of all servers; it goes when this process ends. */
function createFolder(parent: string): string {
  mkdirSync(parent, { recursive: true });
  if (isInMemory(parent)) throw new UsageError(`${parent} lies in memory; choose a folder on a disk with --dir`);
  const folder = mkdtempSync(join(parent, "bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const [signal, code] of endingSignals) process.once(signal, () => process.exit(code));
  return folder;
}

/** The servers to measure, etcd first; an etcd that cannot be found is left out, loudly. */
function chooseLaunches(names: Options["servers"]): Launch[] {
  const launches: Launch[] = [];
  const etcd = names.includes("etcd") ? findEtcd() : undefined;
  if (etcd !== undefined) launches.push(etcdLaunch(etcd));
  else if (names.includes("etcd")) {
    console.log("skipped: no etcd found (npm run peers, or ETCD_BIN); Holdfast is measured alone");
  }
  if (names.includes("holdfast")) launches.push(holdfastLaunch());
  if (launches.length === 0) throw new UsageError("there is no server to measure");
  return launches;
}

function describeRun(options: Options, folder: string, launches: readonly Launch[]): RunDescription {
  const { rounds, seconds, isQuick, isFull } = options;
  return {
    startedAt: new Date().toISOString(),
    machine: describeMachine(folder),
    versions: Object.fromEntries(launches.map(({ name, version }) => [name, version])),
    h2load: h2loadVersion(),
    ...{ rounds, seconds, isQuick, isFull },
  };
}

function versionsOf({ versions }: RunDescription): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

function introduction(run: RunDescription): string {
  const { h2load, rounds, seconds } = run;
  return [
    `${versionsOf(run)}; ${h2load ?? "no h2load"}`,
    `${rounds} rounds of ${seconds} s in turn; medians; every write synced on both; ratio: Holdfast / etcd per round`,
    "CPU s/M: processor seconds per million of the unit. Peak memory grows with what was done: whoever is faster did more.",
  ].join("\n");
}
