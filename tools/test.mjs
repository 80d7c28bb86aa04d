/**
 * `npm test`: installs and builds what is missing, then runs every unit test.
 *
 *   npm test                      everything
 *   npm test -- log transport     only these packages (or `faults`, `tools`, `bench`)
 *   npm test -- --node <path>     run the tests with another Node.js binary
 *
 * The last line is always `N passed, N failed`; the exit code is 0 only when something passed and nothing failed.
 */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ensureBuilt, ensureInstalled } from "./bootstrap.mjs";
import { fail, filesUnder, root, runProgram, takeOption, workspaceFolders } from "./workspace.mjs";

/** Folders outside the packages whose tests are plain JavaScript and run as they are. */
const plainFolders = ["tools"].map((name) => join(root, name));

/** The folders whose tests were asked for. */
function chosenFolders(filters) {
  // Conformance has a runner of its own: its tests need other programs. Those of faults and bench are of their own parts.
  const withOwnTests = ["faults", "bench"].map((name) => join(root, name));
  const packages = workspaceFolders().filter(
    (folder) => dirname(folder) === join(root, "packages") || withOwnTests.includes(folder),
  );
  const folders = [...packages, ...plainFolders.filter(existsSync)];
  const unknown = filters.filter((name) => !folders.some((folder) => basename(folder) === name));
  if (unknown.length > 0) fail(`No such package: ${unknown.join(", ")}`);
  return folders.filter((folder) => filters.length === 0 || filters.includes(basename(folder)));
}

/** The test files of one folder: as they are, or the built ones of the sources that exist now. */
function testFiles(folder) {
  if (plainFolders.includes(folder)) return filesUnder(folder).filter((path) => path.endsWith(".test.mjs"));
  const source = join(folder, "src");
  return filesUnder(source)
    .filter((path) => /\.test\.tsx?$/.test(path))
    .map((path) => join(folder, "dist", path.slice(source.length)).replace(/\.tsx?$/, ".js"));
}

const args = process.argv.slice(2);
const otherNode = takeOption(args, "--node");
const node = otherNode ?? process.execPath;
if (!existsSync(node)) fail(`No Node.js binary at ${node}`);
ensureInstalled();
const folders = chosenFolders(args);
const packages = folders.filter((folder) => !plainFolders.includes(folder));
if (packages.length > 0) ensureBuilt(args.length === 0 ? [] : packages);
const runner = join(root, "tools", "run-tests.mjs");
// A part of the tests, or another Node.js, is no basis for the table of faults.
const results = args.length === 0 && otherNode === undefined ? ["--results", "unit"] : [];
const { exitCode } = runProgram(node, ["--enable-source-maps", runner, ...results, ...folders.flatMap(testFiles)]);
process.exitCode = exitCode;
