// `npm run planted -- [NAME…]`: the test of the tests. Each planted bug must be found by the simulator within its number of
// seeds; the same seeds without it are the simulator's own suite. Writes .results/planted.json; the last line is
// `N passed, N failed`.

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allPlantedBugs, notPlanted } from "./dist/planted/all-planted-bugs.js";

const simulate = fileURLToPath(new URL("simulate.mjs", import.meta.url));
const resultsFolder = fileURLToPath(new URL("../../.results", import.meta.url));

const usage = `Usage: npm run planted -- [NAME…]
Plants one bug after another and has the simulator look for each.

  --list  only names them`;

/** The simulator's output with this bug planted. */
function outputWith({ name, seedsMax }) {
  return new Promise((resolve, reject) => {
    const args = ["--planted", name, "--seeds", String(seedsMax), "--jobs", String(availableParallelism())];
    const child = spawn(process.execPath, [simulate, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

/** Which seed found it and by which check; undefined if none did. A run that merely broke off has found nothing. */
function findingIn(output) {
  const report = output.split(/^(?=seed \d+ )/m).find((part) => /^seed \d+ failed/.test(part));
  const violation = report?.match(/^(C\d+|linearizability).*$/m)?.[0];
  if (violation === undefined) return undefined;
  return { seed: Number(report.match(/^seed (\d+)/)[1]), violation };
}

async function look(bug) {
  const started = performance.now();
  const finding = findingIn(await outputWith(bug));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (finding === undefined) {
    const reason = `not found by ${bug.seedsMax} seeds (${seconds} s)`;
    return { title: `PLANTED ${bug.name} (${bug.kind}): within ${bug.seedsMax} seeds`, result: "failed", reason };
  }
  const title = `PLANTED ${bug.name} (${bug.kind}): within ${bug.seedsMax} seeds`;
  const note = `seed ${finding.seed}, ${seconds} s: ${finding.violation.slice(0, 200)}`;
  return { title, result: "passed", note };
}

function show({ title, result, reason, note }) {
  if (result === "failed") console.log(`FAILED ${title}: ${reason}`);
  else console.log(`ok ${title}\n    ${note}`);
}

async function main(words) {
  if (words.includes("--help")) {
    console.log(usage);
    return 0;
  }
  if (words.includes("--list")) {
    for (const { name, kind, summary } of allPlantedBugs) console.log(`${name} (${kind}): ${summary}`);
    for (const { name, reason } of notPlanted) console.log(`not planted: ${name}: ${reason}`);
    return 0;
  }
  const unknown = words.filter((word) => !allPlantedBugs.some(({ name }) => name === word));
  if (unknown.length > 0) {
    console.error(`no planted bug: ${unknown.join(", ")}\n\n${usage}`);
    return 2;
  }
  const chosen = allPlantedBugs.filter(({ name }) => words.length === 0 || words.includes(name));
  const results = [];
  for (const bug of chosen) {
    const result = await look(bug);
    show(result);
    results.push({ ...result, file: "packages/simulator/src/planted/all-planted-bugs.ts" });
  }
  return conclude(results, words.length === 0);
}

function conclude(results, isWhole) {
  if (isWhole) {
    const text = JSON.stringify({ suite: "planted", results: results.map(({ note, ...rest }) => rest) }, undefined, 2);
    mkdirSync(resultsFolder, { recursive: true });
    writeFileSync(join(resultsFolder, "planted.json"), `${text}\n`);
  }
  const failed = results.filter(({ result }) => result === "failed").length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
