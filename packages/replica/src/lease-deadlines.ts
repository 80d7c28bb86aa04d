/**
 * When each lease is due: a timing wheel that the owner of the log moves by hand.
 *
 * The state machine knows leases but no time; this table knows times but ends nothing. It names the
 * leases that are due, the replica proposes their end, and the log decides. Renewing only raises a
 * number: the lease stays in the bucket it lies in and is moved on when that bucket comes up, so a
 * renewal costs the same with a million leases as with one.
 */
import { IdTable, type LeaseRecord } from "@holdfast/state-machine";

/** What there is to know of a lease here. */
export type Grant = Pick<LeaseRecord, "leaseId" | "grantNumber" | "ttlSeconds">;

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
  /** Its place in there. */
  at: number;
}

/**
 * In no order. A `Set` in its place takes a hash of each timer, and moves all of them at once when it grows. Links from one timer to
 * the next take the collector of garbage a quarter more time than a `Set` does.
 */
type Bucket = LeaseTimer[];

export class LeaseDeadlines {
  readonly #bucketMs: number;
  readonly #timers = new IdTable<LeaseTimer>();
  readonly #buckets = new Map<number, Bucket>();
  #nextBucket = 0;
  /** The bucket before `#nextBucket`, and how many of it were looked at. */
  #opened: Bucket = [];
  #looked = 0;

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
  start({ leaseId, grantNumber, ttlSeconds }: Grant, clockMs: number): void {
    const deadlineMs = clockMs + ttlSeconds * 1000;
    const timer: LeaseTimer = { leaseId, grantNumber, ttlSeconds, deadlineMs, ending: false, bucket: 0, at: 0 };
    const known = this.#timers.find(leaseId);
    if (known !== undefined) this.end(leaseId, known.grantNumber);
    this.#timers.add(leaseId, timer);
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
    this.#takeOut(timer);
    return timer.ending;
  }

  /**
   * Calls `visit` with leases due at `clockMs` until it returns false or `looksMax` were looked at: the next call goes on with
   * what is left (`isExhausted`). Each is named once; it is marked as ending.
   */
  takeDue(clockMs: number, looksMax: number, visit: (timer: LeaseTimer) => boolean): void {
    for (let looks = 0; looks < looksMax; looks++) {
      const timer = this.#opened[this.#looked++];
      if (timer === undefined) {
        if (!this.#openBucket(clockMs)) return;
      } else if (this.#isDue(timer, clockMs)) {
        timer.ending = true;
        if (!visit(timer)) return;
      }
    }
  }

  /** Whether every lease that may be due at `clockMs` was looked at. */
  isExhausted(clockMs: number): boolean {
    return this.#looked >= this.#opened.length && this.#nextBucket > this.#lastBucket(clockMs);
  }

  /** All living leases, the soonest to expire first (LEASE-30). */
  bySoonest(): LeaseTimer[] {
    return [...this.#timers.values()].sort((a, b) => a.deadlineMs - b.deadlineMs || a.grantNumber - b.grantNumber);
  }

  /** Begins with the next bucket that has come up; false if there is none. */
  #openBucket(clockMs: number): boolean {
    this.#opened = [];
    this.#looked = 0;
    if (this.#nextBucket > this.#lastBucket(clockMs)) return false;
    const bucket = this.#buckets.get(this.#nextBucket);
    this.#buckets.delete(this.#nextBucket);
    if (bucket !== undefined) this.#opened = bucket;
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
    timer.at = bucket?.length ?? 0;
    if (bucket === undefined) this.#buckets.set(timer.bucket, [timer]);
    else bucket.push(timer);
  }

  /** Takes a timer out of the bucket in which it waits; one that has come up is passed over when it is looked at. */
  #takeOut(timer: LeaseTimer): void {
    const bucket = this.#buckets.get(timer.bucket);
    const last = bucket?.pop();
    if (bucket === undefined || last === undefined) return;
    if (last !== timer) {
      bucket[timer.at] = last;
      last.at = timer.at;
    }
    if (bucket.length === 0) this.#buckets.delete(timer.bucket);
  }
}
