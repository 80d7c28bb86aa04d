/** Everything that a run is put together of. */
import type { Moment } from "../history/moment.js";
import type { ServerDisk } from "../world/disk.js";
import type { Network } from "../world/network.js";
import type { ServerNode } from "../world/node.js";
import type { SeededRandom } from "../world/random.js";
import type { Scheduler } from "../world/scheduler.js";
import type { SimulatedWorld } from "../world/simulated-world.js";
import type { RunConfig } from "./swarm.js";

export interface RunParts {
  readonly config: RunConfig;
  /** Of faults and what follows from them. */
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly disk: ServerDisk;
  readonly node: ServerNode;
  readonly world: SimulatedWorld;
  /** Files that have been damaged. */
  readonly rotted: Set<string>;
  moment(): Moment;
  note(line: string): void;
  mark(name: string): void;
}
