/**
 * `npm run faults:table`: what proves each fault, invariant and limit of the fault model, from the results of the last runs.
 *
 *   npm run faults:table                 compares docs/faults.md with the results
 *   npm run faults:table -- --write      makes it anew
 *
 * The exit code is 1 when something is open, when results are missing, or when the document is not what the results make.
 * What was skipped on this machine and had passed on another is said, and left as it was. The last line is
 * `N passed, N failed, N skipped`: faults, invariants and limits that are proven, those that are open, and what could not be
 * told because suites have not been run; then the document is not compared either.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { differences, readCommitted, tolerateSkips } from "./faults/committed.mjs";
import { readDefaults } from "./faults/defaults.mjs";
import { readFaultModel } from "./faults/fault-model.mjs";
import { limitRows } from "./faults/limits-table.mjs";
import { sortOpen } from "./faults/open.mjs";
import * as reasons from "./faults/reasons.mjs";
import { renderDocument } from "./faults/render.mjs";
import { readResults } from "./faults/results.mjs";
import { classify, faultStatus, invariantStatus, limitStatus } from "./faults/status.mjs";
import { suites } from "./faults/suites.mjs";
import { fail, root, takeSwitch } from "./workspace.mjs";

const path = join(root, "docs", "faults.md");
const shownDifferences = 40;

/** Names of the metrics that are documented. */
function readMetrics() {
  const text = readFileSync(join(root, "docs", "metrics.md"), "utf8");
  return new Set([...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name));
}

/** The status of everything, from results. */
async function statusOf(results) {
  const model = readFaultModel();
  const classes = classify(results);
  const limits = limitStatus(model, classes, {
    rows: limitRows,
    defaults: await readDefaults(),
    metrics: readMetrics(),
  });
  const faults = faultStatus(model, classes, reasons);
  const invariants = invariantStatus(model, classes);
  return { faults, invariants, limits: limits.limits, problems: limits.problems, classes };
}

/** Every fault, invariant and limit with what is open about it. */
function subjectsOf({ faults, invariants, limits }) {
  const applicable = faults.filter(({ waits }) => waits === undefined);
  const options = limits.flatMap(({ what, options, problems }) => [
    ...(options.length === 0 ? [{ id: `limit "${what}"`, problems }] : []),
    ...options.map(({ option, problems: open }) => ({ id: `limit ${option}`, problems: open })),
  ]);
  return [...applicable, ...invariants, ...options];
}

function missingSuites(results) {
  const present = new Set(results.map(({ suite }) => suite));
  return Object.entries(suites).filter(([suite]) => !present.has(suite));
}

/** Whether the document is what the results make; says where not. */
function isCurrent(committed, made) {
  const found = differences(committed, made);
  if (found.length === 0) return true;
  console.log(`FAILED docs/faults.md is not what the results make (npm run faults:table -- --write):`);
  for (const text of found.slice(0, shownDifferences)) console.log(`  ${text}`);
  if (found.length > shownDifferences) console.log(`  and ${found.length - shownDifferences} lines more`);
  return false;
}

const args = process.argv.slice(2);
const write = takeSwitch(args, "--write");
if (args.length > 0) fail(`Unknown: ${args.join(" ")}. Usage: npm run faults:table -- [--write]`);

const committed = existsSync(path) ? readFileSync(path, "utf8") : "";
const { results, tolerated } = tolerateSkips(readResults(), readCommitted(committed));
const status = await statusOf(results);
const made = renderDocument(status);
const subjects = subjectsOf(status);
const open = subjects.filter(({ problems }) => problems.length > 0);
const missing = missingSuites(results);
const { failed, notRun } = sortOpen(
  open,
  missing.map(([suite]) => suite),
);

for (const title of tolerated) console.log(`NOT RUN HERE, passed elsewhere: ${title}`);
for (const problem of status.problems) console.log(`FAILED ${problem}`);
for (const { id, problems } of failed) console.log(`FAILED ${id} is open: ${problems.join("; ")}`);
if (notRun.length > 0) console.log(`NOT RUN what these need: ${notRun.map(({ id }) => id).join(", ")}`);
for (const [suite, command] of missing) console.log(`NOT RUN ${suite}, no results: ${command}`);
const isComparable = !write && missing.length === 0;
if (write) writeFileSync(path, made);
else if (!isComparable) console.log("NOT RUN the comparison of docs/faults.md, which needs the results of all suites");
const failures = failed.length + status.problems.length + (isComparable && !isCurrent(committed, made) ? 1 : 0);
const skipped = notRun.length + missing.length;
console.log(`${subjects.length - open.length} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failures + skipped === 0 ? 0 : 1;
