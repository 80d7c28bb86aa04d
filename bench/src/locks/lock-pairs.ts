/**
 * Callers that lock and unlock, each its own lock under its own lease: one pair after the other, no pause. What happened is
 * exact afterwards: two revisions for each pair, and no key left.
 */
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import { ClosedLoop } from "../load/closed-loop.js";
import type { Connections } from "../load/connections.js";
import { grantLeases, lastingTtlSeconds } from "../load/leases.js";
import type { RoundDone } from "../load/round-done.js";
import { dropHistory, lookAt } from "../load/store.js";
import { checkLockAnswer, encodeLock, encodeUnlock, lockKey, lockPath, unlockPath } from "./lock-keys.js";

const namePrefix = "pairs/";
/** One answer of so many is decoded and looked at in full. */
const sampleEvery = 100;

export class LockPairs {
  readonly #connections: Connections;
  readonly #loop: ClosedLoop;
  readonly #callers: readonly Caller[];

  private constructor(connections: Connections, leases: readonly bigint[]) {
    this.#connections = connections;
    this.#loop = new ClosedLoop(connections, "pairs");
    this.#callers = leases.map((lease, number) => new Caller(this.#loop, connections.at(number), number, lease));
  }

  /** Grants the leases of so many callers. */
  static async prepare(connections: Connections, callers: number): Promise<LockPairs> {
    return new LockPairs(connections, await grantLeases(connections, callers, lastingTtlSeconds));
  }

  /** Lets every caller work for so long, and then finish its pair. Durations are from Lock to the answer of Unlock. */
  run(seconds: number): Promise<RoundDone> {
    return this.#loop.run(seconds, this.#callers.length, (nowMs) => {
      for (const caller of this.#callers) caller.lock(nowMs);
    });
  }

  /**
   * Makes sure that `work`, with so many pairs as operations, did to the store exactly what they should; then drops the
   * history.
   */
  async checked<Done extends { readonly operations: number }>(work: () => Promise<Done>): Promise<Done> {
    const before = await lookAt(this.#connections, namePrefix);
    const done = await work();
    const after = await lookAt(this.#connections, namePrefix);
    if (after.keys !== 0) throw new Error(`${after.keys} locks are left after the last Unlock`);
    const revisions = after.revision - before.revision;
    if (revisions !== 2 * done.operations) throw new Error(`${done.operations} pairs made ${revisions} revisions`);
    await dropHistory(this.#connections, after.revision);
    return done;
  }
}

class Caller implements CallListener {
  readonly #loop: ClosedLoop;
  readonly #connection: DriverConnection;
  readonly #key: string;
  readonly #lock: Uint8Array;
  readonly #unlock: Uint8Array;
  #isLocking = false;
  #startMs = 0;
  #untilSample: number;

  constructor(loop: ClosedLoop, connection: DriverConnection, number: number, lease: bigint) {
    const name = `${namePrefix}${number}`;
    this.#loop = loop;
    this.#connection = connection;
    this.#key = lockKey(name, lease);
    this.#lock = encodeLock(name, lease);
    this.#unlock = encodeUnlock(name, lease);
    this.#untilSample = number % sampleEvery;
  }

  lock(nowMs: number): void {
    this.#isLocking = true;
    this.#startMs = nowMs;
    this.#connection.unary(lockPath, this.#lock, this);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    if (!this.#isLocking || this.#untilSample-- > 0) return;
    this.#untilSample = sampleEvery - 1;
    checkLockAnswer(chunk, from, to, this.#key);
  }

  end(): void {
    if (this.#isLocking) {
      this.#isLocking = false;
      this.#connection.unary(unlockPath, this.#unlock, this);
      return;
    }
    const nowMs = performance.now();
    if (this.#loop.done(this.#startMs, nowMs)) this.lock(nowMs);
  }
}
