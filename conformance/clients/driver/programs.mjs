// Programs on PATH, and running one with a deadline so that nothing it started outlives it.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** The first executable of this name on PATH, or undefined. */
export function findOnPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The process groups to end when this process ends, however it ends short of SIGKILL. */
const liveGroups = new Set();
process.once("exit", () => liveGroups.forEach(killGroup));

function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}

/**
 * Runs a command to its end, or until `deadlineMs` is over; then it and all that it started in its process group are
 * killed. `onLine(line, fromStandardError)` gets its output. Resolves with undefined when it exits with 0, else with
 * the reason in words.
 *
 * @param {import("./suites.mjs").Command} command
 */
export function runBounded({ command, args, cwd, env }, deadlineMs, onLine) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  liveGroups.add(child.pid);
  createInterface({ input: child.stdout }).on("line", (line) => onLine(line, false));
  createInterface({ input: child.stderr }).on("line", (line) => onLine(line, true));
  return new Promise((resolve) => {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      killGroup(child.pid);
    }, deadlineMs);
    const end = (reason) => {
      clearTimeout(timer);
      liveGroups.delete(child.pid);
      resolve(expired ? `did not end within ${deadlineMs / 1000} s` : reason);
    };
    child.once("error", (error) => end(`cannot be started: ${error.message}`));
    // What it left running would keep its pipes open, and `close` would never come.
    child.once("exit", () => killGroup(child.pid));
    child.once("close", (code, signal) => end(code === 0 ? undefined : `ended with ${signal ?? code}`));
  });
}
