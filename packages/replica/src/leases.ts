/**
 * The living side of leases: renewals, remaining time, and proposing the end of those that are due.
 *
 * Owned by the replica that owns the log. It never ends a lease by itself: on a tick that came in
 * time it proposes `leaseExpire`, and the lease dies when that entry is applied. Renewals are not logged.
 */
import type { Command, LeaseChange, LeaseRecord } from "@holdfast/state-machine";
import type { Environment } from "./environment.js";
import { LeaseClock } from "./lease-clock.js";
import { LeaseDeadlines, type LeaseTimer } from "./lease-deadlines.js";
import type { ReplicaLimits } from "./limits.js";
import { LeaseMeter } from "./metrics/lease-meter.js";

/** What is left of a lease. */
export interface LeaseTime {
  readonly ttlSeconds: number;
  /** Until the deadline; negative when the end is late. */
  readonly remainingMs: number;
}

/** What became of a proposed end. After `unknown` it may be in the log or not: the log has failed, and nothing follows. */
export type EndFate = "applied" | "refused" | "unknown";

export interface LeasesOptions {
  readonly environment: Environment;
  readonly limits: ReplicaLimits;
  /** How many keys end with a lease. */
  readonly keysOf: (leaseId: bigint) => number;
  /** Proposes a lease's end; `done` is called once, when it is known or will never be known what became of it. */
  readonly expire: (command: Command, done: (fate: EndFate) => void) => void;
}

export class Leases {
  readonly #options: LeasesOptions;
  readonly #clock: LeaseClock;
  readonly #deadlines: LeaseDeadlines;
  /** Renewals that came after the end was proposed; they wait for its outcome (LEASE-20). */
  readonly #waitingForEnd = new Map<bigint, Array<(ttlSeconds: number) => void>>();
  /** Up to which reading of the clock leases are being ended. */
  #endingMs = 0;
  #isEnding = false;
  #stop: (() => void) | undefined;
  /** Ticks that came too late to end a lease, for the metrics (F13). */
  lateTicks = 0;
  readonly meter = new LeaseMeter();

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#clock = new LeaseClock(() => options.environment.nowMs(), options.limits.leaseTickMs);
    this.#deadlines = new LeaseDeadlines(options.limits.leaseTickMs);
  }

  /**
   * Gives every lease its full TTL and starts the clock: after a start, a takeover (LEASE-39). A TTL below
   * `ttlMinSeconds` is raised to that (LEASE-40).
   */
  start(leases: Iterable<LeaseRecord>, ttlMinSeconds = 0): void {
    const clockMs = this.#clock.read();
    for (const { leaseId, grantNumber, ttlSeconds } of leases) {
      this.#deadlines.start({ leaseId, grantNumber, ttlSeconds: Math.max(ttlSeconds, ttlMinSeconds) }, clockMs);
    }
    this.#stop = this.#options.environment.every(this.#options.limits.leaseTickMs, () => this.#tick());
  }

  stop(): void {
    this.#stop?.();
  }

  /** Takes in what the command just applied did to leases. */
  observe(changes: readonly LeaseChange[]): void {
    for (const change of changes) {
      if (change.kind === "granted") {
        this.meter.countGrant(change.lease.ttlSeconds);
        this.#deadlines.start(change.lease, this.#clock.read());
      } else this.meter.countEnd(this.#deadlines.end(change.leaseId, change.grantNumber));
    }
  }

  /**
   * Renews a lease for its full TTL and answers that TTL in seconds; 0 if there is no such lease. A
   * lease whose end has been proposed, or is about to be, is answered when that is decided, never revived (I7).
   */
  renew(leaseId: bigint, done: (ttlSeconds: number) => void): void {
    const ttlSeconds = this.renewAtOnce(leaseId);
    if (ttlSeconds === undefined) this.#awaitEnd(leaseId, done);
    else done(ttlSeconds);
  }

  /** As `renew`, for what can be answered now: undefined, and nothing is done, for a lease whose end is not yet decided. */
  renewAtOnce(leaseId: bigint): number | undefined {
    const timer = this.#deadlines.get(leaseId);
    if (timer === undefined) return 0;
    if (timer.ending || (this.#isEnding && timer.deadlineMs < this.#endingMs)) return undefined;
    const clockMs = this.#clock.read();
    this.meter.countRenewal(timer.ttlSeconds, timer.deadlineMs - clockMs);
    this.#deadlines.renew(timer, clockMs);
    return timer.ttlSeconds;
  }

  /** What is left of a lease, or undefined if there is none. */
  time(leaseId: bigint): LeaseTime | undefined {
    const timer = this.#deadlines.get(leaseId);
    if (timer === undefined) return undefined;
    return { ttlSeconds: timer.ttlSeconds, remainingMs: timer.deadlineMs - this.#clock.read() };
  }

  /** The ids of all leases, the soonest to expire first (LEASE-30). */
  bySoonest(): bigint[] {
    return this.#deadlines.bySoonest().map((timer) => timer.leaseId);
  }

  #awaitEnd(leaseId: bigint, done: (ttlSeconds: number) => void): void {
    const waiting = this.#waitingForEnd.get(leaseId);
    if (waiting === undefined) this.#waitingForEnd.set(leaseId, [done]);
    else waiting.push(done);
  }

  #tick(): void {
    if (!this.#clock.tick()) {
      this.lateTicks++;
      return;
    }
    // Not from within the tick: renewals that have already arrived are read first. What becomes due after it waits for
    // the next tick, which notices a stall in between (F13).
    const clockMs = this.#clock.read();
    this.#options.environment.defer(() => this.#endDue(clockMs));
  }

  #endDue(clockMs: number): void {
    this.#endingMs = clockMs;
    if (!this.#isEnding) this.#nextSlice();
  }

  /**
   * Proposes the end of some leases; the next slice follows when these are applied, between other work. Those whose turn is
   * still to come are not renewed meanwhile.
   */
  #nextSlice(): void {
    const slice = this.#takeSlice();
    this.#isEnding = slice.length > 0 || !this.#deadlines.isExhausted(this.#endingMs);
    if (slice.length > 0) this.#proposeEnds(slice);
    else if (this.#isEnding) this.#options.environment.defer(() => this.#nextSlice());
  }

  #takeSlice(): LeaseTimer[] {
    const { expirySlice, expiryKeys, expiryLooks } = this.#options.limits;
    const slice: LeaseTimer[] = [];
    let keys = 0;
    this.#deadlines.takeDue(this.#endingMs, expiryLooks, (timer) => {
      slice.push(timer);
      keys += this.#options.keysOf(timer.leaseId);
      return slice.length < expirySlice && keys < expiryKeys;
    });
    return slice;
  }

  #proposeEnds(slice: readonly LeaseTimer[]): void {
    let open = slice.length;
    for (const timer of slice) {
      const { leaseId, grantNumber } = timer;
      this.#options.expire({ kind: "leaseExpire", leaseId, grantNumber }, (fate) => {
        if (fate === "refused") this.#deadlines.retry(timer, this.#clock.read());
        // Of an unknown fate nobody is told anything: those who wait hear that the server stops (I7).
        if (fate !== "unknown") this.#ended(leaseId);
        if (--open === 0) this.#options.environment.defer(() => this.#nextSlice());
      });
    }
  }

  #ended(leaseId: bigint): void {
    const waiting = this.#waitingForEnd.get(leaseId);
    if (waiting === undefined) return;
    this.#waitingForEnd.delete(leaseId);
    for (const done of waiting) this.renew(leaseId, done);
  }
}
