/**
 * When each lease is due: a timing wheel that the owner of the log moves by hand.
 *
 * The state machine knows leases but no time; this table knows times but ends nothing. It names the
 * leases that are due, the replica proposes their end, and the log decides. Renewing only raises a
 * number: the lease stays in the bucket it lies in and is moved on when that bucket comes up, so a
 * renewal costs the same with a million leases as with one.
 */
import { IdTable, type LeaseRecord } from "@holdfast/state-machine";

/** One lease's place in time. */
export interface LeaseTimer {
  readonly leaseId: bigint;
  readonly grantNumber: number;
  readonly ttlSeconds: number;
  /** Lease-clock reading at which the lease is due. Only ever raised while the lease lives. */
  deadlineMs: number;
  /** Set once the lease's end has been proposed: from then on it can no longer be renewed (I7). */
  ending: boolean;
  /** Where in the wheel it lies. */
  bucket: number;
}

const noTimers: Iterator<LeaseTimer> = { next: () => ({ done: true, value: undefined }) };

export class LeaseDeadlines {
  readonly #bucketMs: number;
  readonly #timers = new IdTable<LeaseTimer>();
  readonly #buckets = new Map<number, Set<LeaseTimer>>();
  #nextBucket = 0;
  /** What is left to look at of the bucket before `#nextBucket`. */
  #bucketLeft: Iterator<LeaseTimer> = noTimers;

  /** `bucketMs` is the wheel's resolution: leases come due up to this much late, never early. */
  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
  }

  get size(): number {
    return this.#timers.size;
  }

  get(leaseId: bigint): LeaseTimer | undefined {
    return this.#timers.find(leaseId);
  }

  /** Starts (or restarts, after a takeover) a lease at its full TTL. */
  start(lease: LeaseRecord, clockMs: number): void {
    const timer: LeaseTimer = {
      leaseId: lease.leaseId,
      grantNumber: lease.grantNumber,
      ttlSeconds: lease.ttlSeconds,
      deadlineMs: clockMs + lease.ttlSeconds * 1000,
      ending: false,
      bucket: 0,
    };
    const known = this.#timers.find(lease.leaseId);
    if (known !== undefined) this.end(known.leaseId, known.grantNumber);
    this.#timers.add(lease.leaseId, timer);
    this.#place(timer);
  }

  /** Gives a living lease its full TTL from now. Deadlines only move forward (F22). */
  renew(timer: LeaseTimer, clockMs: number): void {
    timer.deadlineMs = Math.max(timer.deadlineMs, clockMs + timer.ttlSeconds * 1000);
  }

  /** The end of a due lease was refused (a full disk): it is named again at the next tick. */
  retry(timer: LeaseTimer, clockMs: number): void {
    if (this.#timers.find(timer.leaseId) !== timer) return;
    timer.ending = false;
    timer.deadlineMs = Math.max(timer.deadlineMs, clockMs);
    this.#place(timer);
  }

  /** Forgets a lease that has ended. A newer grant of the same id is left alone. Returns whether its time had passed. */
  end(leaseId: bigint, grantNumber: number): boolean {
    const timer = this.#timers.find(leaseId);
    if (timer?.grantNumber !== grantNumber) return false;
    this.#timers.delete(leaseId);
    const bucket = this.#buckets.get(timer.bucket);
    bucket?.delete(timer);
    if (bucket?.size === 0) this.#buckets.delete(timer.bucket);
    return timer.ending;
  }

  /**
   * Calls `visit` with leases due at `clockMs` until it returns false or `looksMax` were looked at: the next call goes on with
   * what is left (`isExhausted`). Each is named once; it is marked as ending.
   */
  takeDue(clockMs: number, looksMax: number, visit: (timer: LeaseTimer) => boolean): void {
    for (let looks = 0; looks < looksMax; looks++) {
      const next = this.#bucketLeft.next();
      if (next.done === true) {
        if (!this.#openBucket(clockMs)) return;
      } else if (this.#isDue(next.value, clockMs)) {
        next.value.ending = true;
        if (!visit(next.value)) return;
      }
    }
  }

  /** Whether every lease that may be due at `clockMs` was looked at. */
  isExhausted(clockMs: number): boolean {
    return this.#bucketLeft === noTimers && this.#nextBucket > this.#lastBucket(clockMs);
  }

  /** All living leases, the soonest to expire first (LEASE-30). */
  bySoonest(): LeaseTimer[] {
    return [...this.#timers.values()].sort((a, b) => a.deadlineMs - b.deadlineMs || a.grantNumber - b.grantNumber);
  }

  /** Begins with the next bucket that has come up; false if there is none. */
  #openBucket(clockMs: number): boolean {
    this.#bucketLeft = noTimers;
    if (this.#nextBucket > this.#lastBucket(clockMs)) return false;
    const bucket = this.#buckets.get(this.#nextBucket);
    this.#buckets.delete(this.#nextBucket);
    if (bucket !== undefined) this.#bucketLeft = bucket.values();
    this.#nextBucket += 1;
    return true;
  }

  #lastBucket(clockMs: number): number {
    return Math.floor(clockMs / this.#bucketMs);
  }

  /** Whether a timer of the bucket that has come up is due; one that was renewed is moved on. */
  #isDue(timer: LeaseTimer, clockMs: number): boolean {
    if (this.#timers.find(timer.leaseId) !== timer) return false;
    if (timer.deadlineMs > clockMs) this.#place(timer);
    return timer.deadlineMs <= clockMs;
  }

  /** Puts a timer where it is looked at no earlier than its deadline. */
  #place(timer: LeaseTimer): void {
    timer.bucket = Math.max(Math.ceil(timer.deadlineMs / this.#bucketMs), this.#nextBucket);
    const bucket = this.#buckets.get(timer.bucket);
    if (bucket === undefined) this.#buckets.set(timer.bucket, new Set([timer]));
    else bucket.add(timer);
  }
}
