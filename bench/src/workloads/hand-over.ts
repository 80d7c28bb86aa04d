/** One lock with many waiters: how often it goes from hand to hand. */
import { Connections } from "../load/connections.js";
import { rateSample } from "../load/round-done.js";
import { measureUsage } from "../load/usage.js";
import { HandOver } from "../locks/hand-over.js";
import type { Bench, Load, Workload } from "../workload.js";

/** Each waiter is an open call; Holdfast allows a thousand per connection. */
const waitersPerConnection = 900;
const connectionsMin = 10;
const few = 100;
const many = 10_000;
/** A queue of ten thousand takes etcd minutes to build. */
const manyQuick = 2_000;
const warmUpSeconds = 0.5;

async function connect(bench: Bench, waiters: number) {
  const server = await bench.start();
  const count = Math.max(connectionsMin, Math.ceil(waiters / waitersPerConnection));
  return { server, connections: await Connections.open(server, count) };
}

async function open(bench: Bench, waiters: number): Promise<Load> {
  const { server, connections } = await connect(bench, waiters);
  const handOver = await HandOver.prepare(connections, "contended", waiters);
  await handOver.run(warmUpSeconds);
  return {
    round: () => rateSample(server, () => handOver.run(bench.seconds)),
    close: async () => connections.close(),
  };
}

/** Both queues on the same server, each in half of the round. */
async function openBoth(bench: Bench, manyWaiters: number): Promise<Load> {
  const { server, connections } = await connect(bench, manyWaiters + few);
  const short = await HandOver.prepare(connections, "short", few);
  const long = await HandOver.prepare(connections, "long", manyWaiters);
  for (const handOver of [short, long]) await handOver.run(warmUpSeconds);
  return {
    round: async () => {
      const used = measureUsage(server);
      const ofShort = await short.run(bench.seconds / 2);
      const ofLong = await long.run(bench.seconds / 2);
      const figure = ofLong.operations / ofLong.seconds / (ofShort.operations / ofShort.seconds);
      return { figure, operations: ofShort.operations + ofLong.operations, ...used() };
    },
    close: async () => connections.close(),
  };
}

function sizeOf({ isQuick }: Bench): number {
  return isQuick ? manyQuick : many;
}

export const handOverWorkloads: readonly Workload[] = [
  {
    name: "hand-over 100 waiters",
    group: "hand-over",
    unit: "hand-overs/s",
    goal: { ratio: 2.5, sense: "at least" },
    open: (bench) => open(bench, few),
  },
  {
    name: "hand-over 10,000 waiters (quick: 2,000)",
    group: "hand-over",
    unit: "hand-overs/s",
    goal: { ratio: 30, sense: "at least" },
    open: (bench) => open(bench, sizeOf(bench)),
  },
  {
    name: "hand-over 10,000 (quick: 2,000) / 100 waiters",
    group: "hand-over",
    unit: "rate/rate",
    goal: { ratio: 0.9, sense: "at least", isOfOwnFigure: true },
    isHoldfastAlone: true,
    open: (bench) => openBoth(bench, sizeOf(bench)),
  },
];
