/** Clearing the alarm that a full disk leaves behind: it stays until somebody says that there is room again (F6). */
import { AlarmAction, AlarmType, maintenanceService } from "@holdfast/protocol";
import type { Actor } from "./actor.js";

/** Returns whether no alarm for want of space is left. */
export async function clearSpaceAlarm(actor: Actor): Promise<boolean> {
  const { alarm } = maintenanceService.methods;
  const raised = await actor.callUnrecorded(alarm, { action: AlarmAction.GET });
  if (raised.fate !== "done") return false;
  const members = raised.response.alarms.filter((member) => member.alarm === AlarmType.NOSPACE);
  let cleared = true;
  for (const { memberId } of members) {
    const fate = await actor.callUnrecorded(alarm, {
      action: AlarmAction.DEACTIVATE,
      memberId,
      alarm: AlarmType.NOSPACE,
    });
    cleared &&= fate.fate === "done";
  }
  if (members.length > 0 && cleared) actor.scene.world.mark("space-alarm-cleared");
  return cleared;
}
