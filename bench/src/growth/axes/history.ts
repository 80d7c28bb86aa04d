/** More and more versions that nobody compacted, of a thousand keys. */
import { loadKeys } from "../../load/keys.js";
import type { Axis } from "../axis.js";
import { CallLoop } from "../call-loop.js";
import { putCall, rangeCall, valueBytes } from "../store-calls.js";
import { WatchLoop } from "../watch-loop.js";
import { callersUsual, groundOf, openSite } from "./ground.js";

const keys = 1000;

/**
 * After so many writes every key existed: on several connections they do not come in exactly the order of their numbers.
 * Each write made one revision.
 */
const writesBeforeAllKeys = 5 * keys;

function anyRevision(versions: number): number {
  return writesBeforeAllKeys + Math.floor(Math.random() * (versions - writesBeforeAllKeys));
}

export const historyAxis: Axis = {
  name: "history",
  title: "versions in the history, of 1000 keys",
  operations: [
    { name: "put", cost: "processor" },
    { name: "range of one key", cost: "processor" },
    { name: "range at an old revision", cost: "processor" },
    { name: "watch from now, and its end", cost: "processor" },
  ],
  sizes: {
    Holdfast: { quick: [1e4, 1e5], usual: [1e4, 1e5, 1e6], full: [1e7] },
    etcd: { quick: [1e4, 1e5], usual: [1e4, 1e5], full: [1e6] },
  },
  open: async (place, size) => {
    const site = await openSite(place);
    await loadKeys(site.connections, size, valueBytes, keys);
    const calls = [putCall(keys), rangeCall(keys), rangeCall(keys, () => anyRevision(size))];
    return groundOf(site, [
      ...calls.map((call) => new CallLoop(site.connections, callersUsual, call)),
      new WatchLoop(site.connections, callersUsual, keys),
    ]);
  },
};
