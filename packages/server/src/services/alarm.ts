/**
 * Maintenance.Alarm: lists, raises and clears alarms (MAINT-3). The alarms are part of the state: they outlive a restart,
 * and while one is raised the state machine refuses what it stops (MAINT-4, MAINT-5).
 */
import {
  AlarmAction,
  type AlarmMember,
  type AlarmRequest,
  AlarmType,
  encodeSharedAlarmResponse,
  StatusCode,
} from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { refuseToken } from "../access/access.js";
import type { ServiceContext } from "./context.js";
import { CallProposer, refuse } from "./method.js";

export function alarm(request: AlarmRequest, call: ServerCall, context: ServiceContext): void {
  switch (request.action) {
    case AlarmAction.GET:
      list(request.alarm, call, context);
      return;
    case AlarmAction.ACTIVATE:
    case AlarmAction.DEACTIVATE:
      change(request, call, context);
      return;
    default:
      call.end({ code: StatusCode.invalidArgument, message: "no such alarm action" });
  }
}

/** Listing NONE lists all. */
function list(type: AlarmType, call: ServerCall, context: ServiceContext): void {
  const raised = context.replica.machine.alarms();
  const alarms = type === AlarmType.NONE ? raised : raised.filter(({ alarm }) => alarm === type);
  call.reply(encodeSharedAlarmResponse({ header: context.headerNow(), alarms }));
}

function change({ action, alarm, memberId }: AlarmRequest, call: ServerCall, context: ServiceContext): void {
  const caller = context.access.identify(call);
  if (refuseToken(call, caller)) return;
  const command: Command = {
    kind: "alarm",
    action: action === AlarmAction.ACTIVATE ? "activate" : "deactivate",
    memberId,
    alarm,
  };
  if (refuse(call, context.access.earlyRefusal(command, caller))) return;
  const proposer = new CallProposer<"alarm">(call, ({ alarms }) =>
    encodeSharedAlarmResponse({ header: context.headerNow(), alarms }),
  );
  context.replica.propose(command, proposer, caller);
}

/** An alarm as Status tells it among its errors (MAINT-2). */
export function alarmText({ memberId, alarm }: AlarmMember): string {
  const name = alarmName(alarm);
  return memberId === 0n ? `alarm:${name}` : `memberID:${memberId} alarm:${name}`;
}

/** The name of a kind of alarm, or its number if it has none. */
export function alarmName(alarm: AlarmType): string {
  return Object.entries(AlarmType).find(([, value]) => value === alarm)?.[0] ?? String(alarm);
}
