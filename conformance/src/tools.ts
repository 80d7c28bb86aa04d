// Finds the foreign programs the suites need: etcd, etcdctl, h2spec.
//
// The order is that of peers/build.mjs: the program an environment variable names, the one built into peers/bin, the
// one installed on PATH. A suite whose program is missing must skip, and say so: `missingTool` gives it the words.

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A foreign program the suites can use. */
export type ToolName = "etcd" | "etcdctl" | "h2spec";

const variables: Readonly<Record<ToolName, string>> = {
  etcd: "ETCD_BIN",
  etcdctl: "ETCDCTL_BIN",
  h2spec: "H2SPEC_BIN",
};

const binFolder = fileURLToPath(new URL("../peers/bin/", import.meta.url));

/** The path of the program, or undefined when this machine has none. */
export function findTool(name: ToolName): string | undefined {
  const named = process.env[variables[name]] ?? "";
  const folders = [binFolder, ...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "")];
  const candidates = named !== "" ? [named] : folders.map((folder) => join(folder, name));
  return candidates.find(isExecutable);
}

/** The path of the program; throws, saying how to get it, when there is none. */
export function requireTool(name: ToolName): string {
  const file = findTool(name);
  if (file === undefined) {
    throw new Error(`${name} is missing: run conformance/peers/build.mjs`);
  }
  return file;
}

/** What to pass as a test's `skip`: false when the program is there, else the reason, loud enough to be seen. */
export function missingTool(name: ToolName): string | false {
  return findTool(name) === undefined ? `SKIPPED: no ${name} on this machine (conformance/peers/build.mjs)` : false;
}

/** The first version number that etcd or etcdctl prints of itself, as [major, minor]. */
export function toolVersion(name: "etcd" | "etcdctl"): readonly [number, number] {
  const result = spawnSync(requireTool(name), [name === "etcd" ? "--version" : "version"], {
    encoding: "utf8",
    env: { ...process.env, ETCDCTL_API: "3" },
  });
  const match = /(\d+)\.(\d+)\.\d+/.exec(result.stdout);
  if (match === null) {
    throw new Error(`${name} prints no version: ${result.stdout}${result.stderr}`);
  }
  return [Number(match[1]), Number(match[2])];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
