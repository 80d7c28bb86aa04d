/**
 * Events delivered to watchers that keep up, and how long each takes from its write: many streams on one key, many keys
 * with one watcher each, many watchers on one stream.
 *
 * One operation is one event delivered. Every watcher's number of events is exact, one response of a thousand is decoded:
 * the versions of its key have no gap, revisions ascend.
 */

import { Connections } from "../load/connections.js";
import { rateSample } from "../load/round-done.js";
import { FanOut, type FanOutPlan } from "../watch/fan-out.js";
import type { Bench, Load, Workload } from "../workload.js";

interface WatchPlan extends FanOutPlan {
  readonly connections: number;
}

const warmUpSeconds = 0.5;
/** One that writes, besides those that watch. */
const writers = 1;

async function open({ start, seconds }: Pick<Bench, "start" | "seconds">, plan: WatchPlan): Promise<Load> {
  const server = await start();
  const connections = await Connections.open(server, plan.connections + writers);
  const fanOut = new FanOut(connections, plan);
  await fanOut.watch();
  await fanOut.run(warmUpSeconds);
  return {
    round: () => rateSample(server, () => fanOut.run(seconds)),
    close: async () => {
      fanOut.close();
      connections.close();
    },
  };
}

function watchWorkload(name: string, ratio: number, plan: WatchPlan, quick: Partial<WatchPlan> = {}): Workload {
  return {
    name,
    group: "watch",
    unit: "events/s",
    goal: { ratio, sense: "at least" },
    open: (bench) =>
      open(
        { start: (options) => bench.start(options), seconds: bench.seconds },
        bench.isQuick ? { ...plan, ...quick } : plan,
      ),
  };
}

export const watchWorkloads: readonly Workload[] = [
  watchWorkload("watch 1 key × 10,000 watchers", 3, {
    connections: 10,
    watchers: 10_000,
    watchersPerStream: 1,
    keys: "shared",
    writesInFlight: 2,
  }),
  watchWorkload("watch 10,000 keys × 1 watcher", 3, {
    connections: 10,
    watchers: 10_000,
    watchersPerStream: 1,
    keys: "own",
    writesInFlight: 250,
  }),
  watchWorkload("watch 1,000 watchers on one stream", 10, {
    connections: 1,
    watchers: 1_000,
    watchersPerStream: 1_000,
    keys: "shared",
    writesInFlight: 2,
  }),
];
