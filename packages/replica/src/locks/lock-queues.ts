/**
 * Who is the oldest under each prefix, and who waits to become it.
 *
 * A derived index over ordinary keys, kept for prefixes on which somebody waits and for a few large ones besides.
 * `observe` is fed every change in the turn in which it was applied: whoever deletes the holder's key, by Unlock, revoke,
 * expiry or a plain delete, exactly one contender becomes the oldest and its waiters are told in that same turn; a
 * contender whose own key is deleted is told that it has lost. Whether a key may be created, and what a grant means,
 * belongs to the services.
 */
import type { ByteString } from "@holdfast/protocol";
import type { Command, KeyVersion, Outcome, StateMachine } from "@holdfast/state-machine";
import type { Environment } from "../environment.js";
import type { ReplicaLimits } from "../limits.js";
import { LockMeter } from "./lock-meter.js";
import { type Contender, LockQueue, type LockWaiter } from "./lock-queue.js";
import { prefixEnd } from "./prefix-end.js";
import { fillQueue } from "./queue-filling.js";

/** A queue of at least so many keys is kept for a while when its last waiter has gone. */
const largeQueue = 64;
/** How many large queues are kept without a waiter. */
const idleQueuesMax = 64;

/** What became of a request to wait. `waiting` lasts until a waiter's method is called or `leave`. */
export type WaitResult = "held" | "lost" | "waiting";

/** Up to so many queues are tried one by one with each key, which costs less than cutting it. */
const queuesTriedMax = 4;

/** Up to here every slash of a key is looked at; a key with more must not cost a look for each (I12). */
const slashesMax = 16;

export class LockQueues {
  /** What is measured of them. */
  readonly meter: LockMeter;
  readonly #machine: StateMachine;
  readonly #environment: Environment;
  readonly #fillingKeys: number;
  readonly #queues = new Map<ByteString, LockQueue>();
  /** How many queues have a prefix of each length. */
  readonly #prefixLengths = new Map<number, number>();
  readonly #changed = new Set<LockQueue>();
  /** Large queues on which nobody waits, the longest idle first. */
  readonly #idle = new Set<LockQueue>();
  #waiterCount = 0;

  constructor(machine: StateMachine, environment: Environment, limits: ReplicaLimits) {
    this.#machine = machine;
    this.#environment = environment;
    this.#fillingKeys = limits.lockFillingKeys;
    // Waits and holds are measured with the clock; nothing is decided by it.
    this.meter = new LockMeter(machine, environment);
  }

  /** Calls that wait, over all prefixes. */
  get waiterCount(): number {
    return this.#waiterCount;
  }

  /** The oldest live key under `prefix` now, or undefined if there is none. With very many keys this is a long turn. */
  oldest(prefix: ByteString): KeyVersion | undefined {
    const queue = this.#queue(prefix);
    while (queue.filling !== undefined) this.#fill(queue);
    const { oldest } = queue;
    this.#letGo(queue);
    return oldest === undefined ? undefined : this.#machine.get(oldest.key);
  }

  /** Tells `then` the oldest live key under `prefix`: now, or when very many keys have been put in order, as it is then. */
  askOldest(prefix: ByteString, then: (oldest: KeyVersion | undefined) => void): void {
    const queue = this.#queue(prefix);
    if (queue.filling === undefined) {
      then(this.oldest(prefix));
      return;
    }
    queue.askers.push(then);
    this.#idle.delete(queue);
  }

