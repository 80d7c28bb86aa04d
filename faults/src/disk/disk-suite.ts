/** The suite of disks that are full, fail, are slow or are not as a start needs them. */
import type { Suite } from "../scenario.js";
import { crowdOnSlowDisk, failingDisk, slowDisk } from "./failing-disk.js";
import { fullByOthers, fullMemory } from "./full-disk.js";
import { startConditions } from "./start-conditions.js";

export const diskSuite: Suite = {
  name: "disk",
  summary: "full, failing and slow disks, and folders in which no server may start",
  scenarios: [fullMemory, fullByOthers, ...failingDisk, slowDisk, crowdOnSlowDisk, ...startConditions],
};
