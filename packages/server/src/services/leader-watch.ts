/**
 * Follows who leads one election (ELECT-24 to ELECT-28): the leader's key while there is a leader, the whole prefix while
 * there is none, one watcher at a time. Who leads when a leader has gone is left to the listener to find out.
 */
import { type ByteString, emptyByteString, type KeyValue } from "@holdfast/protocol";
import { type CatchUpResponse, prefixEnd, type SharedEvent, type WatchConsumer, type Watcher } from "@holdfast/replica";
import type { KeyVersion } from "@holdfast/state-machine";
import type { ServiceContext } from "./context.js";

/** Who is told. All of it within the replica's turn; each may follow anew or close. */
export interface LeaderListener {
  /** True while nothing should be told; `LeaderWatch.drained` must follow when that ends. */
  readonly congested: boolean;
  /** The leader has put its pair at `revision`, or is the first to put one. */
  put(kv: KeyValue, revision: number): void;
  /** The leader's key is deleted: nothing is followed until `follow`. */
  leaderGone(): void;
  /** The history that was still to be read is gone (ELECT-30): nothing is followed any more. */
  compacted(): void;
}

export class LeaderWatch implements WatchConsumer {
  readonly #context: ServiceContext;
  readonly #prefix: ByteString;
  readonly #listener: LeaderListener;
  #watcher: Watcher | undefined;
  #leader: ByteString | undefined;

  constructor(context: ServiceContext, prefix: ByteString, listener: LeaderListener) {
    this.#context = context;
    this.#prefix = prefix;
    this.#listener = listener;
  }

  get congested(): boolean {
    return this.#listener.congested;
  }

  /** Whether it has told everything up to now about this leader, or, for undefined, waits for one. */
  isAtPresentWith(leader: ByteString | undefined): boolean {
    return this.#watcher?.state === "live" && this.#leader === leader;
  }

  /** Tells what happens from `nextRevision` on to the key of `leader`, or, for undefined, who leads first. */
  follow(leader: ByteString | undefined, nextRevision: number): void {
    this.#leader = leader;
    if (leader === undefined) this.#watch(this.#prefix, prefixEnd(this.#prefix), nextRevision);
    else this.#watch(leader, emptyByteString, nextRevision);
  }

  close(): void {
    if (this.#watcher !== undefined) this.#context.replica.watches.remove(this.#watcher);
    this.#watcher = undefined;
  }

  drained(): void {
    if (this.#watcher !== undefined) this.#context.replica.watches.drained([this.#watcher]);
  }

  events(watcher: Watcher, events: readonly SharedEvent[]): void {
    const [only] = events;
    if (events.length === 1 && only !== undefined && watcher.isSingleKey) this.#isFollowed(watcher, only.version);
    else
      this.#followAll(
        watcher,
        events.map(({ version }) => version),
      );
  }

  catchUp(watcher: Watcher): CatchUpResponse {
    const versions: KeyVersion[] = [];
    return {
      add: (version) => void versions.push(version),
      pause: () => {},
      send: () => this.#followAll(watcher, versions),
    };
  }

  compacted(): void {
    this.#watcher = undefined;
    this.#listener.compacted();
  }

  #followAll(watcher: Watcher, versions: readonly KeyVersion[]): void {
    for (const version of versions) if (!this.#isFollowed(watcher, version)) return;
    const last = versions.at(-1);
    if (watcher.isSingleKey || this.#leader === undefined || last === undefined) return;
    // Its events up to here were among those of the prefix; they may have ended with its deletion (TXN-11).
    this.#watch(this.#leader, emptyByteString, last.modRevision + 1);
  }

  /** Takes in one change. False when what comes behind it is not for this watcher any more. */
  #isFollowed(watcher: Watcher, version: KeyVersion): boolean {
    if (version.version > 0) {
      this.#leader ??= version.key;
      if (version.key === this.#leader) this.#listener.put(version, version.modRevision);
      // The listener may have been lost with what it was told.
      return this.#watcher === watcher;
    }
    if (version.key !== this.#leader) return true;
    this.close();
    this.#listener.leaderGone();
    return false;
  }

  #watch(key: ByteString, rangeEnd: ByteString, startRevision: number): void {
    this.close();
    const options = { key, rangeEnd, startRevision, dropPuts: false, dropDeletes: false, consumer: this };
    this.#watcher = this.#context.replica.watches.watch(options);
  }
}
