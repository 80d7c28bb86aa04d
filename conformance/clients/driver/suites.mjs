// The list of clients, and what each client's `suite.mjs` promises the driver.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * One command to run. `cwd` is the client's folder unless given; `env` adds to the driver's own environment.
 * @typedef {{command: string, args: readonly string[], cwd?: string, env?: Record<string, string>}} Command
 */

/**
 * What a suite is told when its commands are asked for.
 * @typedef {{folder: string, target: "holdfast" | "etcd"}} SuiteContext
 */

/**
 * What `suite.mjs` exports under the name `suite`.
 *
 * `run` is given the variables of driver/servers.mjs in its environment, and prints one line per check on standard
 * output: `ok <words>` or `FAILED <words>: <why>`. Other lines are shown and not counted. It must leave the servers as
 * it found them: authentication off, no users, no roles.
 *
 * @typedef {object} Suite
 * @property {readonly string[]} needs programs that must be on PATH; without one of them the suite is skipped ("no go")
 * @property {(context: SuiteContext) => string | undefined | Promise<string | undefined>} [unavailable]
 *   another reason why it cannot run on this machine, asked before the build
 * @property {(context: SuiteContext) => Iterable<Command>} [build] run in order before anything is counted, each taken
 *   when the one before has succeeded; a command that fails is one failed check
 * @property {(context: SuiteContext) => Command} run
 * @property {number} buildDeadlineSeconds bound on all of `build` together
 * @property {number} runDeadlineSeconds
 */

/** Something the caller has to put right before anything can run. */
export class UsageError extends Error {}

const clientsFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const names = ["go", "rust", "curl", "java", "python-grpc", "python-gateway", "node"];
const serverModule = join(clientsFolder, "..", "dist", "server-under-test.js");

/** The suites of these names (of all when there are none), in this order, as `{name, folder, suite}`. */
export async function loadSuites(wanted) {
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`unknown client "${unknown}"; there are ${names.join(", ")}`);
  }
  if (!existsSync(serverModule)) {
    throw new UsageError(`${serverModule} is missing: build the workspace first`);
  }
  return Promise.all((wanted.length === 0 ? names : wanted).map(loadSuite));
}

async function loadSuite(name) {
  const folder = join(clientsFolder, name);
  const { suite } = await import(pathToFileURL(join(folder, "suite.mjs")).href);
  return { name, folder, suite };
}
