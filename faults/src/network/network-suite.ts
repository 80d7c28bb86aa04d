/** The suite of connections that break, stand still or are too many. */
import type { Suite } from "../scenario.js";
import { flood, idleCrowd, noDescriptors } from "./crowds.js";
import { briefPartition, halfOpen } from "./half-open.js";
import { slowReaders } from "./slow-readers.js";

export const networkSuite: Suite = {
  name: "network",
  summary: "pulled cables, crowds of connections, watchers that do not read",
  scenarios: [halfOpen, briefPartition, idleCrowd, flood, noDescriptors, slowReaders],
};
