// Runs the published etcd clients against a server: `node conformance/clients/run.mjs go rust curl java …`.
//
// Without names it runs all of them. HOLDFAST_TARGET chooses the server (holdfast, or etcd to prove the clients
// themselves). Each client is a folder here with a `suite.mjs` (driver/suites.mjs says what that must export). A client
// whose toolchain this machine lacks is skipped, and says so again at the end. The last line is
// `N passed, N failed, N skipped`, where passed and failed count checks and skipped counts clients. The exit code is 1
// when anything failed, and 2 when a name is unknown or the workspace was not built.

import { printCounts, total } from "./driver/counts.mjs";
import { loadSuites, UsageError } from "./driver/suites.mjs";

async function main(names) {
  const suites = await loadSuites(names);
  const { runSuites } = await import("./driver/runner.mjs");
  const results = await runSuites(suites);
  console.log(`\nserver under test: ${process.env.HOLDFAST_TARGET ?? "holdfast"}`);
  printCounts(results);
  // Something that a suite left open must not keep this process alive.
  process.exit(total(results).failed > 0 ? 1 : 0);
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
