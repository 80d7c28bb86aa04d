/**
 * How long a server with many keys needs to be back: from starting the process to the first linearizable read that counts
 * every key, after a kill and after an orderly stop. One operation is one key.
 */

import { Connections } from "../load/connections.js";
import { keyPrefix, loadKeys } from "../load/keys.js";
import { endOfPrefix } from "../referee/requests.js";
import type { Server, StartOptions } from "../servers/server.js";
import type { Bench, Load, Sample, Workload } from "../workload.js";

type StopSignal = "SIGKILL" | "SIGTERM";

const valueBytes = 128;
const loadingConnections = 4;
const quickKeys = 20_000;

class RestartLoad implements Load {
  readonly #bench: Bench;
  readonly #signal: StopSignal;
  readonly #keys: number;
  #server: Server;

  constructor(bench: Bench, signal: StopSignal, keys: number, server: Server) {
    this.#bench = bench;
    this.#signal = signal;
    this.#keys = keys;
    this.#server = server;
  }

  async round(): Promise<Sample> {
    await this.#server.stop(this.#signal);
    const options: StartOptions = {
      isReady: async (client) => {
        const { count } = await client.range(keyPrefix, { rangeEnd: endOfPrefix(keyPrefix), isCountOnly: true });
        return count === this.#keys;
      },
    };
    const driverBefore = process.cpuUsage();
    const startMs = performance.now();
    this.#server = await this.#bench.start(options);
    const figure = performance.now() - startMs;
    const { user, system } = process.cpuUsage(driverBefore);
    return {
      figure,
      operations: this.#keys,
      serverCpuSeconds: this.#server.cpuSeconds(),
      driverCpuSeconds: (user + system) / 1e6,
    };
  }

  async close(): Promise<void> {}
}

async function open(bench: Bench, signal: StopSignal, keys: number): Promise<Load> {
  const server = await bench.start();
  const connections = await Connections.open(server, loadingConnections);
  await loadKeys(connections, keys, valueBytes);
  connections.close();
  return new RestartLoad(bench, signal, keys, server);
}

function restartWorkload(signal: StopSignal, keys: number, isLong: boolean): Workload {
  return {
    name: `restart after ${signal}, ${keys.toLocaleString("en-US")} keys (quick: 20,000)`,
    group: "restart",
    unit: "ms",
    goal: { ratio: 0.66, sense: "at most" },
    isLong,
    open: (bench) => open(bench, signal, bench.isQuick ? quickKeys : keys),
  };
}

export const restartWorkloads: readonly Workload[] = [
  restartWorkload("SIGKILL", 100_000, false),
  restartWorkload("SIGTERM", 100_000, false),
  restartWorkload("SIGKILL", 1_000_000, true),
  restartWorkload("SIGTERM", 1_000_000, true),
];
