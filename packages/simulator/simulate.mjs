// `npm run simulate -- --seeds 1000`: see `usage` in src/run/command.ts. Writes .results/simulator.json; the last line is
// `N passed, N failed`, the exit code 1 if anything failed, 2 if the command was not understood.

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { overriddenConfig, parseCommand, Report, usage } from "./dist/index.js";
import { resultsFolder, SeedProcess } from "./seed-process.mjs";

process.exitCode = await main(process.argv.slice(2));

async function main(words) {
  let command;
  try {
    command = parseCommand(words, availableParallelism());
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (command.help) console.log(usage);
  else if (command.describe) describe(command);
  else return runAll(command);
  return 0;
}

function describe({ from, seeds, overrides }) {
  for (let seed = from; seed < from + seeds; seed++) {
    console.log(JSON.stringify(overriddenConfig(seed, overrides), undefined, seeds === 1 ? 2 : 0));
  }
}

async function runAll(command) {
  const report = new Report();
  const started = performance.now();
  const isTimeLeft = () => performance.now() - started < command.seconds * 1000;
  const state = { next: command.from, stopped: false };
  const take = () => {
    const isLeft = command.seconds === undefined ? state.next < command.from + command.seeds : isTimeLeft();
    return isLeft && !state.stopped ? state.next++ : undefined;
  };
  const tell = (summary) => {
    report.add(summary);
    if (summary.report === undefined) return;
    console.log(`${summary.report}\n`);
    if (command.firstFailure) state.stopped = true;
  };
  const jobs = command.seconds === undefined ? Math.min(command.jobs, command.seeds) : command.jobs;
  await Promise.all(Array.from({ length: jobs }, () => work(command, take, tell)));
  return conclude(command, report, performance.now() - started);
}

/** Has one process after another run seeds, until there are none. */
async function work(command, take, tell) {
  const seeds = new SeedProcess(command.planted);
  for (let seed = take(); seed !== undefined; seed = take()) tell(await seeds.run(seed, command));
  seeds.close();
}

function conclude(command, report, elapsedMs) {
  const seconds = elapsedMs / 1000;
  const runs = report.passed + report.failed;
  console.log("coverage marks:");
  for (const [name, count] of report.reached) console.log(`  ${name}: ${count}`);
  console.log("checks:");
  for (const [name, count] of report.counts) console.log(`  ${name}: ${count}`);
  console.log(
    `${report.steps} steps, ${Math.round(report.steps / seconds)} per second; ` +
      `${report.virtualHours.toFixed(1)} virtual hours in ${seconds.toFixed(0)} s; ` +
      `${Math.round((60 * runs) / seconds)} seeds per minute`,
  );
  const isWhole = Object.keys(command.overrides).length === 0 && command.planted === undefined;
  const failed = report.failed + (isWhole ? keepResults(report.results()) : 0);
  if (command.planted !== undefined) console.log(plantedVerdict(command, report, runs));
  console.log(`${report.passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

/** Writes the results down; returns how many coverage marks were missed. */
function keepResults(results) {
  for (const { title, reason } of results.filter(({ result }) => result === "failed"))
    console.log(`FAILED ${title}: ${reason}`);
  mkdirSync(resultsFolder, { recursive: true });
  const text = JSON.stringify({ suite: "simulator", results }, undefined, 2);
  writeFileSync(join(resultsFolder, "simulator.json"), `${text}\n`);
  return results.filter(({ title, result }) => title.startsWith("SIM ") && result === "failed").length;
}

function plantedVerdict({ planted }, report, runs) {
  return report.found === undefined
    ? `planted bug ${planted}: NOT found by ${runs} seeds`
    : `planted bug ${planted}: found by seed ${report.found.seed} after ${runs} seeds`;
}
