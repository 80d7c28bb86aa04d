/**
 * Where things are in this workspace, and how the tools start other programs.
 *
 * Plain JavaScript without dependencies, like every tool here: the tools run before anything is installed.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds the root package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folders that hold what others wrote or what a program made: never looked into. */
const skippedFolders = new Set(["node_modules", "dist", "data", "coverage"]);

/** Reads and parses a JSON file. */
export function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Every file under `folder` in a stable order, except hidden folders, dependencies and built files. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory() && !entry.name.startsWith(".") && !skippedFolders.has(entry.name)) {
      found.push(...filesUnder(path));
    }
  }
  return found;
}

/** The folders named by `workspaces` in the root package.json; understands `name` and `folder/*`. */
export function workspaceFolders(top = root) {
  const folders = [];
  for (const pattern of readJson(join(top, "package.json")).workspaces ?? []) {
    const parent = join(top, pattern.replace(/\/\*$/, ""));
    if (!pattern.endsWith("/*")) folders.push(parent);
    else if (existsSync(parent)) folders.push(...readdirSync(parent).map((name) => join(parent, name)));
  }
  return folders.filter((folder) => existsSync(join(folder, "package.json"))).sort();
}

/** `path` relative to `top`, with forward slashes, for messages. */
export function display(path, top = root) {
  return relative(top, path).split(sep).join("/");
}

/**
 * Runs a program to its end in the workspace root.
 *
 * `quiet` collects its output instead of showing it. Returns the exit code (1 for a program that could not be
 * started or was killed) and the collected output.
 */
export function runProgram(command, args, { quiet = false, env = process.env } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    env,
    encoding: "utf8",
    stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    maxBuffer: 64 * 1024 * 1024,
  });
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ? `${result.error.message}\n` : ""}`;
  return { exitCode: result.status ?? 1, output };
}

/** Runs npm. Under `npm run` it is the npm that runs us; otherwise the one on the PATH. */
export function runNpm(args, options) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) return runProgram(process.execPath, [script, ...args], options);
  return process.platform === "win32"
    ? runProgram("cmd.exe", ["/d", "/s", "/c", "npm", ...args], options)
    : runProgram("npm", args, options);
}

/** Takes the value that follows `name` out of `args`; undefined when the option is absent. */
export function takeOption(args, name) {
  const at = args.indexOf(name);
  if (at < 0) return undefined;
  const [, value] = args.splice(at, 2);
  if (value === undefined) fail(`${name} needs a value`);
  return value;
}

/** Takes a switch out of `args`: true when it was there. */
export function takeSwitch(args, name) {
  const at = args.indexOf(name);
  if (at >= 0) args.splice(at, 1);
  return at >= 0;
}

/** Ends the tool with one clear line and exit code 1. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}
