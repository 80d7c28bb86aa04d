/**
 * The quota: what costs space is refused before it is logged once the store would grow to it, and the NOSPACE alarm is
 * raised, which then stays until somebody clears it (MAINT-4, MAINT-6).
 */
import { AlarmType, etcdErrors } from "@holdfast/protocol";
import type { Replica } from "@holdfast/replica";
import { type Command, costOf } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { statusOf } from "./status.js";

/** etcd's default. */
export const quotaBytesDefault = 2 * 1024 * 1024 * 1024;

export class Quota {
  /** As asked for; 0 or less is no bound. */
  readonly bytes: number;
  readonly #replica: Replica;
  readonly #memberId: bigint;
  #raising = false;

  constructor(replica: Replica, memberId: bigint, bytes: number = quotaBytesDefault) {
    this.#replica = replica;
    this.#memberId = memberId;
    this.bytes = bytes;
  }

  /** True, and NOSPACE is raised, if `command` would bring the store to the quota. What waits for the log counts in. */
  isExceededBy(command: Command): boolean {
    if (this.bytes <= 0) return false;
    const cost = costOf(command);
    if (cost === 0) return false;
    const { machine, waitingBytes } = this.#replica;
    if (machine.approximateBytes + waitingBytes + cost < this.bytes) return false;
    this.#raise();
    return true;
  }

  /** Ends the call if `command` would bring the store to the quota. True if it did. */
  refuses(call: ServerCall, command: Command): boolean {
    if (!this.isExceededBy(command)) return false;
    call.end(statusOf(etcdErrors.noSpace));
    return true;
  }

  /** Once, however many requests find the store full while the alarm is on its way. */
  #raise(): void {
    const isRaised = this.#replica.machine.alarms().some(({ alarm }) => alarm === AlarmType.NOSPACE);
    if (isRaised || this.#raising) return;
    this.#raising = true;
    const done = (): void => {
      this.#raising = false;
    };
    const alarm = { kind: "alarm", action: "activate", memberId: this.#memberId, alarm: AlarmType.NOSPACE } as const;
    this.#replica.proposeInternal(alarm, { settled: done, failed: done });
  }
}
