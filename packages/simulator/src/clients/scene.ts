/** What all clients of a run share. Apart from supplies and records they know nothing of each other. */
import type { World } from "../world/world.js";
import type { ClientsConfig } from "./config.js";
import { OutsideResource } from "./outside-resource.js";
import { Recorder } from "./recorder.js";
import { Supplies } from "./supplies.js";

export class Scene {
  readonly world: World;
  readonly config: ClientsConfig;
  readonly recorder: Recorder;
  readonly resource: OutsideResource;
  readonly supplies: Supplies;
  /** What no answer may be like, whatever the history: answers to nobody's question, ids that were not asked for. */
  readonly complaints: string[] = [];
  /** The faults are over: everybody behaves, and does what it is there for once more. */
  healing = false;
  /** Set when nothing is written any more: watches must come this far. */
  finalRevision: number | undefined = undefined;
  /** The highest revision that is known to be compacted: where history begins, as far as anybody can tell. */
  compactedRevision = 0;
  /** The highest revision that any header showed: a hint of what is past, present and future, for those who want either. */
  latestRevision = 1;

  constructor(world: World, config: ClientsConfig) {
    this.world = world;
    this.config = config;
    this.recorder = new Recorder(world);
    this.resource = new OutsideResource(this.recorder);
    this.supplies = new Supplies(config);
  }

  /** Takes the revision of a header as news. */
  heard(revision: number | undefined): void {
    if (revision !== undefined && revision > this.latestRevision) this.latestRevision = revision;
  }

  /** Takes it as news that history begins at `revision`. */
  heardCompacted(revision: number): void {
    if (revision > this.compactedRevision) this.compactedRevision = revision;
  }

  complain(client: string, what: string): void {
    this.complaints.push(`${client}: ${what}`);
    this.world.note(`complaint of ${client}: ${what}`);
  }
}
