/**
 * A watcher is a cursor over the history, not a queue: the next revision it has not been given. While
 * its consumer keeps up it is fed from `apply`; when the consumer is congested the cursor simply stays
 * where it is and later reads the history, so a slow reader costs no memory (I8, F20).
 */
import type { ByteString } from "@holdfast/protocol";
import type { KeyVersion } from "@holdfast/state-machine";
import type { IntervalEnd } from "./interval-index.js";

/**
 * One change on its way to watchers. The slots let consumers share the encoded form: whoever encodes first leaves the bytes
 * for the others. The hub never looks inside, and hands an event on with one header revision only.
 */
export interface SharedEvent {
  readonly version: KeyVersion;
  /** Whether it goes to more than one watcher, so that it is worth keeping what was made of it. */
  isShared: boolean;
  encoded: Uint8Array | undefined;
  encodedWithPrevious: Uint8Array | undefined;
  /** All of a response with nothing but this event, as the first consumer made it for `responseId`. */
  response: Uint8Array | undefined;
  responseId: bigint;
}

/**
 * A response being made of events of the history, in revision order, filters already applied. It may be given up, and several
 * may be made for one consumer in turns.
 */
export interface CatchUpResponse {
  add(version: KeyVersion): void;
  /** The turn of the event loop ends before the response is whole. */
  pause(): void;
  /** The response is whole, and not empty. */
  send(): void;
}

/** Who is told. Every method is called from within the replica's turn and must not throw. */
export interface WatchConsumer {
  /** True while the consumer can take no more; `WatchHub.drained` must follow when that ends. */
  readonly congested: boolean;
  /**
   * Matching events of the revision `headerRevision`, just applied; never empty, filters already applied. The list is valid
   * only during the call.
   */
  events(watcher: Watcher, events: readonly SharedEvent[], headerRevision: number): void;
  /** Begins a response to a watcher that is behind, when the store is at `headerRevision` (WATCH-20). */
  catchUp(watcher: Watcher, headerRevision: number): CatchUpResponse;
  /** The watcher is over: history before its position is gone (WATCH-22, WATCH-23). */
  compacted(watcher: Watcher, compactRevision: number): void;
}

export interface WatchOptions {
  readonly key: ByteString;
  /** "" is the single key; "\0" every key from `key` on; otherwise exclusive (KV-1). */
  readonly rangeEnd: ByteString;
  /** First revision of interest; 0 means from now on. */
  readonly startRevision: number;
  readonly dropPuts: boolean;
  readonly dropDeletes: boolean;
  readonly consumer: WatchConsumer;
}

/** The condition of a watcher, one at a time. */
export type WatcherState = "live" | "behind" | "ended";

export class Watcher {
  readonly key: ByteString;
  /** Exclusive end; `undefined` is unbounded. For a single key see `isSingleKey`. */
  readonly end: IntervalEnd;
  readonly isSingleKey: boolean;
  readonly dropPuts: boolean;
  readonly dropDeletes: boolean;
  readonly consumer: WatchConsumer;
  /** As asked for; 0 is "from now on". */
  readonly startRevision: number;
  /** Every matching event below this revision has been handed to the consumer. */
  nextRevision: number;
  state: WatcherState = "behind";
  /** Live events of the revision being published right now, if it has several. */
  pending: SharedEvent[] = [];

  constructor(options: WatchOptions, nextRevision: number) {
    this.key = options.key;
    this.isSingleKey = options.rangeEnd === "";
    this.end = options.rangeEnd === "\0" ? undefined : options.rangeEnd;
    this.dropPuts = options.dropPuts;
    this.dropDeletes = options.dropDeletes;
    this.consumer = options.consumer;
    this.startRevision = options.startRevision;
    this.nextRevision = nextRevision;
  }

  /** The events of the revision being published, which are forgotten here. */
  takePending(): SharedEvent[] {
    const events = this.pending;
    this.pending = [];
    return events;
  }

  /** Whether the watcher's range holds `key`. */
  covers(key: ByteString): boolean {
    if (this.isSingleKey) return key === this.key;
    return key >= this.key && (this.end === undefined || key < this.end);
  }

  /** Whether the watcher's filters let this change through (WATCH-26). */
  wants(version: KeyVersion): boolean {
    return version.version === 0 ? !this.dropDeletes : !this.dropPuts;
  }
}

export function sharedEvent(version: KeyVersion, isShared: boolean): SharedEvent {
  return {
    version,
    isShared,
    encoded: undefined,
    encodedWithPrevious: undefined,
    response: undefined,
    responseId: 0n,
  };
}
