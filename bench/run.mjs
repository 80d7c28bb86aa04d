/**
 * `npm run bench`: Holdfast and etcd side by side on this machine, one command.
 *
 *   npm run bench                         everything; about five minutes
 *   npm run bench -- --quick              fewer and shorter rounds, for a first look
 *   npm run bench -- --only put,startup   some of put, range, startup, scale
 *   npm run bench -- --servers holdfast   one server alone
 *   npm run bench -- --json FILE          writes every sample as well
 *   npm run bench -- --rounds N --seconds N --dir FOLDER
 *
 * Both servers keep their data on the same real disk, with their default durability: an acknowledged write is synced.
 * Needs h2load (Debian's nghttp2-client) and an etcd (`npm run peers`, or ETCD_BIN); says so where one is missing.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ensureBuilt, ensureInstalled } from "../tools/bootstrap.mjs";
import { fail, root, takeOption, takeSwitch } from "../tools/workspace.mjs";
import { readable } from "./figures.mjs";
import { Client } from "./grpc.mjs";
import { h2loadVersion } from "./h2load.mjs";
import { describeMachine, isInMemory, machineLines } from "./machine.mjs";
import { measureScale, scaleTable } from "./scale.mjs";
import { etcdLaunch, findEtcd, holdfastLaunch, Server } from "./servers.mjs";
import { measureStartup, startupTable } from "./startup.mjs";
import { measureLoad, summarize, throughputTable, workloads } from "./throughput.mjs";

const parts = ["put", "range", "startup", "scale"];

function readOptions(args) {
  const quick = takeSwitch(args, "--quick");
  const options = {
    only: takeOption(args, "--only")?.split(",") ?? parts,
    servers: takeOption(args, "--servers")?.split(",") ?? ["etcd", "holdfast"],
    json: takeOption(args, "--json"),
    rounds: Number(takeOption(args, "--rounds") ?? (quick ? 2 : 5)),
    seconds: Number(takeOption(args, "--seconds") ?? (quick ? 1 : 3)),
    keys: quick ? 20_000 : 100_000,
    quick,
    parent: resolve(takeOption(args, "--dir") ?? join(root, ".cache")),
  };
  const unknown = [...args, ...options.only.filter((part) => !parts.includes(part))];
  if (unknown.length > 0) fail(`Unknown: ${unknown.join(" ")}. See the head of bench/run.mjs.`);
  return options;
}

/** The servers to measure; an etcd that cannot be found is left out, loudly. */
function chooseLaunches(names) {
  const launches = [];
  if (names.includes("etcd")) {
    const etcd = findEtcd();
    if (etcd === undefined)
      console.log("skipped: no etcd found (npm run peers, or ETCD_BIN); Holdfast is measured alone");
    else launches.push(etcdLaunch(etcd));
  }
  if (names.includes("holdfast")) launches.push(holdfastLaunch());
  return launches;
}

/** Starts the servers, runs every load on them, and stops them whatever happens. */
async function runThroughput(launches, folderOf, options) {
  const subjects = [];
  try {
    for (const launch of launches) {
      const server = await Server.start(launch, folderOf(launch));
      const client = await Client.connect(server.port);
      subjects.push({ server, client, version: launch.version ?? (await client.version()) });
    }
    const versions = Object.fromEntries(subjects.map(({ server, version }) => [server.name, version]));
    console.log(
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    );
    const results = [];
    for (const load of workloads(options.only)) {
      const samples = await measureLoad(subjects, load, options);
      results.push({ label: load.label, samples });
      const speeds = Object.entries(samples).map(([name, of]) => `${name} ${readable(summarize(of).perSecond)}/s`);
      console.log(`  ${load.label}: ${speeds.join(", ")}`);
    }
    const memoryMiB = Object.fromEntries(subjects.map(({ server }) => [server.name, server.memoryMiB()]));
    return { versions, results, memoryMiB };
  } finally {
    for (const { server, client } of subjects) {
      client.close();
      await server.stop();
    }
  }
}

/** A fresh folder on a real disk for the data of both servers. */
function createFolder(parent) {
  mkdirSync(parent, { recursive: true });
  if (isInMemory(parent)) fail(`${parent} lies in memory; choose a folder on a disk with --dir`);
  return mkdtempSync(join(parent, "bench-"));
}

/** How many waiters queue on one lock, and how many leases expire together. */
function scaleOf({ quick }) {
  return quick ? { waiters: [100, 1_000], leases: 1_000 } : { waiters: [100, 1_000, 10_000], leases: 10_000 };
}

/** Runs what was asked for, prints the tables, and returns every sample. */
async function runAll(options, folder) {
  const { rounds, seconds, keys } = options;
  const report = { machine: describeMachine(folder), rounds, seconds, keys };
  console.log(`${machineLines(report.machine)}\n${h2loadVersion()}`);
  const launches = chooseLaunches(options.servers);
  const names = launches.map(({ name }) => name);
  const folderOf = ({ name }) => join(folder, name);
  if (options.only.some((part) => part === "put" || part === "range")) {
    report.throughput = await runThroughput(launches, folderOf, options);
    console.log(`\n${throughputTable(report.throughput.results, names)}\n`);
    const used = Object.entries(report.throughput.memoryMiB).map(([name, size]) => `${name} ${size} MiB`);
    console.log(`memory after all loads: ${used.join(", ")}`);
  }
  if (options.only.includes("startup")) {
    report.startup = await measureStartup(launches, folderOf, options);
    console.log(`\n${startupTable(report.startup, names, keys)}`);
  }
  if (options.only.includes("scale") && options.servers.includes("holdfast")) {
    report.scale = await measureScale(() => mkdtempSync(join(folder, "scale-")), scaleOf(options));
    console.log(`\n${scaleTable(report.scale)}`);
  }
  return report;
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (h2loadVersion() === undefined) {
    console.log("skipped: h2load not found (Debian and Ubuntu: apt install nghttp2-client)");
    return;
  }
  ensureInstalled();
  ensureBuilt();
  const folder = createFolder(options.parent);
  try {
    const report = await runAll(options, folder);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
