/** What the alarm for want of space stops (MAINT-4): everything that could make the store grow, until it is cleared. */
import { AlarmType, type RequestOp } from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import type { ModelAlarm, Store } from "./store.js";

type AlarmCommand = Extract<Command, { kind: "alarm" }>;

/** MAINT-3. Raising no alarm in particular does nothing. */
export function withAlarm(store: Store, { action, memberId, alarm }: AlarmCommand): Store {
  const others = store.alarms.filter((raised) => raised.memberId !== memberId || raised.alarm !== alarm);
  const isRaised = action === "activate" && alarm !== AlarmType.NONE;
  const alarms: readonly ModelAlarm[] = isRaised ? [...others, { memberId, alarm }] : others;
  return { ...store, alarms };
}

/** Whether the command is refused for the alarm. */
export function isStopped({ alarms }: Store, command: Command): boolean {
  return alarms.some(({ alarm }) => alarm === AlarmType.NOSPACE) && mayGrow(command);
}

function mayGrow(command: Command): boolean {
  if (command.kind !== "txn") return command.kind === "put" || command.kind === "leaseGrant";
  return hasPut([...command.request.success, ...command.request.failure]);
}

/** On either path, however deep. */
function hasPut(operations: readonly RequestOp[]): boolean {
  return operations.some(({ requestPut, requestTxn }) => {
    if (requestTxn !== undefined) return hasPut([...requestTxn.success, ...requestTxn.failure]);
    return requestPut !== undefined;
  });
}
