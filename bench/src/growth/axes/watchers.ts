/**
 * More and more watchers, a hundred on each stream: what a put costs that wakes one of them, and what one event costs that
 * all of them are told. Every watcher's number of events is exact.
 */
import { FanOut, type FanOutPlan } from "../../watch/fan-out.js";
import type { Axis, Ground, Place } from "../axis.js";
import { groundOf, openSite } from "./ground.js";

/** Holdfast allows ten thousand watchers on one connection; the last connection writes. */
const connections = 21;
const watchersPerStream = 100;
const writesInFlight = { own: 100, shared: 2 };

async function openFanOut(place: Place, watchers: number, keys: FanOutPlan["keys"]): Promise<Ground> {
  const site = await openSite(place, connections);
  const plan = { watchers, watchersPerStream, keys, writesInFlight: writesInFlight[keys] };
  const fanOut = new FanOut(site.connections, plan);
  await fanOut.watch();
  return groundOf(site, [fanOut]);
}

export const watchersAxis: Axis = {
  name: "watchers",
  title: "watchers",
  operations: [
    { name: "put that wakes one watcher", cost: "processor" },
    { name: "one of the events of a put", cost: "processor" },
  ],
  sizes: {
    Holdfast: { quick: [10, 100, 1000, 1e4], usual: [10, 100, 1e3, 1e4, 1e5], full: [] },
    etcd: { quick: [10, 100, 1000], usual: [10, 100, 1e3, 1e4], full: [1e5] },
  },
  open: async (place, size) => {
    const grounds = [await openFanOut(place, size, "own"), await openFanOut(place, size, "shared")];
    return {
      rounds: grounds.flatMap(({ rounds }) => rounds),
      close: () => {
        for (const ground of grounds) ground.close();
      },
    };
  },
};
