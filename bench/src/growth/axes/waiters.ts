/**
 * More and more callers that wait for one lock: how long it takes from one holder's Unlock to the next one's answer, the
 * former holder's place at the end of the queue included. Mutual exclusion and order are checked as in the table.
 */
import { HandOver } from "../../locks/hand-over.js";
import type { Axis } from "../axis.js";
import { groundOf, openSite } from "./ground.js";

/** Each waiter is an open call; Holdfast allows a thousand per connection, and a hundred thousand in all. */
const waitersPerConnection = 900;
const connectionsMin = 10;
/** As many as can wait while there is room for the calls that end the waiting. */
const waitersMost = 99_000;

export const waitersAxis: Axis = {
  name: "waiters",
  title: "callers waiting for one lock",
  operations: [{ name: "hand-over", cost: "elapsed" }],
  sizes: {
    Holdfast: { quick: [10, 100, 1000], usual: [10, 100, 1e3, 1e4, waitersMost], full: [] },
    etcd: { quick: [10, 100], usual: [10, 100, 1e3], full: [1e4] },
  },
  open: async (place, size) => {
    const site = await openSite(place, Math.max(connectionsMin, Math.ceil(size / waitersPerConnection)));
    const handOver = await HandOver.prepare(site.connections, "contended", size);
    return groundOf(site, [handOver]);
  },
};
