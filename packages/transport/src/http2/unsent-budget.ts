/**
 * The memory that answers may take while they wait for all peers together (F37). What one connection may hold is bound
 * by `SendFlow`; thousands of them, each within its bounds, are bound here: first they are made to hold back sooner,
 * then those go that would take longest to empty.
 *
 * A connection is ended rather than an answer refused: the answer may report a write, and "refused" would be a lie.
 */
import type { TransportCounters } from "../counters.js";
import type { Clock } from "../environment.js";
import type { TransportLimits } from "../limits.js";

/** How much a connection is taken to have sent before it is measured, so that a new one is not condemned at once. */
const PACE_GRACE_BYTES = 64 * 1024;

/** Part of the limit by which the sum must grow until it is looked at again, while nothing could be done about it. */
const CHECKS_PER_LIMIT = 64;

/** One per server or client. */
export class UnsentBudget {
  /** Bytes that wait, on all connections. */
  bytes = 0;
  readonly #accounts = new Set<UnsentAccount>();
  readonly #maxBytes: number;
  readonly #counters: TransportCounters;
  readonly #clock: Clock;
  /** The sum at which to look for connections to end. */
  #checkAtBytes: number;

  constructor(limits: TransportLimits, counters: TransportCounters, clock: Clock) {
    this.#maxBytes = limits.unsentBytesTotalMax;
    this.#counters = counters;
    this.#clock = clock;
    this.#checkAtBytes = this.#maxBytes;
  }

  /** Half of the memory is used: connections should hold back sooner than they would alone. */
  get tight(): boolean {
    return this.bytes > this.#maxBytes / 2;
  }

  /** An account for one connection. `giveUp` is called when the connection must end; what it holds no longer counts. */
  open(giveUp: () => void): UnsentAccount {
    return new UnsentAccount(this, this.#clock, giveUp);
  }

  /** Called by accounts, when what they hold has changed. */
  changed(account: UnsentAccount, byteCount: number): void {
    this.bytes += byteCount;
    if (account.bytes > 0) this.#accounts.add(account);
    else this.#accounts.delete(account);
    if (this.bytes <= this.#maxBytes) this.#checkAtBytes = this.#maxBytes;
    else if (byteCount > 0 && this.bytes > this.#checkAtBytes) this.#relieve();
  }

  /**
   * One answer is free, the largest: it may have any size (LIM-3). If the rest is too much, connections go until it is
   * not.
   */
  #relieve(): void {
    while (this.bytes - this.#largestAnswerBytes() > this.#maxBytes) this.#end(this.#slowest());
    this.#checkAtBytes = Math.max(this.#maxBytes, this.bytes) + this.#maxBytes / CHECKS_PER_LIMIT;
  }

  #end(account: UnsentAccount): void {
    this.#accounts.delete(account);
    this.bytes -= account.bytes;
    this.#counters.backlogsEnded++;
    account.end();
  }

  #largestAnswerBytes(): number {
    let largest = 0;
    for (const { bytes, answerBytes } of this.#accounts) largest = Math.max(largest, Math.min(bytes, answerBytes));
    return largest;
  }

  /** The account that would take longest to empty at its pace so far. There is one. */
  #slowest(): UnsentAccount {
    const nowMs = this.#clock.nowMs();
    let slowest: UnsentAccount | undefined;
    let slowestMs = -1;
    for (const account of this.#accounts) {
      const leftMs = account.leftMs(nowMs);
      if (leftMs <= slowestMs) continue;
      slowest = account;
      slowestMs = leftMs;
    }
    return slowest!;
  }
}

/** What one connection holds of the budget. */
export class UnsentAccount {
  /** Bytes that waited when last settled. */
  bytes = 0;
  /** The largest answer among them, as far as known. */
  answerBytes = 0;
  /** The connection must end; what it still writes is dropped. */
  ended = false;
  readonly #budget: UnsentBudget;
  readonly #clock: Clock;
  readonly #giveUp: () => void;
  /** Since when bytes have been waiting without a break, and how many had left before. */
  #sinceMs = 0;
  #sentBefore = 0;
  #sentBytes = 0;

  constructor(budget: UnsentBudget, clock: Clock, giveUp: () => void) {
    this.#budget = budget;
    this.#clock = clock;
    this.#giveUp = giveUp;
  }

  /** See `UnsentBudget.tight`. */
  get tight(): boolean {
    return this.#budget.tight;
  }

  /**
   * `bytes` wait now, `answerBytes` of them those of one answer, and `sentBytes` that had to wait have left since the
   * connection began. May call `giveUp`.
   */
  settle(bytes: number, sentBytes: number, answerBytes: number): void {
    const change = bytes - this.bytes;
    if (change === 0 || this.ended) return;
    if (this.bytes === 0) {
      this.#sinceMs = this.#clock.nowMs();
      this.#sentBefore = sentBytes;
      this.answerBytes = 0;
    }
    if (answerBytes > this.answerBytes) this.answerBytes = answerBytes;
    this.bytes = bytes;
    this.#sentBytes = sentBytes;
    this.#budget.changed(this, change);
  }

  /** How long the backlog would last at the pace since it began. */
  leftMs(nowMs: number): number {
    const waitedMs = Math.max(1, nowMs - this.#sinceMs);
    return (this.bytes * waitedMs) / (this.#sentBytes - this.#sentBefore + PACE_GRACE_BYTES);
  }

  /** Called by the budget. */
  end(): void {
    this.ended = true;
    this.bytes = 0;
    this.#giveUp();
  }
}
