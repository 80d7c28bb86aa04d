/** All planted bugs, and what cannot be planted here. */
import type { PlantedBug } from "./planted-bug.js";
import { serviceBugs } from "./service-bugs.js";
import { storageBugs } from "./storage-bugs.js";

export const allPlantedBugs: readonly PlantedBug[] = [...storageBugs, ...serviceBugs];

/** Bugs that the fault model names in section 11 and that the simulator does not plant, with the reason. */
export const notPlanted: readonly { readonly name: string; readonly reason: string }[] = [
  {
    name: "store applied position separately",
    reason: "planted as snapshot-of-a-later-state: there is no other store",
  },
  { name: "lease end by timer only", reason: "planted as lease-ended-by-late-timer" },
  { name: "lease clock = wall clock", reason: "no wall clock can be had there: the check of imports refuses one" },
  { name: "token = wall time; token reset on restart", reason: "planted as token-from-header, for the same reason" },
  { name: "end record without epoch", reason: "needs several owners of one log" },
  { name: "old primary answers reads or keepalives", reason: "needs several owners of one log" },
  { name: "re-append without compare; dedupe by time window", reason: "needs a log on a network" },
  { name: "skip holes", reason: "needs a log whose places can be empty" },
  { name: "nested operation unchecked; previous value unchecked", reason: "planted in the tests of permissions" },
];
