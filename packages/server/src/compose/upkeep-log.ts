/** Log lines for what an operator wants to know of afterwards: alarms raised and cleared, compactions, failed logins. */
import type { AlarmMember } from "@holdfast/protocol";
import type { Command, Outcome } from "@holdfast/state-machine";
import type { Logger } from "../logger.js";
import { defaultNetLimits } from "../net/limits.js";
import { ThrottledLog } from "../net/throttled-log.js";
import { alarmName } from "../services/alarm.js";
import type { ServiceContext } from "../services/context.js";

export function logUpkeep(logger: Logger, command: Command, outcome: Outcome): void {
  if (command.kind === "compact" && outcome.kind === "compact") {
    logger.info({ revision: command.revision }, "compacted");
  } else if (command.kind === "alarm" && outcome.kind === "alarm") {
    for (const alarm of outcome.alarms) logAlarm(logger, command.action, alarm);
  }
}

/** Once in a while, with the number of those in between: anybody can fail to log in. */
export function logFailedLogins(context: ServiceContext, logger: Logger): void {
  const nowMs = (): number => context.environment.nowMs();
  const log = new ThrottledLog(logger, nowMs, defaultNetLimits.repeatedLogIntervalMs);
  context.onLoginFailed = (address) => log.warn({ address }, "a login failed");
}

function logAlarm(logger: Logger, action: "activate" | "deactivate", { alarm, memberId }: AlarmMember): void {
  const line = { alarm: alarmName(alarm), memberId: memberId.toString(16) };
  if (action === "activate") logger.warn(line, "alarm raised; it stays until it is disarmed");
  else logger.info(line, "alarm disarmed");
}
