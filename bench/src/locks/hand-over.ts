/**
 * One lock that many wait for: whoever holds it unlocks at once and queues again, so that the number of waiters stays the
 * same and the lock goes from hand to hand as fast as the server passes it on.
 *
 * Of every hand-over it is checked that nobody was told that he holds the lock at a revision before the one that took it
 * from his predecessor; of the first ones of every round, that they go in the order of the queue; and of every round,
 * that it made two revisions for each hand-over and left every caller in the queue.
 *
 * The history is never compacted: on etcd that can end a waiter's call (LOCK-19).
 */
import { kvService, lockService, SortOrder, SortTarget } from "@holdfast/protocol";
import { callOnce } from "../driver/calls.js";
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import { Latencies } from "../latencies.js";
import type { Connections } from "../load/connections.js";
import { grantLeases, lastingTtlSeconds } from "../load/leases.js";
import type { RoundDone } from "../load/round-done.js";
import { type Look, lookAt, rangeOfPrefix } from "../load/store.js";
import { encodeLock, encodeUnlock, lockKey, lockPath, unlockPath } from "./lock-keys.js";

/** Of the queue's front; reading all of it would take etcd as long as a round. */
const orderChecked = 1000;
const withinMs = 60_000;
/** etcd refuses what comes faster than it applies it, and a long queue takes it long to join. */
const joiningAtOnce = 200;
const lookEveryMs = 20;

export class HandOver {
  readonly #connections: Connections;
  readonly #prefix: string;
  readonly #callers: readonly Caller[];
  #latencies = new Latencies();
  /** Who was told last that he holds the lock; he keeps it while no round runs. */
  #holder: Caller | undefined;
  #holderKnown: () => void = () => {};
  #stopAtMs = 0;
  #unlockedAtMs = 0;
  #handOvers = 0;
  #lastMs = 0;
  /** The keys whose turn comes next, as far as it is known. */
  #expected: readonly string[] = [];
  /** By number of hand-over: when the holder was told, and when the one before lost it; until both are known. */
  readonly #toldAt = new Map<number, number>();
  readonly #takenAt = new Map<number, number>();

  private constructor(connections: Connections, name: string, leases: readonly bigint[]) {
    this.#connections = connections;
    this.#prefix = `${name}/`;
    this.#callers = leases.map((lease, number) => new Caller(this, connections.at(number), name, lease));
  }

