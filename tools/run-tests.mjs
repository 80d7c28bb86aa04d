/**
 * Runs the given test files with Node's own test runner, shows its report, and ends with `N passed, N failed`.
 *
 *   node tools/run-tests.mjs [--results SUITE] FILE...
 *
 * With `--results` it also writes `.results/SUITE.json`, which the table of faults is made from.
 *
 * A program of its own because the tests may run under another Node.js than the tool that chose them. The figures come
 * from the runner's events, not from its printed report. Skipped and to-do tests count as neither.
 */

import { run } from "node:test";
import { spec } from "node:test/reporters";
import { ResultCollector } from "./faults/results.mjs";
import { takeOption } from "./workspace.mjs";

/** A test file that has not ended by then hangs; nothing in the suite runs nearly as long. */
const fileTimeoutMs = 300_000;

/** Adds up the events of one run. */
class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** Files in which no test ran: a suite that lost its tests must not look green. */
  empty = [];

  /** The runner reports a file itself, under its path, when it held no test or broke outside of one. */
  onPass(event) {
    if (event.details?.type === "suite") return;
    if (event.skip !== undefined || event.todo !== undefined) this.skipped += 1;
    else if (event.name === event.file) this.empty.push(event.file);
    else this.passed += 1;
  }

  onFail(event) {
    if (event.todo !== undefined) this.skipped += 1;
    else if (event.details?.type !== "suite" || event.details.error?.failureType !== "subtestsFailed") this.failed += 1;
  }

  /** Prints the closing lines; true when the run proves something. */
  report() {
    for (const file of this.empty) console.log(`no test ran in ${file}`);
    if (this.skipped > 0) console.log(`${this.skipped} skipped`);
    const failed = this.failed + this.empty.length;
    console.log(`${this.passed} passed, ${failed} failed`);
    return this.passed > 0 && failed === 0;
  }
}

const files = process.argv.slice(2);
const suite = takeOption(files, "--results");
const tally = new Tally();
const collector = new ResultCollector();
if (files.length === 0) {
  // Without files the runner would look for some on its own.
  console.log("no test file found");
  process.exitCode = tally.report() ? 0 : 1;
} else {
  const events = run({ files, concurrency: true, timeout: fileTimeoutMs });
  events.on("test:pass", (event) => tally.onPass(event));
  events.on("test:fail", (event) => tally.onFail(event));
  events.on("test:pass", (event) => collector.onPass(event));
  events.on("test:fail", (event) => collector.onFail(event));
  const shown = events.compose(spec);
  shown.pipe(process.stdout);
  shown.on("end", () => {
    if (suite !== undefined) collector.write(suite);
    process.exitCode = tally.report() ? 0 : 1;
  });
}
