/**
 * `npm run faults`: provokes faults on real processes, and says what became of each.
 *
 *   npm run faults                            every suite; some minutes
 *   npm run faults -- kill disk               some of them; `attacks` is all whose names begin so
 *   npm run faults -- kill --only recovery    scenarios whose title contains the text
 *   npm run faults -- kill --seconds 600      scenarios that can go on for ever go on that long
 *   npm run faults -- fuzz --seed 7           chance starts from there
 *   npm run faults -- --list                  what there is
 *   npm run faults -- --planted               the test of the tests: bugs planted in the server, each of which must be found
 *   npm run faults -- --planted slow-accept   some of them
 *
 * Results go to .results/faults-<suite>.json, unless only some scenarios of it were run. The exit code is 1 if anything
 * failed, 2 for a wrong argument. What cannot run on this machine is skipped, loudly.
 */

import { join } from "node:path";
import { ensureBuilt, ensureInstalled } from "../tools/bootstrap.mjs";
import { root, takeOption, takeSwitch } from "../tools/workspace.mjs";

const results = join(root, ".results");

/** A wrong argument, in words for who gave it. */
class UsageError extends Error {}

function takeNumber(args, name) {
  const text = takeOption(args, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new UsageError(`${name} needs a number, not "${text}"`);
  return value;
}

function readOptions(args) {
  const options = {
    help: takeSwitch(args, "--help"),
    list: takeSwitch(args, "--list"),
    planted: takeSwitch(args, "--planted"),
    noBuild: takeSwitch(args, "--no-build"),
    only: takeOption(args, "--only"),
    seconds: takeNumber(args, "--seconds"),
    seed: takeNumber(args, "--seed"),
  };
  const unknown = args.filter((arg) => arg.startsWith("-"));
  if (unknown.length > 0) throw new UsageError(`unknown: ${unknown.join(" ")}; see --help`);
  return { ...options, names: args };
}

/** The suites of these names; `attacks` stands for all whose names begin with it. */
function chosenSuites(allSuites, names) {
  const known = allSuites.map(({ suite }) => suite.name);
  const isMeant = (suite, name) => suite === name || suite.startsWith(`${name}-`);
  const unknown = names.filter((name) => !known.some((suite) => isMeant(suite, name)));
  if (unknown.length > 0)
    throw new UsageError(`no suite is called ${unknown.join(", ")}; there are ${known.join(", ")}`);
  if (names.length === 0) return allSuites;
  return allSuites.filter(({ suite }) => names.some((name) => isMeant(suite.name, name)));
}

function printHelp(allSuites) {
  console.log(
    "usage: npm run faults -- [suite ...] [--only TEXT] [--seconds N] [--seed N] [--list] [--planted [BUG ...]] [--no-build]\n\nsuites:",
  );
  for (const { suite } of allSuites) console.log(`  ${suite.name.padEnd(16)} ${suite.summary}`);
}

/** The first signal ends the scenario that runs and undoes what it did to the machine; the second ends everything. */
function abortOnSignals() {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      console.log("stopping; undoing what was done (once more stops at once)");
      controller.abort();
    });
  }
  return controller.signal;
}

async function main(args) {
  const options = readOptions(args);
  if (!options.noBuild) {
    ensureInstalled();
    ensureBuilt(["packages/holdfast", "faults"]);
  }
  const { allSuites } = await import("./dist/all-suites.js");
  const { chosenScenarios, runSuites } = await import("./dist/runner.js");
  if (options.help) return printHelp(allSuites);
  const signal = abortOnSignals();
  if (options.planted) {
    const { runPlanted } = await import("./dist/planted/planted-runs.js");
    const totals = await runPlanted(allSuites, options.names, { resultFolder: results, print: console.log, signal });
    process.exit(totals.failed > 0 || signal.aborted ? 1 : 0);
  }
  const suites = chosenSuites(allSuites, options.names);
  if (options.list) {
    for (const suite of suites)
      for (const { title } of chosenScenarios(suite, options.only)) console.log(`${suite.suite.name}: ${title}`);
    return;
  }
  const { only, seconds, seed } = options;
  if (suites.every((suite) => chosenScenarios(suite, only).length === 0))
    throw new UsageError(`no title contains "${only}"`);
  const resultFolder = only === undefined ? results : undefined;
  const totals = await runSuites(suites, { only, seconds, seed, resultFolder, print: console.log, signal });
  process.exit(totals.failed > 0 || signal.aborted ? 1 : 0);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
