// `npm run simulate -- --seeds 1000`: see `usage` in src/run/command.ts. Seeds are handed to child processes one by one, which
// is also how a run that never ends or takes the process with it is noticed. Writes .results/simulator.json; the last line is
// `N passed, N failed`, the exit code 1 if anything failed, 2 if the command was not understood.

import { fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandFor, configOf, overriddenConfig, parseCommand, Report, runSeed, usage } from "./dist/index.js";

const here = fileURLToPath(import.meta.url);
const resultsFolder = join(dirname(here), "..", "..", ".results");
const historyFolder = join(resultsFolder, "simulator");
/** Real time after which a seed counts as hanging. */
const seedMsMax = 120_000;
/** Each of so many seeds is run twice, to compare (C13). */
const twiceOneIn = 20;

if (process.send !== undefined && process.argv[2] === "--child") serveParent();
else process.exitCode = await main(process.argv.slice(2));

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

function conclude(command, report, elapsedMs) {
  const seconds = elapsedMs / 1000;
  const whole = Object.keys(command.overrides).length === 0 && command.planted === undefined;
  console.log("coverage marks:");
  for (const [name, count] of report.reached) console.log(`  ${name}: ${count}`);
  console.log(
    `${report.steps} steps, ${Math.round(report.steps / seconds)} per second; ` +
      `${report.virtualHours.toFixed(1)} virtual hours in ${seconds.toFixed(0)} s`,
  );
  let failed = report.failed;
  if (whole) {
    const results = report.results();
    for (const { title, reason } of results.filter(({ result }) => result === "failed"))
      console.log(`FAILED ${title}: ${reason}`);
    failed += results.filter(({ title, result }) => title.startsWith("SIM ") && result === "failed").length;
    mkdirSync(resultsFolder, { recursive: true });
    writeFileSync(
      join(resultsFolder, "simulator.json"),
      `${JSON.stringify({ suite: "simulator", results }, undefined, 2)}\n`,
    );
  }
  if (command.planted !== undefined) console.log(plantedVerdict(command, report));
  console.log(`${report.passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

function plantedVerdict({ planted }, report) {
  const runs = report.passed + report.failed;
  return report.failed > 0
    ? `planted bug ${planted}: found after ${runs} seeds`
    : `planted bug ${planted}: NOT found by ${runs} seeds`;
}

/** Has one child process after another run seeds, until there are none. A child is replaced only if it broke. */
async function work(command, take, tell) {
  let child;
  for (let seed = take(); seed !== undefined; seed = take()) {
    child ??= startChild(command);
    const summary = await runIn(child, seed, command);
    if (summary.broken === true) child = undefined;
    tell(summary);
  }
  child?.disconnect();
}

function startChild({ planted }) {
  const loader = join(dirname(here), "planted-loader.mjs");
  const execArgv = ["--enable-source-maps", ...(planted === undefined ? [] : ["--import", loader])];
  const env = planted === undefined ? process.env : { ...process.env, HOLDFAST_PLANTED: planted };
  return fork(here, ["--child"], { execArgv, env });
}

function runIn(child, seed, { overrides, shrink, trace }) {
  return new Promise((resolve) => {
    const broken = (why) => {
      clearTimeout(timer);
      resolve(brokenSummary(seed, overrides, why));
    };
    const onExit = (code, signal) => broken(`its process ended with ${signal ?? code}`);
    const timer = setTimeout(
      () => {
        child.off("exit", onExit);
        child.kill("SIGKILL");
        broken(`it was not done after ${seedMsMax / 1000} s`);
      },
      shrink ? 20 * seedMsMax : seedMsMax,
    );
    child.once("exit", onExit);
    child.once("message", (summary) => {
      clearTimeout(timer);
      child.off("exit", onExit);
      resolve(summary);
    });
    child.send({ seed, overrides, shrink, trace });
  });
}

function brokenSummary(seed, overrides, why) {
  const faults = Object.keys(configOf(seed).faults);
  const report = `seed ${seed} broke off: ${why}\nagain: ${commandFor(seed, overrides)} --trace`;
  return { seed, steps: 0, virtualMs: 0, faults, marks: {}, failedChecks: ["C12"], report, broken: true };
}

function serveParent() {
  process.on("message", async ({ seed, overrides, shrink, trace }) => {
    const onLine = trace ? { onLine: (line) => console.log(line) } : {};
    const twice = seed % twiceOneIn === 0;
    process.send(await runSeed(seed, { overrides, twice, shrink, keepHistory, ...onLine }));
  });
}

function keepHistory(seed, text) {
  mkdirSync(historyFolder, { recursive: true });
  const path = join(historyFolder, `seed-${seed}.json`);
  writeFileSync(path, text);
  return path;
}
