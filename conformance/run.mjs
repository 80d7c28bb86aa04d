// Runs conformance suites by name and counts: `node conformance/run.mjs etcdctl etcd3 grpc-js crash h2spec import differential`.
//
// Without names it runs all of them. The suites must have been built (dist/). HOLDFAST_TARGET chooses the server under
// test, as in src/target.ts. Tests of Holdfast that name a fault of the fault model are also written to
// .results/<suite>.json. One line per suite sums it up; the last line is `N passed, N failed, N skipped`. The exit
// code is 1 when anything failed, and 2 when a name is unknown or a suite was not built.

import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { ResultCollector } from "../tools/faults/results.mjs";

const distFolder = join(dirname(fileURLToPath(import.meta.url)), "dist");

/** Every suite, by name: the compiled file of its tests, or the folder that holds several. */
const suites = {
  differential: "differential",
  etcdctl: "etcdctl",
  etcd3: "etcd3.test.js",
  "grpc-js": "grpc-js",
  crash: "crash.test.js",
  h2spec: "h2spec.test.js",
  import: "import.test.js",
};

/** The server under test. */
const target = process.env.HOLDFAST_TARGET ?? "holdfast";

/** How many test files run at once; each starts a server of its own. */
const concurrency = 3;

/** Something the caller has to put right before anything can run. */
class UsageError extends Error {}

/** The compiled test files of a suite. */
function filesOf(suite) {
  const entry = suites[suite];
  if (entry === undefined) {
    throw new UsageError(`unknown suite "${suite}"; there are ${Object.keys(suites).join(", ")}`);
  }
  const path = join(distFolder, entry);
  if (!existsSync(path)) {
    throw new UsageError(`${path} is missing: build the workspace first`);
  }
  if (entry.endsWith(".js")) {
    return [path];
  }
  const names = readdirSync(path).filter((name) => name.endsWith(".test.js"));
  return names.sort().map((name) => join(path, name));
}

/**
 * Runs test files, printing as node's own `spec` reporter does, and returns what became of their tests. Groups are not
 * counted, except a group that is skipped as a whole; a file that breaks off counts as a failure.
 */
function runFiles(suite, files) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const events = run({ files, concurrency });
  const collector = new ResultCollector();
  events.on("test:pass", (event) => collector.onPass(event));
  events.on("test:fail", (event) => collector.onFail(event));
  events.on("test:pass", ({ skip, details }) => {
    if (skip !== undefined) {
      counts.skipped += 1;
    } else if (details.type !== "suite") {
      counts.passed += 1;
    }
  });
  events.on("test:fail", ({ details }) => {
    if (details.error?.failureType !== "subtestsFailed") {
      counts.failed += 1;
    }
  });
  return new Promise((resolve, reject) => {
    const output = events.compose(new spec());
    output.on("error", reject);
    output.on("end", () => {
      if (target === "holdfast") collector.write(suite);
      resolve(counts);
    });
    output.pipe(process.stdout, { end: false });
  });
}

const inWords = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

async function main(names) {
  const chosen = names.length === 0 ? Object.keys(suites) : names;
  const plan = chosen.map((suite) => ({ suite, files: filesOf(suite) }));
  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  for (const { suite, files } of plan) {
    const counts = await runFiles(suite, files);
    for (const outcome of Object.keys(total)) {
      total[outcome] += counts[outcome];
    }
    lines.push(`${suite}: ${inWords(counts)}`);
  }
  console.log([`server under test: ${target}`, ...lines, inWords(total)].join("\n"));
  process.exitCode = total.failed > 0 ? 1 : 0;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 2;
}
