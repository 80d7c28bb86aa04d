/**
 * Memory per key: what the resident set grows by when keys of 16 bytes with values of 128 are put, each once, and the
 * whole resident set, both per key. Each round has a server of its own, which may settle before it is looked at.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Connections } from "../load/connections.js";
import { loadKeys } from "../load/keys.js";
import { measureUsage } from "../load/usage.js";
import type { Bench, Load, Sample, Workload } from "../workload.js";

const valueBytes = 128;
const loadingConnections = 4;
const quickKeys = 20_000;
/** Both give memory back some time after they stopped using it. */
const settleMs = 5_000;
const bytesPerMiB = 2 ** 20;

/** Growth: loaded minus empty. Total: all that the process holds then. */
type What = "growth" | "total";

async function round(bench: Bench, what: What, keys: number): Promise<Sample> {
  const server = await bench.start();
  await delay(settleMs);
  const emptyMiB = what === "growth" ? server.residentMiB() : 0;
  const used = measureUsage(server);
  const connections = await Connections.open(server, loadingConnections);
  await loadKeys(connections, keys, valueBytes);
  connections.close();
  await delay(settleMs);
  const figure = ((server.residentMiB() - emptyMiB) * bytesPerMiB) / keys;
  const sample = { figure, operations: keys, ...used() };
  await server.stop("SIGKILL");
  rmSync(join(bench.folder, "data"), { recursive: true, force: true });
  return sample;
}

async function open(bench: Bench, what: What, keys: number): Promise<Load> {
  return { round: () => round(bench, what, keys), close: async () => {} };
}

function memoryWorkload(what: What, keys: number, isLong: boolean): Workload {
  const name = what === "growth" ? "memory per key" : "whole memory / keys";
  return {
    name: `${name}, ${keys.toLocaleString("en-US")} keys (quick: 20,000)`,
    group: "memory",
    unit: "bytes/key",
    goal: { ratio: 1, sense: "at most" },
    isLong,
    roundsMax: 2,
    open: (bench) => open(bench, what, bench.isQuick ? quickKeys : keys),
  };
}

export const memoryWorkloads: readonly Workload[] = [
  memoryWorkload("growth", 100_000, false),
  memoryWorkload("total", 100_000, false),
  memoryWorkload("growth", 1_000_000, true),
  memoryWorkload("total", 1_000_000, true),
];
