/**
 * Brings each change to the watchers whose range holds it.
 *
 * `publish` runs in the turn in which a command was applied and feeds the live watchers; watchers that
 * are behind (a start in the past, or a consumer that was congested) read the history in slices
 * between turns. A watcher is never in both ways at once, so it sees every revision once, in order.
 * Encoding, ids and streams belong to the consumers.
 */
import type { KeyVersion, StateMachine } from "@holdfast/state-machine";
import type { Environment } from "../environment.js";
import type { ReplicaLimits } from "../limits.js";
import { CatchUp } from "./catch-up.js";
import { IntervalIndex } from "./interval-index.js";
import { KeyRuns } from "./key-runs.js";
import { forEachWatcher, KeyWatchers } from "./key-watchers.js";
import { type SharedEvent, sharedEvent, Watcher, type WatchOptions } from "./watcher.js";

export class WatchHub {
  readonly #machine: StateMachine;
  readonly #byKey = new KeyWatchers();
  readonly #byRange = new IntervalIndex<Watcher>();
  readonly #catchUp: CatchUp;
  readonly #touched: Watcher[] = [];
  readonly #largeRevision: number;
  #count = 0;
  #eventsGiven = 0;

  constructor(machine: StateMachine, environment: Environment, limits: ReplicaLimits) {
    this.#machine = machine;
    this.#largeRevision = limits.catchUpEvents;
    this.#catchUp = new CatchUp(machine, environment, limits, (watcher) => this.remove(watcher));
  }

  get watcherCount(): number {
    return this.#count;
  }

  /** Watchers that have not been given all of the history yet: they started in the past or read too slowly. */
  get behindCount(): number {
    return this.#catchUp.behindCount;
  }

  /** Events given to watchers, each counted once for every watcher. */
  get eventsGiven(): number {
    return this.#eventsGiven + this.#catchUp.eventsGiven;
  }

  /**
   * Registers a watcher. Its first event is at `startRevision`, or after the current revision if that
   * is 0 (WATCH-5, WATCH-7, WATCH-8). History is delivered later, never from within this call.
   */
  watch(options: WatchOptions): Watcher {
    const next = options.startRevision > 0 ? options.startRevision : this.#machine.revision + 1;
    const watcher = new Watcher(options, next);
    this.#index(watcher);
    this.#count++;
    if (next > this.#machine.revision) watcher.state = "live";
    else {
      this.#catchUp.behindCount++;
      this.#catchUp.add(watcher);
    }
    return watcher;
  }

  /** Ends a watcher; nothing more is delivered to it. */
  remove(watcher: Watcher): void {
    if (watcher.state === "ended") return;
    if (watcher.state === "behind") this.#catchUp.behindCount--;
    watcher.state = "ended";
    this.#count--;
    this.#catchUp.delete(watcher);
    this.#unindex(watcher);
  }

  /**
   * Whether everything up to the current revision has been handed to this watcher, and its start is
   * not still to come (WATCH-31).
   */
  isCaughtUp(watcher: Watcher): boolean {
    return watcher.state === "live" && watcher.startRevision <= this.#machine.revision;
  }

  /** The consumer of these watchers can take more again. */
  drained(watchers: Iterable<Watcher>): void {
    for (const watcher of watchers) if (watcher.state === "behind") this.#catchUp.add(watcher);
  }

  /**
   * Delivers the changes of one revision to the live watchers. Very many of them are not encoded in this turn: watchers of
   * ranges are led through them as through history, in slices (fault-model F14).
   */
  publish(changes: readonly KeyVersion[]): void {
    if (this.#count === 0) return;
    const revision = this.#machine.revision;
    if (changes.length === 1) this.#publishOne(changes[0]!, revision);
    else {
      const isLarge = changes.length > this.#largeRevision;
      if (isLarge && !this.#byRange.isEmpty) this.#leaveBehind(changes, revision);
      const toRanges = !isLarge && !this.#byRange.isEmpty;
      if (toRanges || !this.#byKey.isEmpty) for (const change of changes) this.#collect(change, revision, toRanges);
      for (const watcher of this.#touched) this.#deliver(watcher, watcher.takePending(), revision);
    }
    if (this.#touched.length > 0) this.#touched.length = 0;
  }

  #leaveBehind(changes: readonly KeyVersion[], revision: number): void {
    const runs = new KeyRuns(changes);
    this.#byRange.visitAll((watcher) => {
      if (watcher.state !== "live" || watcher.nextRevision > revision) return;
      if (!runs.touch(watcher.key, watcher.end)) return;
      this.#fallBehind(watcher, revision);
      this.#catchUp.add(watcher);
    });
  }

  /** Everything before `revision` was delivered to the watcher or did not match; the rest it gets from the history. */
  #fallBehind(watcher: Watcher, revision: number): void {
    watcher.nextRevision = revision;
    watcher.state = "behind";
    this.#catchUp.behindCount++;
  }

  /** Nearly every revision has one change: its watchers share one list, and none keeps a list of its own. */
  #publishOne(change: KeyVersion, revision: number): void {
    const onKey = this.#byKey.isEmpty ? undefined : this.#byKey.get(change.key);
    if (onKey instanceof Watcher && this.#byRange.isEmpty) {
      if (isDue(onKey, change, revision)) this.#deliver(onKey, [sharedEvent(change, false)], revision);
      return;
    }
    forEachWatcher(onKey, (watcher) => this.#touch(watcher, change, revision));
    if (!this.#byRange.isEmpty) {
      this.#byRange.visit(change.key, (watcher) => this.#touch(watcher, change, revision));
    }
    if (this.#touched.length === 0) return;
    const events = [sharedEvent(change, this.#touched.length > 1)];
    for (const watcher of this.#touched) this.#deliver(watcher, events, revision);
  }

  #touch(watcher: Watcher, change: KeyVersion, revision: number): void {
    if (isDue(watcher, change, revision)) this.#touched.push(watcher);
  }

  #collect(change: KeyVersion, revision: number, toRanges: boolean): void {
    let shared: SharedEvent | undefined;
    const offer = (watcher: Watcher): void => {
      if (!isDue(watcher, change, revision)) return;
      if (shared === undefined) shared = sharedEvent(change, false);
      else shared.isShared = true;
      if (watcher.pending.length === 0) this.#touched.push(watcher);
      watcher.pending.push(shared);
    };
    if (!this.#byKey.isEmpty) forEachWatcher(this.#byKey.get(change.key), offer);
    if (toRanges) this.#byRange.visit(change.key, offer);
  }

  #deliver(watcher: Watcher, events: readonly SharedEvent[], revision: number): void {
    if (watcher.state !== "live") return;
    if (watcher.consumer.congested) {
      this.#fallBehind(watcher, revision);
      return;
    }
    watcher.nextRevision = revision + 1;
    this.#eventsGiven += events.length;
    watcher.consumer.events(watcher, events, revision);
  }

  #index(watcher: Watcher): void {
    if (watcher.isSingleKey) this.#byKey.add(watcher);
    else this.#byRange.add(watcher.key, watcher.end, watcher);
  }

  #unindex(watcher: Watcher): void {
    if (watcher.isSingleKey) this.#byKey.remove(watcher);
    else this.#byRange.remove(watcher.key, watcher.end, watcher);
  }
}

/** Whether a live watcher is to be told of a change within its range. */
function isDue(watcher: Watcher, change: KeyVersion, revision: number): boolean {
  return watcher.state === "live" && watcher.nextRevision <= revision && watcher.wants(change);
}
