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
  /** Who waits for the alarm that is on its way. */
  readonly #waiting: (() => void)[] = [];

  constructor(replica: Replica, memberId: bigint, bytes: number = quotaBytesDefault) {
    this.#replica = replica;
    this.#memberId = memberId;
    this.bytes = bytes;
  }

  /** True if `command` would bring the store to the quota; `raise` must follow. What waits for the log counts in. */
  isExceededBy(command: Command): boolean {
    if (this.bytes <= 0) return false;
    const cost = costOf(command);
    if (cost === 0) return false;
    const { machine, waitingBytes } = this.#replica;
    return machine.approximateBytes + waitingBytes + cost >= this.bytes;
  }

  /** Ends the call, once the alarm is raised, if `command` would bring the store to the quota. True if it will. */
  refuses(call: ServerCall, command: Command): boolean {
    if (!this.isExceededBy(command)) return false;
    this.raise(() => call.end(statusOf(etcdErrors.noSpace)));
    return true;
  }

  /**
   * Raises NOSPACE, once, however many requests find the store full meanwhile, and then calls `done`: who is refused for
   * want of space finds the alarm. Where the log takes no more, there is none to wait for.
   */
  raise(done: () => void): void {
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
