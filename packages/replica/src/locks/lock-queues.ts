/**
 * Who is the oldest under each prefix, and who waits to become it.
 *
 * A derived index over ordinary keys, kept only for prefixes on which somebody waits. `observe` is fed
 * every change in the turn in which it was applied: whoever deletes the holder's key, by Unlock,
 * revoke, expiry or a plain delete, exactly one contender becomes the oldest and its waiters are
 * told in that same turn; a contender whose own key is deleted is told that it has lost. Whether a
 * key may be created, and what a grant means, belongs to the services.
 */
import type { ByteString } from "@holdfast/protocol";
import type { KeyVersion, StateMachine } from "@holdfast/state-machine";
import { type Contender, LockQueue, type LockWaiter } from "./lock-queue.js";

/** What became of a request to wait. `waiting` lasts until a waiter's method is called or `leave`. */
export type WaitResult = "held" | "lost" | "waiting";

export class LockQueues {
  readonly #machine: StateMachine;
  readonly #queues = new Map<ByteString, LockQueue>();
  readonly #changed = new Set<LockQueue>();
  #waiterCount = 0;

  constructor(machine: StateMachine) {
    this.#machine = machine;
  }

  /** Calls that wait, over all prefixes. */
  get waiterCount(): number {
    return this.#waiterCount;
  }

  /** The oldest live key under `prefix` now, or undefined if there is none. */
  oldest(prefix: ByteString): KeyVersion | undefined {
    const queue = this.#queues.get(prefix);
    if (queue === undefined) return this.#scanOldest(prefix);
    return queue.oldest === undefined ? undefined : this.#machine.get(queue.oldest.key);
  }

  /**
   * Waits until `key`, in the life that began at `createRevision`, is the oldest under `prefix`.
   * Answers at once when it already is, or when that life has ended.
   */
  wait(prefix: ByteString, key: ByteString, createRevision: number, waiter: LockWaiter): WaitResult {
    if (this.#machine.get(key)?.createRevision !== createRevision) return "lost";
    const isOldest = this.oldest(prefix)?.key === key;
    if (isOldest) return "held";
    const queue = this.#queues.get(prefix) ?? this.#build(prefix);
    const contender = queue.get(key);
    if (contender === undefined) throw new Error("lock queue does not hold a live key under its prefix");
    contender.waiters.add(waiter);
    queue.waiterCount++;
    this.#waiterCount++;
    return "waiting";
  }

  /** Stops waiting. The key stays in the queue until it is deleted. */
  leave(prefix: ByteString, key: ByteString, waiter: LockWaiter): void {
    const queue = this.#queues.get(prefix);
    if (queue?.get(key)?.waiters.delete(waiter)) this.#forget(queue, 1);
  }

  /** Takes in the changes of the command just applied and tells those concerned. */
  observe(changes: readonly KeyVersion[]): void {
    if (this.#queues.size === 0) return;
    for (const change of changes) this.#observeOne(change);
    for (const queue of this.#changed) this.#grant(queue);
    this.#changed.clear();
  }

  #observeOne(change: KeyVersion): void {
    const { key } = change;
    for (let slash = key.indexOf("/"); slash !== -1; slash = key.indexOf("/", slash + 1)) {
      const queue = this.#queues.get(key.slice(0, slash + 1) as ByteString);
      if (queue === undefined) continue;
      if (change.version === 1) queue.add(key, change.createRevision);
      else if (change.version === 0) this.#lose(queue, queue.remove(key));
    }
  }

  #lose(queue: LockQueue, contender: Contender | undefined): void {
    if (contender === undefined) return;
    this.#changed.add(queue);
    const waiters = [...contender.waiters];
    contender.waiters.clear();
    this.#forget(queue, waiters.length);
    for (const waiter of waiters) waiter.lost();
  }

  /** Tells the waiters of the oldest contender, of which there may be none. */
  #grant(queue: LockQueue): void {
    const oldest = queue.oldest;
    if (oldest === undefined || oldest.waiters.size === 0) return;
    const waiters = [...oldest.waiters];
    oldest.waiters.clear();
    this.#forget(queue, waiters.length);
    for (const waiter of waiters) waiter.granted();
  }

  #forget(queue: LockQueue, waiters: number): void {
    queue.waiterCount -= waiters;
    this.#waiterCount -= waiters;
    if (queue.waiterCount === 0) this.#queues.delete(queue.prefix);
  }

  #build(prefix: ByteString): LockQueue {
    const versions: KeyVersion[] = [];
    this.#machine.forEachLive(prefix, prefixEnd(prefix), (version) => {
      versions.push(version);
    });
    versions.sort((a, b) => a.createRevision - b.createRevision || (a.key < b.key ? -1 : 1));
    const queue = new LockQueue(prefix);
    for (const version of versions) queue.add(version.key, version.createRevision);
    this.#queues.set(prefix, queue);
    return queue;
  }

  #scanOldest(prefix: ByteString): KeyVersion | undefined {
    let oldest: KeyVersion | undefined;
    this.#machine.forEachLive(prefix, prefixEnd(prefix), (version) => {
      if (oldest === undefined || version.createRevision < oldest.createRevision) oldest = version;
    });
    return oldest;
  }
}

/** The exclusive end of a prefix that ends with "/": "0" is the byte after it. */
export function prefixEnd(prefix: ByteString): ByteString {
  return `${prefix.slice(0, -1)}0` as ByteString;
}
