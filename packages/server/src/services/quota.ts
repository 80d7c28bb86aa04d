/**
 * The quota: what costs space is refused before it is logged once the store would grow to it, and the NOSPACE alarm is
 * raised, which then stays until somebody clears it (MAINT-4, MAINT-6). A log without room raises it as well (fault-model F6). Users and roles may take a little more than that, so
 * that a full store can still be administered, as in etcd, where they are not held against the quota at all.
 *
 * The bounds on leases, see `LeaseBounds`, are asked here as well, because they stand at the same doors.
 */
import { AlarmType, etcdErrors } from "@holdfast/protocol";
import type { Replica } from "@holdfast/replica";
import { type Command, costOf, growthOf } from "@holdfast/state-machine";
import type { ServerCall, Status } from "@holdfast/transport";
import { authReserveBytes } from "../limits.js";
import type { LeaseBounds } from "./lease-bounds.js";
import type { LimitHits } from "./limit-hits.js";
import { statusOf } from "./status.js";

/** etcd's default. */
export const quotaBytesDefault = 2 * 1024 * 1024 * 1024;

export interface QuotaParts {
  readonly replica: Replica;
  readonly memberId: bigint;
  readonly bounds: LeaseBounds;
  readonly hits: LimitHits;
}

export class Quota {
  /** As asked for; 0 or less is no bound. */
  readonly bytes: number;
  readonly #replica: Replica;
  readonly #memberId: bigint;
  readonly #bounds: LeaseBounds;
  readonly #hits: LimitHits;
  /** Who waits for the alarm that is on its way. */
  readonly #waiting: (() => void)[] = [];

  constructor({ replica, memberId, bounds, hits }: QuotaParts, bytes: number = quotaBytesDefault) {
    this.#replica = replica;
    this.#memberId = memberId;
    this.#bounds = bounds;
    this.#hits = hits;
    this.bytes = bytes;
    replica.beforeFullIsTold = (refuse) => this.#raise(refuse);
  }

  /** Ends the call if there is no room for `command`, see `endIfRefused`. True if there is none. */
  refuses(call: ServerCall, command: Command): boolean {
    return this.endIfRefused(command, (status) => call.end(status));
  }

  /**
   * Calls `end` with the status of a refusal if there is no room for `command`; true if there is none. That is no space,
   * once the alarm is raised, if it would bring the store to the quota.
   *
   * What waits for the log counts in, or one burst would run far past the quota. But it may yet be refused for another
   * reason, and must not raise an alarm that stays: where there is too little room only because of it, the answer is too many
   * requests, which asks the client to come again. etcd counts nothing that waits, and never refuses for want of space
   * without the alarm.
   */
  endIfRefused(command: Command, end: (status: Status) => void): boolean {
    if (this.#hasRoomFor(command)) return this.#endIfBound(command, end);
    if (this.#isFullFor(command, 0)) this.#raise(() => end(statusOf(etcdErrors.noSpace)));
    else end(statusOf(etcdErrors.requestTooManyRequests));
    return true;
  }

  /** Too many leases, or keys of one: the call may come again when there are fewer. */
  #endIfBound(command: Command, end: (status: Status) => void): boolean {
    const bound = this.#bounds.reachedBy(command);
    if (bound === undefined) return false;
    this.#hits.count(bound);
    end(statusOf(etcdErrors.requestTooManyRequests));
    return true;
  }

  #hasRoomFor(command: Command): boolean {
    return !this.#isFullFor(command, this.#replica.waitingBytes);
  }

  /** Whether `command` would bring the store, grown by `waitingBytes`, to what it may take. */
  #isFullFor(command: Command, waitingBytes: number): boolean {
    if (this.bytes <= 0) return false;
    const growth = growthOf(command);
    if (growth === 0) return false;
    // Changes of users and roles cost nothing but this growth.
    const bytesMax = costOf(command) === 0 ? this.bytes + authReserveBytes : this.bytes;
    return this.#replica.machine.approximateBytes + waitingBytes + growth >= bytesMax;
  }

  /**
   * Raises NOSPACE, once, however many requests find the store full meanwhile, and then calls `done`: who is refused for
   * want of space finds the alarm. Where the log takes no more, there is none to wait for.
   */
  #raise(done: () => void): void {
    if (this.#replica.machine.alarms().some(({ alarm }) => alarm === AlarmType.NOSPACE)) {
      done();
      return;
    }
    this.#waiting.push(done);
    if (this.#waiting.length > 1) return;
    const raised = (): void => {
      for (const tell of this.#waiting.splice(0)) tell();
    };
    const alarm = { kind: "alarm", action: "activate", memberId: this.#memberId, alarm: AlarmType.NOSPACE } as const;
    this.#replica.proposeInternal(alarm, { settled: raised, failed: raised });
  }
}
