// Runs suites one after another: skip or build, run against the servers, count the lines that the client prints.

import { target } from "../../dist/target.js";
import { findOnPath, runBounded } from "./programs.mjs";
import { startServers } from "./servers.mjs";

/** How many of a program's last lines on standard error are shown when it has failed. */
const quotedLinesMax = 60;

/**
 * Runs the suites of `loadSuites` in order and returns one result each. One set of servers serves all of them, except
 * that a suite which failed leaves its servers to nobody: the next one starts on fresh ones.
 */
export async function runSuites(suites) {
  const results = [];
  let servers;
  try {
    for (const entry of suites) {
      console.log(`\n=== ${entry.name}`);
      const result = newResult(entry.name);
      results.push(result);
      if (!(await prepare(entry, result))) {
        continue;
      }
      if (servers === undefined) {
        servers = await startServers();
        for (const problem of servers.problems) {
          count(problem, result);
        }
      }
      await runClient(entry, result, servers.env);
      if (result.failed > 0) {
        await servers.close();
        servers = undefined;
      }
    }
  } finally {
    await servers?.close();
  }
  return results;
}

const newResult = (name) => ({
  name,
  passed: 0,
  failed: 0,
  failures: [],
  skipReason: undefined,
  seconds: { build: 0, run: 0 },
});

const contextOf = ({ folder }) => ({ folder, target });

/** Skips or builds. Returns whether the client can now be run. */
async function prepare(entry, result) {
  const { suite } = entry;
  const missing = suite.needs.find((name) => findOnPath(name) === undefined);
  const reason = missing === undefined ? await suite.unavailable?.(contextOf(entry)) : `no ${missing}`;
  if (reason !== undefined) {
    result.skipReason = reason;
    console.log(`skipped: ${reason}`);
    return false;
  }
  const started = performance.now();
  const built = await build(entry, result).catch((error) => {
    count(`FAILED build: ${error.message}`, result);
    return false;
  });
  result.seconds.build = (performance.now() - started) / 1000;
  return built;
}

async function build(entry, result) {
  const deadline = performance.now() + entry.suite.buildDeadlineSeconds * 1000;
  for (const command of entry.suite.build?.(contextOf(entry)) ?? []) {
    const output = [];
    const failure = await runBounded({ cwd: entry.folder, ...command }, deadline - performance.now(), (line) =>
      quote(output, line),
    );
    if (failure !== undefined) {
      show(output);
      count(`FAILED build: ${command.command} ${command.args.join(" ")} ${failure}`, result);
      return false;
    }
  }
  return true;
}

async function runClient(entry, result, env) {
  const started = performance.now();
  const failedBefore = result.failed;
  const errors = [];
  const command = { cwd: entry.folder, ...entry.suite.run(contextOf(entry)) };
  const failure = await runBounded(
    { ...command, env: { ...env, ...command.env } },
    entry.suite.runDeadlineSeconds * 1000,
    (line, fromStandardError) => (fromStandardError ? quote(errors, line) : count(line, result)),
  );
  result.seconds.run = (performance.now() - started) / 1000;
  const counted = result.passed + result.failed > failedBefore;
  // An exit code that only repeats the failed checks is no further failure.
  if (failure !== undefined && (result.failed === failedBefore || !/^ended with \d+$/.test(failure))) {
    count(`FAILED run: the client ${failure}`, result);
  } else if (!counted) {
    count("FAILED run: the client printed no check", result);
  }
  if (result.failed > failedBefore) {
    show(errors);
  }
}

/** Shows a line, and counts it if it is a check. */
function count(line, result) {
  console.log(line);
  if (line.startsWith("ok ")) {
    result.passed += 1;
  } else if (line.startsWith("FAILED ")) {
    result.failed += 1;
    // The details of a failed start have been shown; the summary keeps to one line each.
    result.failures.push(line.split("\n")[0]);
  }
}

function show(quoted) {
  for (const line of quoted) {
    console.log(`  | ${line}`);
  }
}

function quote(lines, line) {
  lines.push(line);
  if (lines.length > quotedLinesMax) {
    lines.shift();
  }
}
