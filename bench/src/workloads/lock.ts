/** Lock and Unlock by RPC where nobody else wants the lock, plain and through TLS. */
import { join } from "node:path";
import { Connections } from "../load/connections.js";
import { rateSample } from "../load/round-done.js";
import { LockPairs } from "../locks/lock-pairs.js";
import { createTlsFiles } from "../servers/tls.js";
import type { Bench, Load, Workload } from "../workload.js";

const connectionsMax = 10;
const warmUpSeconds = 0.7;

async function open(bench: Bench, callers: number, isSecure: boolean): Promise<Load> {
  const server = await bench.start(isSecure ? { tls: createTlsFiles(join(bench.folder, "tls")) } : {});
  const connections = await Connections.open(server, Math.min(callers, connectionsMax));
  const load = await LockPairs.prepare(connections, callers);
  await load.checked(() => load.run(warmUpSeconds));
  return {
    round: () => load.checked(() => rateSample(server, () => load.run(bench.seconds))),
    close: async () => connections.close(),
  };
}

function lockWorkload(callers: number, ratio: number): Workload {
  return {
    name: `lock+unlock ${callers === 1 ? "1 caller" : `${callers.toLocaleString("en")} callers`}`,
    group: "lock",
    unit: "pairs/s",
    goal: { ratio, sense: "at least" },
    open: (bench) => open(bench, callers, false),
  };
}

export const lockWorkloads: readonly Workload[] = [lockWorkload(1, 2), lockWorkload(100, 5), lockWorkload(1000, 5)];

/** Stands with the other loads through TLS. */
export const secureLockWorkload: Workload = {
  name: "tls lock+unlock 100 callers",
  group: "tls",
  unit: "pairs/s",
  goal: { ratio: 2, sense: "at least" },
  open: (bench) => open(bench, 100, true),
};
