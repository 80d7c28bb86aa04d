/**
 * More and more connections, each with one call at a time: as many calls in flight as there are connections.
 */
import { loadKeys } from "../../load/keys.js";
import type { Axis } from "../axis.js";
import { rangeCall, valueBytes } from "../store-calls.js";
import { groundOfCalls, openSite } from "./ground.js";

const keys = 1000;
/** Above the largest size: those that make the server ready are connections as well. */
const connectionsMax = 12_000;

export const connectionsAxis: Axis = {
  name: "connections",
  title: "connections, one call at a time on each",
  operations: [{ name: "range of one key", cost: "processor" }],
  sizes: {
    Holdfast: { quick: [1, 10, 100, 1000], usual: [1, 10, 100, 1e3, 1e4], full: [] },
    etcd: { quick: [1, 10, 100, 1000], usual: [1, 10, 100, 1e3, 1e4], full: [] },
  },
  open: async (place, size) => {
    const args = place.launch.name === "Holdfast" ? [`--max-connections=${connectionsMax}`] : [];
    const site = await openSite(place, size, args);
    await loadKeys(site.connections, keys, valueBytes);
    return groundOfCalls(site, [rangeCall(keys)], size);
  },
};
