/**
 * What is measured of locks: who holds one since when, and how waits and holds ended.
 *
 * A name is counted once somebody has asked for it through Lock or Campaign: keys that other programs made for
 * themselves under the same name (Go's `concurrency.Mutex`) count from then on, as long as somebody waits. Names
 * never used that way are ordinary keys. What the numbers are called outside is left to the server.
 */
import type { ByteString, RequestOp, ResponseOp } from "@holdfast/protocol";
import type { Command, Outcome } from "@holdfast/state-machine";
import { Histogram, risingBounds } from "../metrics/histogram.js";

/** Why a key left its queue. `unlocked` is the key deleted by itself, by name: how a lock is given back. */
export type KeyEnd = "unlocked" | "lease_expired" | "lease_revoked" | "key_deleted";

/** Why a hold was lost. */
export type HoldLoss = Exclude<KeyEnd, "unlocked">;

/** Why a wait ended without the lock: its key went, by whomever deleted it, or its caller. */
export type WaitLoss = HoldLoss | "client_gone";

export class LockMeter {
  /** From joining the queue to holding the lock; those who found it free included. */
  readonly waitSeconds = new Histogram(risingBounds(0.001, 4, 11));
  /** From being granted the lock to the end of its key, however it ended. */
  readonly holdSeconds = new Histogram(risingBounds(0.001, 4, 13));
  readonly holdLosses: Record<HoldLoss, number> = { lease_expired: 0, lease_revoked: 0, key_deleted: 0 };
  readonly waitLosses: Record<WaitLoss, number> = {
    client_gone: 0,
    lease_expired: 0,
    lease_revoked: 0,
    key_deleted: 0,
  };
  /** Times that a waiting contender was given the lock in the turn in which the one before it went. */
  handOvers = 0;
  readonly #nowMs: () => number;
  /** Since when a key is the oldest under its name; undefined when that was before anyone looked. */
  readonly #holds = new Map<ByteString, number | undefined>();
  #command: Command | undefined;
  #outcome: Outcome | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Names that are held now. */
  get heldCount(): number {
    return this.#holds.size;
  }

  /** The command whose changes are told next: it says why a key went. */
  applied(command: Command, outcome: Outcome): void {
    this.#command = command;
    this.#outcome = outcome;
  }

  /** The key is the oldest under its name: since just now, or since nobody knows when. Told again, it changes nothing. */
  held(key: ByteString, sinceNow: boolean): void {
    if (!this.#holds.has(key)) this.#holds.set(key, sinceNow ? this.#nowMs() : undefined);
  }

  /** A caller begins to wait. Returns what `granted` wants to know of it. */
  joined(): number {
    return this.#nowMs();
  }

  /** A caller that joined at `joinedMs` holds the lock. */
  granted(joinedMs: number): void {
    this.waitSeconds.observe((this.#nowMs() - joinedMs) / 1_000);
  }

  /** A caller stopped waiting before its key went. */
  left(): void {
    this.waitLosses.client_gone++;
  }

  /** So many callers waited on a key that was deleted. */
  lost(key: ByteString, callers: number): void {
    if (callers === 0) return;
    const end = this.#endOf(key);
    this.waitLosses[end === "unlocked" ? "key_deleted" : end] += callers;
  }

  /** A key was deleted, of a lock or not. */
  deleted(key: ByteString): void {
    const sinceMs = this.#holds.get(key);
    if (!this.#holds.delete(key)) return;
    if (sinceMs !== undefined) this.holdSeconds.observe((this.#nowMs() - sinceMs) / 1_000);
    const end = this.#endOf(key);
    if (end !== "unlocked") this.holdLosses[end]++;
  }

  #endOf(key: ByteString): KeyEnd {
    if (this.#command === undefined || this.#outcome === undefined) return "key_deleted";
    return keyEnd(this.#command, this.#outcome, key);
  }
}

/** Why `command`, which had this outcome, deleted `key`. */
function keyEnd(command: Command, outcome: Outcome, key: ByteString): KeyEnd {
  switch (command.kind) {
    case "leaseExpire":
      return "lease_expired";
    case "leaseRevoke":
      return "lease_revoked";
    case "deleteRange":
      return command.request.rangeEnd === "" ? "unlocked" : "key_deleted";
    case "txn": {
      const { request } = command;
      const done = outcome.kind === "txn" && outcome.response.succeeded ? request.success : request.failure;
      return outcome.kind === "txn" && deletesByName(done, outcome.response.responses, key)
        ? "unlocked"
        : "key_deleted";
    }
    default:
      return "key_deleted";
  }
}

/** Whether one of the operations, whose answers tell which branches were taken, deletes exactly `key`. */
function deletesByName(operations: readonly RequestOp[], answers: readonly ResponseOp[], key: ByteString): boolean {
  return operations.some(({ requestDeleteRange, requestTxn }, at) => {
    if (requestDeleteRange !== undefined) return requestDeleteRange.key === key && requestDeleteRange.rangeEnd === "";
    const inner = answers[at]?.responseTxn;
    if (requestTxn === undefined || inner === undefined) return false;
    return deletesByName(inner.succeeded ? requestTxn.success : requestTxn.failure, inner.responses, key);
  });
}
