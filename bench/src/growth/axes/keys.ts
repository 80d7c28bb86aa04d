/** More and more keys in the store, each of 16 bytes with a value of 128. */
import { loadKeys } from "../../load/keys.js";
import type { Axis } from "../axis.js";
import { prefixCall, putCall, rangeCall, valueBytes } from "../store-calls.js";
import { groundOfCalls, openSite } from "./ground.js";

export const keysAxis: Axis = {
  name: "keys",
  title: "keys in the store",
  operations: [
    { name: "put of an existing key", cost: "processor" },
    { name: "range of one key", cost: "processor" },
    { name: "range of a prefix of 100 keys", cost: "processor" },
  ],
  sizes: {
    Holdfast: { quick: [1e3, 1e4, 1e5], usual: [1e3, 1e4, 1e5, 1e6], full: [] },
    etcd: { quick: [1e3, 1e4], usual: [1e3, 1e4, 1e5], full: [1e6] },
  },
  open: async (place, size) => {
    const site = await openSite(place);
    await loadKeys(site.connections, size, valueBytes);
    return groundOfCalls(site, [putCall(size), rangeCall(size), prefixCall(size)]);
  },
};