  /**
   * Waits until `key`, in the life that began at `createRevision`, is the oldest under `prefix`.
   * Answers at once when it already is (unless there are very many keys, which must be put in order first), or when that
   * life has ended.
   */
  wait(prefix: ByteString, key: ByteString, createRevision: number, waiter: LockWaiter): WaitResult {
    if (this.#machine.createRevision(key) !== createRevision) return "lost";
    if (this.#isAlone(prefix, key)) return "held";
    const queue = this.#queue(prefix);
    const isFilling = queue.filling !== undefined;
    const contender = queue.get(key) ?? (isFilling ? queue.reserve(key, createRevision) : undefined);
    if (contender === undefined) throw new Error("lock queue does not hold a live key under its prefix");
    if (!isFilling && contender === queue.oldest) {
      this.#letGo(queue);
      return "held";
    }
    contender.waiters ??= new Set();
    contender.waiters.add(waiter);
    queue.waiterCount++;
    this.#waiterCount++;
    this.#idle.delete(queue);
    return "waiting";
  }

  /** Stops waiting. The key stays in the queue until it is deleted. */
  leave(prefix: ByteString, key: ByteString, waiter: LockWaiter): void {
    const queue = this.#queues.get(prefix);
    if (queue?.get(key)?.waiters?.delete(waiter)) this.#forget(queue, 1);
  }

  /** Takes in the changes of the command just applied, which had this outcome, and tells those concerned. */
  observe(changes: readonly KeyVersion[], command: Command, outcome: Outcome): void {
    this.meter.observe(changes, command, outcome);
    if (this.#queues.size === 0) return;
    for (const change of changes) this.#observeOne(change);
    if (this.#changed.size === 0) return;
    for (const queue of this.#changed) this.#grant(queue);
    this.#changed.clear();
  }

  #observeOne(change: KeyVersion): void {
    const { key, version } = change;
    // Neither made nor deleted.
    if (version > 1) return;
    if (this.#queues.size <= queuesTriedMax) {
      for (const [prefix, queue] of this.#queues) if (key.startsWith(prefix)) this.#observeIn(queue, change);
      return;
    }
    let slashes = 0;
    for (let slash = key.indexOf("/"); slash !== -1; slash = key.indexOf("/", slash + 1)) {
      if (slashes++ === slashesMax) {
        this.#observeDeep(change, slash);
        return;
      }
      this.#observeUnder(change, slash + 1);
    }
  }

  /** The rest of a key with very many slashes, after `done` characters: only lengths that some prefix has are tried. */
  #observeDeep(change: KeyVersion, done: number): void {
    for (const length of this.#prefixLengths.keys()) if (length > done) this.#observeUnder(change, length);
  }

  /** Takes the change in where it belongs, if there is a queue for the first `length` characters of its key. */
  #observeUnder(change: KeyVersion, length: number): void {
    const queue = this.#queues.get(change.key.slice(0, length) as ByteString);
    if (queue !== undefined) this.#observeIn(queue, change);
  }

  #observeIn(queue: LockQueue, { key, version, createRevision }: KeyVersion): void {
    if (version === 1) queue.add(key, createRevision);
    else if (version === 0) this.#lose(queue, queue.remove(key));
  }

  #lose(queue: LockQueue, contender: Contender | undefined): void {
    if (contender === undefined) return;
    // Only the oldest key leaves its place to another.
    if (queue.filling === undefined && contender.older === undefined) this.#changed.add(queue);
    const waiters = [...(contender.waiters ?? [])];
    contender.waiters = undefined;
    this.#forget(queue, waiters.length);
    for (const waiter of waiters) waiter.lost();
  }

  /** The oldest key of a queue has gone: tells the waiters of the next one, of which there may be none. */
  #grant(queue: LockQueue): void {
    const { oldest } = queue;
    if (oldest?.waiters !== undefined && oldest.waiters.size > 0) this.#tellHolders(queue, oldest);
  }

  #tellHolders(queue: LockQueue, oldest: Contender): void {
    const waiters = [...(oldest.waiters ?? [])];
    oldest.waiters = undefined;
    this.#forget(queue, waiters.length);
    for (const waiter of waiters) waiter.granted();
  }

  #forget(queue: LockQueue, waiters: number): void {
    queue.waiterCount -= waiters;
    this.#waiterCount -= waiters;
    this.#letGo(queue);
  }

  /**
   * Forgets a queue on which nobody waits. Large ones are kept for a while: their keys are then read once and not again
   * for every caller that comes and goes.
   */
  #letGo(queue: LockQueue): void {
    if (queue.waiterCount > 0 || queue.askers.length > 0) return;
    if (queue.filling === undefined && queue.size < largeQueue) {
      this.#drop(queue);
      return;
    }
    this.#idle.delete(queue);
    this.#idle.add(queue);
    const [longestIdle] = this.#idle;
    if (this.#idle.size > idleQueuesMax && longestIdle !== undefined) this.#drop(longestIdle);
  }

  #drop(queue: LockQueue): void {
    this.#idle.delete(queue);
    if (!this.#queues.delete(queue.prefix)) return;
    const { length } = queue.prefix;
    const left = (this.#prefixLengths.get(length) ?? 0) - 1;
    if (left > 0) this.#prefixLengths.set(length, left);
    else this.#prefixLengths.delete(length);
  }

  /** Whether `key` is the only living one under the prefix, and so the oldest: then no queue need be made to see that. */
  #isAlone(prefix: ByteString, key: ByteString): boolean {
    if (this.#queues.size > 0 && this.#queues.has(prefix)) return false;
    const isOneOfMany = this.#machine.hasLiveLike(key, prefix.length);
    return !(isOneOfMany ?? this.#machine.countLive(prefix, prefixEnd(prefix)) > 1);
  }

  /** The queue of a prefix, made from its living keys if there is none yet. */
  #queue(prefix: ByteString): LockQueue {
    return this.#queues.get(prefix) ?? this.#make(prefix);
  }

  #make(prefix: ByteString): LockQueue {
    const queue = new LockQueue(prefix);
    queue.filling = fillQueue(this.#machine, queue, this.#fillingKeys);
    this.#queues.set(prefix, queue);
    this.#prefixLengths.set(prefix.length, (this.#prefixLengths.get(prefix.length) ?? 0) + 1);
    this.#fill(queue);
    if (queue.filling !== undefined) this.#fillLater(queue);
    return queue;
  }

  #fillLater(queue: LockQueue): void {
    this.#environment.defer(() => {
      // It may have been dropped, or filled for somebody in a hurry.
      if (this.#queues.get(queue.prefix) !== queue || queue.filling === undefined) return;
      this.#fill(queue);
      if (queue.filling !== undefined) this.#fillLater(queue);
    });
  }

  /** Takes one more piece of the keys in; after the last one tells those who wait for that. */
  #fill(queue: LockQueue): void {
    if (queue.filling?.next().done !== true) return;
    queue.filling = undefined;
    const { oldest, prefix } = queue;
    if (queue.waiterCount > 0 && oldest !== undefined) this.#tellHolders(queue, oldest);
    for (const then of queue.askers.splice(0)) then(this.oldest(prefix));
  }
}
