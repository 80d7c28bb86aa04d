/**
 * Makes the workspace ready to run: the right Node.js, dependencies installed, TypeScript built.
 *
 * Every other tool calls this first, so that a clean checkout needs no step before `npm start` or `npm test`.
 * When nothing changed it costs a few milliseconds and an incremental build.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pruneStale } from "./stale.mjs";
import { display, fail, readJson, root, runNpm, runProgram, workspaceFolders } from "./workspace.mjs";

/** The oldest Node.js that runs Holdfast: `engines.node` of every package. */
const nodeMinimum = [20, 19, 0];

/** Ends the tool when this Node.js is older than the packages support. */
export function requireNode(version = process.versions.node) {
  const parts = version.split(".").map(Number);
  for (const [index, wanted] of nodeMinimum.entries()) {
    if (parts[index] > wanted) return;
    if (parts[index] < wanted) {
      fail(`Holdfast needs Node.js ${nodeMinimum.join(".")} or newer; this is ${version} (${process.execPath}).`);
    }
  }
}

/** Installs the dependencies of the lock file when what is installed differs from it; ends the tool on failure. */
export function ensureInstalled() {
  requireNode();
  const reason = whyInstall(root);
  if (reason === undefined) return;
  console.log(`Installing dependencies (${reason}) ...`);
  // No dependency needs an install script, so none may run one.
  const { exitCode, output } = runNpm(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], {
    quiet: true,
  });
  if (exitCode !== 0) {
    process.stderr.write(output);
    fail("npm ci failed (see above). Is the npm registry reachable, and package-lock.json up to date?");
  }
}

/**
 * Says why an install is needed, or undefined.
 *
 * npm leaves its own record of what it installed in node_modules/.package-lock.json; comparing it with the lock file
 * needs no stamp of ours and notices a branch change, an interrupted install and a copied node_modules alike.
 */
export function whyInstall(top) {
  const record = join(top, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return "nothing installed yet";
  const wanted = readJson(join(top, "package-lock.json")).packages;
  const installed = readJson(record).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes("node_modules/") || !runsHere(entry)) continue;
    if (!sameRelease(installed[path], entry)) return `${path.replace(/^node_modules\//, "")} is missing or outdated`;
  }
  for (const folder of workspaceFolders(top)) {
    if (!declaresSame(join(folder, "package.json"), wanted[display(folder, top)])) {
      return `${display(folder, top)}/package.json changed`;
    }
  }
  if (!declaresSame(join(top, "package.json"), wanted[""])) return "package.json changed";
  return undefined;
}

/** Whether npm would install this lock file entry on this machine. */
function runsHere(entry) {
  if (!entry.optional) return true;
  // Which C library this is cannot be told cheaply; npm decides, and nothing is claimed missing.
  if (entry.libc !== undefined) return false;
  return matches(entry.os, process.platform) && matches(entry.cpu, process.arch);
}

function matches(allowed, value) {
  return allowed === undefined || [allowed].flat().includes(value);
}

function sameRelease(installed, wanted) {
  if (installed === undefined) return false;
  return installed.version === wanted.version && installed.integrity === wanted.integrity;
}

function declaresSame(manifestPath, locked) {
  const manifest = readJson(manifestPath);
  const groups = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
  return groups.every((group) => sameRanges(manifest[group] ?? {}, locked?.[group] ?? {}));
}

function sameRanges(declared, locked) {
  const names = Object.keys(declared);
  return names.length === Object.keys(locked).length && names.every((name) => declared[name] === locked[name]);
}

/**
 * Builds what changed and removes built files that lost their source; ends the tool when the types do not hold.
 * With `folders` it builds only those packages and what they refer to.
 */
export function ensureBuilt(folders = []) {
  const { exitCode, output } = compile(folders);
  if (exitCode !== 0) {
    process.stderr.write(output);
    fail("The build failed (see above).");
  }
}

/** Runs the incremental build, of everything or of some packages; returns the compiler's exit code and messages. */
export function compile(folders = []) {
  for (const path of pruneStale()) console.log(`Removed ${display(path)}: its source is gone.`);
  return runProgram(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b", ...folders], {
    quiet: true,
  });
}
