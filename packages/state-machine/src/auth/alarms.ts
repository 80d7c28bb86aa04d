/**
 * The alarms that are raised, and which commands they stop (MAINT-3 to MAINT-5).
 */
import { type AlarmMember, AlarmType } from "@holdfast/protocol";
import { isReadOnlyTxn } from "../transactions.js";
import type { Command } from "../types.js";
import type { AlarmCommand, AuthRefusal } from "./auth-types.js";
import { costOf } from "./cost.js";

export class AlarmStore {
  /** By type, then by member. */
  #alarms: readonly AlarmMember[] = [];

  get isEmpty(): boolean {
    return this.#alarms.length === 0;
  }

  all(): readonly AlarmMember[] {
    return this.#alarms;
  }

  /** Raises or clears an alarm; returns the one that was touched, or none. Raising NONE does nothing. */
  apply({ action, memberId, alarm }: AlarmCommand): readonly AlarmMember[] {
    if (action === "activate") return this.#activate({ memberId, alarm });
    const cleared = this.#alarms.filter((raised) => isSame(raised, { memberId, alarm }));
    this.#alarms = this.#alarms.filter((raised) => !isSame(raised, { memberId, alarm }));
    return cleared;
  }

  /** Sets what a snapshot says: `alarms` in the order of `all`. */
  restore(alarms: readonly AlarmMember[]): void {
    this.#alarms = alarms;
  }

  /** Why a command is stopped by an alarm; CORRUPT goes before NOSPACE (MAINT-5). Lease ends are never stopped. */
  refusal(command: Command): AuthRefusal | undefined {
    if (this.isEmpty) return undefined;
    if (this.#isRaised(AlarmType.CORRUPT) && touchesData(command)) return "corrupt";
    return this.#isRaised(AlarmType.NOSPACE) && costOf(command) > 0 ? "no-space" : undefined;
  }

  #activate(alarm: AlarmMember): readonly AlarmMember[] {
    if (alarm.alarm === AlarmType.NONE) return [];
    if (!this.#alarms.some((raised) => isSame(raised, alarm)))
      this.#alarms = [...this.#alarms, alarm].sort(compareAlarms);
    return [alarm];
  }

  #isRaised(type: AlarmType): boolean {
    return this.#alarms.some(({ alarm }) => alarm === type);
  }
}

function isSame(left: AlarmMember, right: AlarmMember): boolean {
  return left.memberId === right.memberId && left.alarm === right.alarm;
}

/** The order of `AlarmStore.all`. */
export function compareAlarms(left: AlarmMember, right: AlarmMember): number {
  if (left.alarm !== right.alarm) return left.alarm - right.alarm;
  return left.memberId < right.memberId ? -1 : left.memberId > right.memberId ? 1 : 0;
}

/** Whether a command is one of those that a corrupt store must not carry out. */
function touchesData(command: Command): boolean {
  switch (command.kind) {
    case "put":
    case "deleteRange":
    case "compact":
    case "leaseGrant":
    case "leaseRevoke":
      return true;
    case "txn":
      return !isReadOnlyTxn(command.request);
    default:
      return false;
  }
}
