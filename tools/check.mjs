/**
 * `npm run check`: everything that must hold before a change is offered. One line per step.
 *
 *   npm run check                        every step
 *   npm run check -- --only imports      one step, or several separated by commas
 *   npm run check -- --skip tests        all but these
 *   npm run check -- --fix               lets the formatter mend what it can first
 *
 * The last line is `N passed, N failed`: the steps, and the tests if they ran. The exit code is 0 when nothing failed.
 */

import { join } from "node:path";
import { compile, ensureInstalled } from "./bootstrap.mjs";
import { checkDocs } from "./check-docs.mjs";
import { checkFiles } from "./check-files.mjs";
import { checkImports } from "./check-imports.mjs";
import { staleFiles } from "./stale.mjs";
import { display, fail, root, runProgram, takeOption, takeSwitch } from "./workspace.mjs";

/** Every step returns the problems it found, as lines. */
const steps = {
  // Before the build, which would remove them: a stale test may have been what made the last run green.
  stale: () => staleFiles().map((path) => `${display(path)}: its source is gone; \`npm run build\` removes it`),
  types: () => linesOfFailure(compile()),
  lint: () => linesOfFailure(biome("check", "--error-on-warnings", "--colors=off")),
  imports: () => checkImports(),
  files: () => checkFiles(),
  docs: () => checkDocs(),
};

function biome(...args) {
  return runProgram(process.execPath, [join(root, "node_modules", "@biomejs", "biome", "bin", "biome"), ...args], {
    quiet: true,
  });
}

function linesOfFailure({ exitCode, output }) {
  return exitCode === 0 ? [] : output.trimEnd().split("\n");
}

/** Runs one step and prints its line; true when nothing was found. */
function runStep(name) {
  const startMs = performance.now();
  const problems = steps[name]();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${name.padEnd(8)} ${seconds} s`);
  for (const problem of problems) console.log(`     ${problem}`);
  return problems.length === 0;
}

/** Runs the unit tests, showing their report; returns the figures of their last line. */
function runTests() {
  const { exitCode, output } = runProgram(process.execPath, [join(root, "tools", "test.mjs")], { quiet: true });
  const figures = /^(\d+) passed, (\d+) failed\s*$/m.exec(output.trimEnd().split("\n").at(-1));
  const passed = Number(figures?.[1] ?? 0);
  const failed = Number(figures?.[2] ?? 0);
  if (exitCode !== 0) process.stdout.write(output);
  return { passed, failed: exitCode === 0 ? failed : Math.max(failed, 1) };
}

function chosenSteps(args) {
  const names = [...Object.keys(steps), "tests"];
  const only = takeOption(args, "--only")?.split(",");
  const skip = takeOption(args, "--skip")?.split(",") ?? [];
  const unknown = [...(only ?? []), ...skip, ...args].filter((name) => !names.includes(name));
  if (unknown.length > 0) fail(`Unknown: ${unknown.join(", ")}. The steps are ${names.join(", ")}.`);
  return names.filter((name) => (only ?? names).includes(name) && !skip.includes(name));
}

const args = process.argv.slice(2);
const fix = takeSwitch(args, "--fix");
const chosen = chosenSteps(args);
ensureInstalled();
if (fix) process.stdout.write(biome("check", "--write").output);

let passed = 0;
let failed = 0;
for (const name of chosen.filter((step) => step !== "tests")) {
  if (runStep(name)) passed += 1;
  else failed += 1;
}
if (chosen.includes("tests")) {
  const startMs = performance.now();
  const tests = runTests();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(
    `${tests.failed === 0 ? "ok  " : "FAIL"} tests    ${seconds} s (${tests.passed} passed, ${tests.failed} failed)`,
  );
  passed += tests.passed;
  failed += tests.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