  /** Queues one holder and so many waiters on the lock `name`. */
  static async prepare(connections: Connections, name: string, waiters: number): Promise<HandOver> {
    const leases = await grantLeases(connections, waiters + 1, lastingTtlSeconds);
    const handOver = new HandOver(connections, name, leases);
    for (let from = 0; from < leases.length; from += joiningAtOnce) {
      for (const caller of handOver.#callers.slice(from, from + joiningAtOnce)) caller.lock();
      await handOver.#untilQueued(Math.min(from + joiningAtOnce, leases.length));
    }
    return handOver;
  }

  /**
   * Passes the lock on for so long; rejects when that, or what it did to the store, is not as it must be. Durations are from
   * Unlock to the next holder's answer.
   */
  async run(seconds: number): Promise<RoundDone> {
    const before = await this.#untilQueued(this.#callers.length);
    this.#expected = await this.#readOrder();
    this.#latencies = new Latencies();
    this.#handOvers = 0;
    const stopped = this.#nextHolder();
    const startMs = performance.now();
    this.#stopAtMs = startMs + seconds * 1000;
    this.#release(startMs);
    await this.#connections.during("the last hand-over", seconds * 1000 + withinMs, stopped);
    const done = { operations: this.#handOvers, seconds: (this.#lastMs - startMs) / 1000, latencies: this.#latencies };
    await this.#check(before);
    return done;
  }

  /** A caller holds the lock, told at this revision. */
  locked(caller: Caller, revision: number): void {
    const nowMs = performance.now();
    if (this.#holder !== undefined) throw new Error("two callers hold the lock");
    this.#holder = caller;
    this.#lastMs = nowMs;
    if (this.#stopAtMs > 0) this.#handedOver(caller, revision, nowMs);
    if (nowMs < this.#stopAtMs) this.#release(nowMs);
    else this.#holderKnown();
  }

  #handedOver(caller: Caller, revision: number, nowMs: number): void {
    this.#handOvers += 1;
    caller.turn = this.#handOvers;
    this.#latencies.add(nowMs - this.#unlockedAtMs);
    const expected = this.#expected[this.#handOvers];
    if (expected !== undefined && expected !== caller.key) throw new Error(`${caller.key} overtook ${expected}`);
    this.#toldAt.set(this.#handOvers, revision);
    this.#checkExclusion(this.#handOvers);
  }

  /** The caller whose turn was this one has lost the lock at this revision. */
  unlocked(turn: number, revision: number): void {
    this.#takenAt.set(turn + 1, revision);
    this.#checkExclusion(turn + 1);
  }

  #nextHolder(): Promise<void> {
    return new Promise((resolve) => {
      this.#holderKnown = resolve;
    });
  }

  #release(nowMs: number): void {
    const holder = this.#holder;
    if (holder === undefined) throw new Error("nobody holds the lock");
    this.#holder = undefined;
    this.#unlockedAtMs = nowMs;
    holder.unlock();
  }

  #checkExclusion(turn: number): void {
    const told = this.#toldAt.get(turn);
    const taken = this.#takenAt.get(turn);
    if (told === undefined || taken === undefined) return;
    if (told < taken) throw new Error(`a caller held the lock at ${told}, the one before him until ${taken}`);
    this.#toldAt.delete(turn);
    this.#takenAt.delete(turn);
  }

  async #check(before: Look): Promise<void> {
    const after = await this.#untilQueued(this.#callers.length);
    const revisions = after.revision - before.revision;
    if (revisions !== 2 * this.#handOvers) throw new Error(`${this.#handOvers} hand-overs made ${revisions} revisions`);
    if (this.#toldAt.size > 0) throw new Error(`${this.#toldAt.size} hand-overs without an Unlock`);
    this.#holder!.turn = 0;
  }

  /** Waits until so many keys stand in the queue; asks again and again, since nobody tells. */
  async #untilQueued(callers: number): Promise<Look> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const look = await lookAt(this.#connections, this.#prefix);
      if (look.keys === callers) return look;
      if (performance.now() > deadlineMs) throw new Error(`${look.keys} callers are queued, not ${callers}`);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  /** The keys at the front of the queue, the holder's first. */
  async #readOrder(): Promise<string[]> {
    const { range } = kvService.methods;
    const request = range.request.create({
      ...rangeOfPrefix(this.#prefix),
      limit: orderChecked,
      sortOrder: SortOrder.ASCEND,
      sortTarget: SortTarget.CREATE,
      keysOnly: true,
    });
    const answer = callOnce(this.#connections.at(0), range, request);
    const { kvs } = await this.#connections.during("reading the queue", withinMs, answer);
    if (kvs[0]?.key !== this.#holder?.key) throw new Error("the holder is not the first of the queue");
    return kvs.map(({ key }) => key);
  }
}

/** One caller: waits, holds, unlocks, waits again. */
class Caller implements CallListener {
  readonly key: string;
  /** The number of the hand-over that made him the holder; 0 for the one with whom a round begins. */
  turn = 0;
  readonly #handOver: HandOver;
  readonly #connection: DriverConnection;
  readonly #lock: Uint8Array;
  readonly #unlock: Uint8Array;
  #isLocking = false;
  /** Of the last answer. */
  #revision = 0;

  constructor(handOver: HandOver, connection: DriverConnection, name: string, lease: bigint) {
    this.key = lockKey(name, lease);
    this.#handOver = handOver;
    this.#connection = connection;
    this.#lock = encodeLock(name, lease);
    this.#unlock = encodeUnlock(name, lease);
  }

  lock(): void {
    this.#isLocking = true;
    this.#connection.unary(lockPath, this.#lock, this);
  }

  unlock(): void {
    this.#isLocking = false;
    this.#connection.unary(unlockPath, this.#unlock, this);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    const method = this.#isLocking ? lockService.methods.lock : lockService.methods.unlock;
    const answer = method.response.decode(chunk, from, to);
    this.#revision = answer.header?.revision ?? 0;
    if ("key" in answer && answer.key !== this.key) throw new Error(`Lock answered ${answer.key}, not ${this.key}`);
  }

  end(): void {
    if (this.#isLocking) {
      this.#handOver.locked(this, this.#revision);
      return;
    }
    this.#handOver.unlocked(this.turn, this.#revision);
    this.lock();
  }
}
