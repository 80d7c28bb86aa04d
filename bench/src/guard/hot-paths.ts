/** The paths that a release must not make dearer, each on a server of its own. */

import { openSite, type Site, type Work } from "../growth/axes/ground.js";
import type { Place } from "../growth/axis.js";
import { CallLoop } from "../growth/call-loop.js";
import { putCall, rangeCall, valueBytes } from "../growth/store-calls.js";
import { Renewals } from "../leases/renewals.js";
import { loadKeys } from "../load/keys.js";
import { LockPairs } from "../locks/lock-pairs.js";
import { FanOut } from "../watch/fan-out.js";

/** One path. */
export interface HotPath {
  /** As it is called in records: changing it forgets what was recorded. */
  readonly name: string;
  /** What it may cost more than recorded, as a share: what runs of one build on an idle machine should not differ by. */
  readonly tolerance: number;
  /** Makes the site ready; what is returned is done again and again. */
  prepare(site: Site): Promise<Work>;
}

/** A path on its server. */
export interface OpenPath {
  readonly name: string;
  readonly site: Site;
  readonly work: Work;
}

const keys = 10_000;
/**
 * So much at a time that whatever the server gathers is full and it never idles: how long the disk takes for a sync, and
 * what others do meanwhile, would decide otherwise.
 */
const callers = 500;
const writesInFlight = 16;
const watchers = 1000;
const connections = 5;

export const hotPaths: readonly HotPath[] = [
  {
    name: "put",
    tolerance: 0.3,
    prepare: async ({ connections }) => {
      await loadKeys(connections, keys, valueBytes);
      return new CallLoop(connections, callers, putCall(keys));
    },
  },
  {
    name: "range of one key",
    tolerance: 0.35,
    prepare: async ({ connections }) => {
      await loadKeys(connections, keys, valueBytes);
      return new CallLoop(connections, callers, rangeCall(keys));
    },
  },
  {
    name: "lock and unlock",
    tolerance: 0.35,
    prepare: ({ connections }) => LockPairs.prepare(connections, callers),
  },
  {
    name: "event to one of 1000 watchers",
    tolerance: 0.3,
    prepare: async ({ connections }) => {
      const plan = { watchers, watchersPerStream: 1, keys: "shared", writesInFlight } as const;
      const fanOut = new FanOut(connections, plan);
      await fanOut.watch();
      return fanOut;
    },
  },
  {
    name: "keepalive",
    tolerance: 0.2,
    prepare: ({ connections }) => Renewals.prepare(connections, callers, 1),
  },
];

/** Opens a path. */
export async function openPath(path: HotPath, place: Place): Promise<OpenPath> {
  const site = await openSite(place, connections);
  return { name: path.name, site, work: await path.prepare(site) };
}
