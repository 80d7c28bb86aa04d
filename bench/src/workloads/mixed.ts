/**
 * Life as it is: four in five operations read, three in twenty write, one in twenty takes a lock, at a fixed rate that
 * both servers bear, over 100 MB of history, while history is compacted, backups are read, the server takes its own
 * snapshots, and leases run out. The figure is the time that all but one in a thousand operations keep.
 */

import { Connections } from "../load/connections.js";
import { loadKeys } from "../load/keys.js";
import { grantLeases, lastingTtlSeconds } from "../load/leases.js";
import { measureUsage } from "../load/usage.js";
import { Background } from "../mixed/background.js";
import { BackupReader } from "../mixed/backup-reader.js";
import { OpenLoop } from "../mixed/open-loop.js";
import { lockPrefix, MixedOperations } from "../mixed/operations.js";
import { endOfPrefix } from "../referee/requests.js";
import type { Server } from "../servers/server.js";
import { TurnReader } from "../turns/turn-reader.js";
import type { Bench, Load, Sample, Workload } from "../workload.js";

const operationsPerSecond = 5_000;
const keys = 10_000;
const valueBytes = 1_024;
const historyWrites = 100_000;
const historyWritesQuick = 20_000;
const quickSeconds = 5;
const warmUpSeconds = 2;
const connectionsInAll = 20;
const lockOwners = 100;
/** For what is begun when the time is over; leases run out within it. */
const settleWithinMs = 60_000;

class MixedLoad implements Load {
  readonly #server: Server;
  readonly #turns: TurnReader;
  readonly #connections: Connections;
  readonly #backups: BackupReader;
  readonly #operations: MixedOperations;
  readonly #seconds: number;
  readonly #historyWrites: number;

  constructor(
    { server, turns, connections }: { server: Server; turns: TurnReader; connections: Connections },
    operations: MixedOperations,
    { seconds, writes }: { seconds: number; writes: number },
  ) {
    this.#server = server;
    this.#turns = turns;
    this.#connections = connections;
    this.#backups = new BackupReader(server);
    this.#operations = operations;
    this.#seconds = seconds;
    this.#historyWrites = writes;
  }

  async round(): Promise<Sample> {
    const loop = new OpenLoop(this.#connections, operationsPerSecond, this.#operations.begin);
    const background = new Background(this.#connections.at(0), this.#backups, {
      compactTo: () => this.#operations.revision - this.#historyWrites,
      failed: (error) => this.#connections.fail(error),
    });
    const withinMs = this.#seconds * 1000 + settleWithinMs;
    await this.#turns.longestTurnMs();
    const used = measureUsage(this.#server);
    await this.#connections.during("watching leases", settleWithinMs, background.start());
    const latencies = await this.#connections.during("all operations", withinMs, loop.run(this.#seconds));
    const usage = used();
    const longestTurnMs = await this.#turns.longestTurnMs();
    const { compactions, backups } = await this.#connections.during("the rest", settleWithinMs, background.stop());
    if (compactions === 0 || backups === 0) throw new Error("too short for a compaction and a backup");
    await this.#checkLocks();
    const sample = { figure: latencies.percentileMs(0.999), operations: latencies.total, ...usage };
    return { ...sample, ...latencies.percentiles(), ...(longestTurnMs === undefined ? {} : { longestTurnMs }) };
  }

  async close(): Promise<void> {
    this.#connections.close();
    this.#turns.close();
    await this.#backups.close();
  }

  /** Every lock was given back. */
  async #checkLocks(): Promise<void> {
    const client = await this.#server.connect();
    const { count } = await client.range(lockPrefix, { rangeEnd: endOfPrefix(lockPrefix), isCountOnly: true });
    client.close();
    if (count !== 0) throw new Error(`${count} locks are still held`);
  }
}

async function open(bench: Bench, seconds: number): Promise<Load> {
  const turns = new TurnReader();
  const server = await bench.start(turns.startOptions);
  const connections = await Connections.open(server, connectionsInAll);
  const writes = bench.isQuick ? historyWritesQuick : historyWrites;
  await loadKeys(connections, writes, valueBytes, keys);
  const operations = new MixedOperations(
    keys,
    valueBytes,
    await grantLeases(connections, lockOwners, lastingTtlSeconds),
  );
  const warmUp = new OpenLoop(connections, operationsPerSecond, operations.begin);
  await connections.during("warming up", settleWithinMs, warmUp.run(warmUpSeconds));
  const plan = { seconds: bench.isQuick ? quickSeconds : seconds, writes };
  return new MixedLoad({ server, turns, connections }, operations, plan);
}

function mixedWorkload(name: string, seconds: number, isLong: boolean): Workload {
  return {
    name: `mixed 80 % read, 15 % put, 5 % lock at 5,000/s, ${name}: p99.9`,
    group: "mixed",
    unit: "ms",
    goal: { ratio: 1, sense: "at most", longestTurnMsMax: 20 },
    isLong,
    roundsMax: isLong ? 1 : 3,
    open: (bench) => open(bench, seconds),
  };
}

export const mixedWorkloads: readonly Workload[] = [
  mixedWorkload("20 s (quick: 5 s)", 20, false),
  mixedWorkload("ten minutes", 600, true),
];
