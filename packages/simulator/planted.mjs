// `npm run planted -- [NAME…]`: the test of the tests. Each planted bug must be found by a check within its number of seeds,
// and the seed that finds it must find nothing without it. Writes .results/planted.json; the last line is
// `N passed, N failed`.

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { allPlantedBugs, notPlanted } from "./dist/index.js";
import { resultsFolder, SeedProcess } from "./seed-process.mjs";

const usage = `Usage: npm run planted -- [NAME…]
Plants one bug after another and has the simulator look for each.

  --list  only names them`;

process.exitCode = await main(process.argv.slice(2));

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
  return conclude(await lookForAll(chosen), words.length === 0);
}

/** As many bugs at a time as there are cores; those that may take longest come first. */
async function lookForAll(bugs) {
  const left = bugs.toSorted((one, other) => other.seedsMax - one.seedsMax);
  const results = new Map();
  const work = async () => {
    const sound = new SeedProcess(undefined);
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      const result = await look(bug, sound);
      show(result);
      results.set(bug, result);
    }
    sound.close();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return bugs.map((bug) => results.get(bug));
}

/** @param sound runs seeds without any bug. */
async function look(bug, sound) {
  const { name, kind, seedsMax, overrides = {} } = bug;
  const started = performance.now();
  const title = `PLANTED ${name} (${kind}): within ${seedsMax} seeds`;
  const found = await firstFinding(bug);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (found === undefined) return { title, result: "failed", reason: `not found by ${seedsMax} seeds (${seconds} s)` };
  const { seed, violations } = found;
  const without = await sound.run(seed, { overrides });
  if (without.violations.length > 0)
    return { title, result: "failed", reason: `seed ${seed} fails without it too: ${without.violations[0]}` };
  return { title, result: "passed", note: `seed ${seed}, ${seconds} s: ${violations[0].slice(0, 200)}` };
}

/** The summary of the first seed that finds it. A run that merely broke off has found nothing. */
async function firstFinding({ name, seedsMax, overrides = {} }) {
  const planted = new SeedProcess(name);
  try {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const summary = await planted.run(seed, { overrides });
      if (summary.violations.length > 0 && !summary.broken) return summary;
    }
    return undefined;
  } finally {
    planted.close();
  }
}

function show({ title, result, reason, note }) {
  if (result === "failed") console.log(`FAILED ${title}: ${reason}`);
  else console.log(`ok ${title}\n    ${note}`);
}

function conclude(results, isWhole) {
  const failed = results.filter(({ result }) => result === "failed").length;
  if (isWhole) {
    const file = "packages/simulator/src/planted/all-planted-bugs.ts";
    const lines = results.map(({ note, ...rest }) => ({ ...rest, file }));
    mkdirSync(resultsFolder, { recursive: true });
    const text = JSON.stringify({ suite: "planted", results: lines }, undefined, 2);
    writeFileSync(join(resultsFolder, "planted.json"), `${text}\n`);
  }
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
