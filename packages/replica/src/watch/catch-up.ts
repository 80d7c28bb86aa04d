/**
 * Leads watchers that are behind through the history until they are live.
 *
 * Works in slices: a few responses per turn of the event loop, one watcher after the other, so that
 * a long history delays nobody's live events (WATCH-34). A watcher whose consumer is congested waits
 * outside until `WatchHub.drained` brings it back.
 */
import type { StateMachine } from "@holdfast/state-machine";
import type { Environment } from "../environment.js";
import type { ReplicaLimits } from "../limits.js";
import { type SharedEvent, sharedEvent, type Watcher } from "./watcher.js";

export class CatchUp {
  readonly #machine: StateMachine;
  readonly #environment: Environment;
  readonly #limits: ReplicaLimits;
  readonly #end: (watcher: Watcher) => void;
  readonly #waiting = new Set<Watcher>();
  /** Watchers that are behind, those outside included; falling behind is counted by the hub. */
  behindCount = 0;
  eventsGiven = 0;
  #scheduled = false;

  /** `end` removes a watcher that compaction has overtaken. */
  constructor(machine: StateMachine, environment: Environment, limits: ReplicaLimits, end: (watcher: Watcher) => void) {
    this.#machine = machine;
    this.#environment = environment;
    this.#limits = limits;
    this.#end = end;
  }

  add(watcher: Watcher): void {
    this.#waiting.add(watcher);
    this.#schedule();
  }

  delete(watcher: Watcher): void {
    this.#waiting.delete(watcher);
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    this.#environment.defer(() => {
      this.#scheduled = false;
      this.#slice();
      this.#schedule();
    });
  }

  #slice(): void {
    let responses = this.#limits.catchUpResponses;
    for (const watcher of this.#waiting) {
      if (responses-- === 0) return;
      // Taken out and put back at the end, so that watchers take turns.
      this.#waiting.delete(watcher);
      if (this.#advance(watcher) && watcher.state === "behind") this.#waiting.add(watcher);
    }
  }

  /** Takes one step with a watcher. True if it should be stepped again. */
  #advance(watcher: Watcher): boolean {
    if (watcher.consumer.congested) return false;
    const { compactRevision, revision } = this.#machine;
    if (watcher.nextRevision < compactRevision) {
      this.#end(watcher);
      watcher.consumer.compacted(watcher, compactRevision);
      return false;
    }
    const events = this.#read(watcher);
    this.eventsGiven += events.length;
    if (events.length > 0) watcher.consumer.events(watcher, events, revision);
    // The consumer may have ended the watcher from within `events`.
    if (watcher.state === "behind" && watcher.nextRevision > revision) {
      watcher.state = "live";
      this.behindCount--;
    }
    return watcher.state === "behind";
  }

  /** The watcher's share of the next stretch of history; moves its cursor behind that stretch. */
  #read(watcher: Watcher): SharedEvent[] {
    const events: SharedEvent[] = [];
    let bytes = 0;
    watcher.nextRevision = this.#machine.readHistory(
      watcher.nextRevision,
      this.#limits.catchUpRevisions,
      (_revision, versions) => {
        for (const version of versions) {
          if (!watcher.covers(version.key) || !watcher.wants(version)) continue;
          events.push(sharedEvent(version));
          bytes += version.key.length + version.value.length;
        }
        return bytes < this.#limits.catchUpBytes;
      },
    );
    return events;
  }
}
