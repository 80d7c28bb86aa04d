// Builds the programs the conformance suites measure against: a real etcd, its etcdctl, and h2spec.
//
// What is built is pinned by go.mod and go.sum beside this file; the results land in `bin/`, which git ignores. A
// second run with the same pins does nothing. Without Go, an etcd and etcdctl already installed on PATH (Debian's
// etcd-server and etcd-client) serve as they are; without either, the suites that need them skip. Starting the
// programs, and looking them up in the same order as here, is the suites' business (src/tools.ts).
//
// ETCD_BIN, ETCDCTL_BIN and H2SPEC_BIN, when set, name programs to use instead of the built ones.
//
// The last line printed always says what was built, kept, found or skipped.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const peersFolder = dirname(fileURLToPath(import.meta.url));
const binFolder = join(peersFolder, "bin");
/** Holds the digest of the pins that `bin/` was built from. */
const stampFile = join(binFolder, "pins.sha256");

/**
 * Every peer: its program's name here and as Go builds it, the module whose version it carries, the variable that
 * replaces it, and how to ask an installed one for its version.
 */
const peers = [
  {
    name: "etcd",
    goName: "server",
    module: "go.etcd.io/etcd/server/v3",
    variable: "ETCD_BIN",
    versionArgs: ["--version"],
  },
  {
    name: "etcdctl",
    goName: "etcdctl",
    module: "go.etcd.io/etcd/etcdctl/v3",
    variable: "ETCDCTL_BIN",
    versionArgs: ["version"],
  },
  {
    name: "h2spec",
    goName: "h2spec",
    module: "github.com/summerwind/h2spec",
    variable: "H2SPEC_BIN",
    versionArgs: ["--version"],
  },
];

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first executable of this name on PATH, or undefined. */
function findOnPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The first version number the program prints. */
function installedVersion(file, args) {
  const result = spawnSync(file, args, { encoding: "utf8", env: { ...process.env, ETCDCTL_API: "3" } });
  const match = /\d+\.\d+\.\d+/.exec(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  return match === null ? "(unknown version)" : match[0];
}

function pinnedVersion(module) {
  const line = readFileSync(join(peersFolder, "go.mod"), "utf8")
    .split("\n")
    .find((text) => text.trim().startsWith(`${module} v`));
  return line === undefined
    ? "(unpinned)"
    : line
        .trim()
        .split(/\s+/)[1]
        .replace(/^v|\+incompatible$/g, "");
}

/** The program that the peer's variable names, or undefined; throws when it names something that cannot be run. */
function replacement(peer) {
  const named = process.env[peer.variable] ?? "";
  if (named !== "" && !isExecutable(named)) {
    throw new Error(`${peer.variable} names ${named}, which cannot be executed`);
  }
  return named === "" ? undefined : named;
}

function pinsDigest() {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) {
    hash.update(readFileSync(join(peersFolder, file)));
  }
  return hash.digest("hex");
}

/** True when `bin/` already holds what these pins build. */
function isBuilt(digest) {
  try {
    return (
      readFileSync(stampFile, "utf8") === digest && peers.every((peer) => isExecutable(join(binFolder, peer.name)))
    );
  } catch {
    return false;
  }
}

/** Builds every `tool` line of go.mod into `bin/`; throws with Go's own words already printed. */
function buildWithGo(go, digest) {
  mkdirSync(binFolder, { recursive: true });
  const env = { ...process.env, GOBIN: binFolder, GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" };
  const result = spawnSync(go, ["install", "tool"], { cwd: peersFolder, env, stdio: "inherit" });
  if (result.error !== undefined || result.status !== 0) {
    throw new Error(`go install tool: ${result.error?.message ?? `exit ${result.status ?? result.signal}`}`);
  }
  for (const peer of peers.filter(({ goName, name }) => goName !== name)) {
    renameSync(join(binFolder, peer.goName), join(binFolder, peer.name));
  }
  writeFileSync(stampFile, digest);
}

/** One peer in words, when it was built: its pinned version, or the program that replaces it. */
function describeBuilt(peer) {
  const other = replacement(peer);
  return other === undefined
    ? `${peer.name} ${pinnedVersion(peer.module)}`
    : `${peer.name} ${installedVersion(other, peer.versionArgs)} (${peer.variable})`;
}

/** Where there is no Go: says which peers are installed and which the suites will have to skip. */
function describeInstalled() {
  const found = peers.map((peer) => ({ peer, file: replacement(peer) ?? findOnPath(peer.name) }));
  const present = found.filter(({ file }) => file !== undefined);
  if (!present.some(({ peer }) => peer.name !== "h2spec")) {
    return "skipped: no go and no etcd found";
  }
  const words = present.map(({ peer, file }) => `${peer.name} ${installedVersion(file, peer.versionArgs)}`);
  const missing = found.filter(({ file }) => file === undefined).map(({ peer }) => peer.name);
  const skipped = missing.length === 0 ? "" : `; skipped: ${missing.join(", ")} (no go)`;
  return `found installed: ${words.join(", ")}${skipped}`;
}

function main() {
  const go = findOnPath("go");
  if (go === undefined) {
    return describeInstalled();
  }
  const digest = pinsDigest();
  const fresh = isBuilt(digest);
  if (!fresh) {
    buildWithGo(go, digest);
  }
  return `${fresh ? "already built" : "built"}: ${peers.map(describeBuilt).join(", ")}`;
}

try {
  console.log(main());
} catch (error) {
  console.log(`failed: ${error.message}`);
  process.exitCode = 1;
}
