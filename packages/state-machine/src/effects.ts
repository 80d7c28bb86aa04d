/**
 * Whether a command that adds nothing to the store would change anything: for whoever has little room left for commands, and
 * keeps it for those that free something (fault-model F6). Looks only; what happens is decided by `apply`.
 */
import { AlarmType, type DeleteRangeRequest } from "@holdfast/protocol";
import type { AlarmStore } from "./auth/alarms.js";
import type { AuthStore } from "./auth/auth-store.js";
import type { AlarmCommand, AuthCommand } from "./auth/auth-types.js";
import { rootRole, rootUser } from "./auth/names.js";
import { withoutPermission } from "./auth/permissions.js";
import { isSingleKey, upperBound } from "./key-interval.js";
import { type KeySpace, newest } from "./key-space.js";
import type { LeaseTable } from "./leases.js";
import { type ChosenTxn, chooseTxn, txnRefusal } from "./transactions.js";
import type { Command } from "./types.js";

/** Nothing that is put or granted counts: it is not asked for commands that do. */
export function hasEffect(
  keys: KeySpace,
  leases: LeaseTable,
  auth: AuthStore,
  alarms: AlarmStore,
  command: Command,
): boolean {
  switch (command.kind) {
    case "put":
    case "leaseGrant":
      return false;
    case "deleteRange":
      return deletesAny(keys, command.request);
    case "txn": {
      const chosen = chooseTxn(keys, command.request);
      return chosen !== undefined && txnRefusal(keys, leases, chosen) === undefined && txnDeletesAny(keys, chosen);
    }
    case "compact":
      return command.revision > keys.compactRevision && command.revision <= keys.revision;
    case "leaseRevoke":
      return leases.find(command.leaseId) !== undefined;
    case "leaseExpire":
      return leases.find(command.leaseId)?.grantNumber === command.grantNumber;
    case "alarm":
      return changesAlarms(alarms, command);
    default:
      return takesFromAuth(auth, command);
  }
}

function deletesAny(keys: KeySpace, { key, rangeEnd }: DeleteRangeRequest): boolean {
  if (isSingleKey(rangeEnd)) return keys.live(key) !== undefined;
  return keys.countAt(key, upperBound(rangeEnd), newest) > 0;
}

function txnDeletesAny(keys: KeySpace, { operations, nested }: ChosenTxn): boolean {
  return (
    operations.some(({ requestDeleteRange: one }) => one !== undefined && deletesAny(keys, one)) ||
    nested.some((chosen) => txnDeletesAny(keys, chosen))
  );
}

function changesAlarms(alarms: AlarmStore, { action, memberId, alarm }: AlarmCommand): boolean {
  if (alarm === AlarmType.NONE) return false;
  const isRaised = alarms.all().some((raised) => raised.memberId === memberId && raised.alarm === alarm);
  return isRaised === (action === "deactivate");
}

/** What gives users and roles something takes room, if only a little. */
function takesFromAuth(auth: AuthStore, command: AuthCommand): boolean {
  switch (command.kind) {
    case "authEnable":
      return !auth.enabled && auth.user(rootUser)?.roles.includes(rootRole) === true;
    case "authDisable":
      return auth.enabled;
    case "userDelete":
      return auth.user(command.name) !== undefined;
    case "userRevokeRole":
      return auth.user(command.userName)?.roles.includes(command.roleName) === true;
    case "roleDelete":
      return auth.role(command.name) !== undefined;
    case "roleRevokePermission": {
      const permissions = auth.role(command.roleName)?.permissions ?? [];
      return withoutPermission(permissions, command.key, command.rangeEnd) !== undefined;
    }
    default:
      return false;
  }
}
