/**
 * Leads watchers that are behind through the history until they are live.
 *
 * Works in slices: a few responses per turn of the event loop, one watcher after the other, so that
 * a long history delays nobody's live events (WATCH-34). A watcher whose consumer is congested waits
 * outside until `WatchHub.drained` brings it back.
 */
import type { KeyVersion, StateMachine } from "@holdfast/state-machine";
import type { Environment } from "../environment.js";
import type { ReplicaLimits } from "../limits.js";
import type { CatchUpResponse, Watcher } from "./watcher.js";

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
  /** Events that may still be looked at in the slice under way, about. */
  #eventsLeft = 0;
  /** Watchers in the midst of a large revision. */
  readonly #unfinished = new Map<Watcher, Reading>();

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
    this.#unfinished.delete(watcher);
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
    this.#eventsLeft = this.#limits.catchUpEvents;
    for (const watcher of this.#waiting) {
      if (responses-- === 0 || this.#eventsLeft <= 0) return;
      // Taken out and put back at the end, so that watchers take turns.
      this.#waiting.delete(watcher);
      if (this.#advance(watcher) && watcher.state === "behind") this.#waiting.add(watcher);
    }
  }

  /** Takes one step with a watcher. True if it should be stepped again. */
  #advance(watcher: Watcher): boolean {
    const reading = this.#unfinished.get(watcher);
    if (reading !== undefined) return this.#goOn(watcher, reading);
    if (watcher.consumer.congested) return false;
    const { compactRevision } = this.#machine;
    if (watcher.nextRevision < compactRevision) {
      this.#end(watcher);
      watcher.consumer.compacted(watcher, compactRevision);
      return false;
    }
    return this.#goOn(watcher, this.#read(watcher));
  }

  /** Adds to the response what is left of a large revision, as far as the slice goes, and sends it when it is whole. */
  #goOn(watcher: Watcher, reading: Reading): boolean {
    const { versions } = reading;
    const end = Math.min(versions.length, reading.at + Math.max(0, this.#eventsLeft));
    this.#eventsLeft -= end - reading.at;
    for (; reading.at < end; reading.at++) addTo(reading, watcher, versions[reading.at] as KeyVersion);
    if (end < versions.length) {
      reading.response?.pause();
      this.#unfinished.set(watcher, reading);
      return true;
    }
    this.#unfinished.delete(watcher);
    this.eventsGiven += reading.events;
    reading.response?.send();
    // The consumer may have ended the watcher from within `send`.
    if (watcher.state === "behind" && watcher.nextRevision > this.#machine.revision) {
      watcher.state = "live";
      this.behindCount--;
    }
    return watcher.state === "behind";
  }

  /** The watcher's share of the next stretch of history; moves its cursor behind that stretch. */
  #read(watcher: Watcher): Reading {
    const { catchUpBytes, catchUpEvents, catchUpRevisions } = this.#limits;
    const reading = newReading(this.#machine.revision);
    watcher.nextRevision = this.#machine.readHistory(watcher.nextRevision, catchUpRevisions, (_revision, versions) => {
      if (versions.length > catchUpEvents) {
        reading.versions = versions;
        return false;
      }
      for (const version of versions) addTo(reading, watcher, version);
      return reading.bytes < catchUpBytes && reading.events < catchUpEvents;
    });
    this.#eventsLeft -= reading.events;
    return reading;
  }
}

/** A response being made. */
interface Reading {
  readonly headerRevision: number;
  /** Begun with the first event. */
  response: CatchUpResponse | undefined;
  events: number;
  bytes: number;
  /** The last revision, if it is a large one, and how much of it was looked at. */
  versions: readonly KeyVersion[];
  at: number;
}

const noVersions: readonly KeyVersion[] = Object.freeze([]);

function newReading(headerRevision: number): Reading {
  return { headerRevision, response: undefined, events: 0, bytes: 0, versions: noVersions, at: 0 };
}

function addTo(reading: Reading, watcher: Watcher, version: KeyVersion): void {
  if (!watcher.covers(version.key) || !watcher.wants(version)) return;
  reading.response ??= watcher.consumer.catchUp(watcher, reading.headerRevision);
  reading.response.add(version);
  reading.events += 1;
  reading.bytes += version.key.length + version.value.length;
}
