/** Whether a command that adds nothing changes anything (fault-model F6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AlarmType, createTxnRequest, PermissionType, type RequestOp } from "@holdfast/protocol";
import { AuthDriver, grantOf } from "./testing/auth-builders.js";
import { deleteOp, deleteRequest, key, rangeOp, txnOp } from "./testing/builders.js";
import type { Command } from "./types.js";

function remove(from: string, rangeEnd = ""): Command {
  return { kind: "deleteRange", request: deleteRequest({ key: from, rangeEnd }) };
}

function txn(...success: RequestOp[]): Command {
  return { kind: "txn", request: createTxnRequest({ success }) };
}

function alarm(action: "activate" | "deactivate", type: number): Command {
  return { kind: "alarm", action, memberId: 1n, alarm: type };
}

/** Keys "a" and "b", of which "b" is of lease 1; user "ann" with role "role", which may read "k"; an alarm without a name. */
function filled(): AuthDriver {
  const driver = new AuthDriver();
  driver.grant(1n);
  driver.put("a");
  driver.put("b", "", { lease: 1n });
  driver.admin({ kind: "userAdd", name: "ann", passwordHash: "", noPassword: true });
  driver.admin({ kind: "roleAdd", name: "role" });
  driver.admin({ kind: "userGrantRole", userName: "ann", roleName: "role" });
  driver.admin(grantOf("role", PermissionType.READ, key("k"), key("")));
  driver.admin(alarm("activate", 9));
  return driver;
}

function has(command: Command): boolean {
  return filled().machine.hasEffect(command, undefined);
}

test("F6: what deletes, ends, revokes or compacts something has an effect", () => {
  const commands: Command[] = [
    remove("a"),
    remove("a", "c"),
    txn(rangeOp({ key: "a" }), deleteOp({ key: "b" })),
    txn(txnOp({ success: [deleteOp({ key: "a" })] })),
    { kind: "leaseRevoke", leaseId: 1n },
    { kind: "leaseExpire", leaseId: 1n, grantNumber: 1 },
    { kind: "compact", revision: 2 },
    alarm("activate", AlarmType.NOSPACE),
    alarm("deactivate", 9),
    { kind: "userDelete", name: "ann" },
    { kind: "userRevokeRole", userName: "ann", roleName: "role" },
    { kind: "roleDelete", name: "role" },
    { kind: "roleRevokePermission", roleName: "role", key: key("k"), rangeEnd: key("") },
  ];
  for (const command of commands) assert.equal(has(command), true, JSON.stringify(command, String));
});

test("F6: what finds nothing to change has none", () => {
  const commands: Command[] = [
    remove("0"),
    remove("c", "d"),
    txn(rangeOp({ key: "a" })),
    txn(deleteOp({ key: "c" }), txnOp({ success: [deleteOp({ key: "d" })], failure: [deleteOp({ key: "a" })] })),
    txn(deleteOp({ key: "a" }), rangeOp({ key: "a", revision: 99 })),
    { kind: "leaseRevoke", leaseId: 2n },
    { kind: "leaseExpire", leaseId: 1n, grantNumber: 99 },
    { kind: "compact", revision: 99 },
    { kind: "compact", revision: -1 },
    alarm("activate", 9),
    alarm("activate", AlarmType.NONE),
    alarm("deactivate", AlarmType.NOSPACE),
    { kind: "authEnable" },
    { kind: "authDisable" },
    { kind: "userDelete", name: "bob" },
    { kind: "userRevokeRole", userName: "ann", roleName: "other" },
    { kind: "roleDelete", name: "other" },
    { kind: "roleRevokePermission", roleName: "role", key: key("l"), rangeEnd: key("") },
  ];
  for (const command of commands) assert.equal(has(command), false, JSON.stringify(command, String));
});

test("F6, I13: what the caller may not do has no effect", () => {
  const driver = filled();
  driver.admin({ kind: "userAdd", name: "root", passwordHash: "", noPassword: true });
  driver.admin({ kind: "userGrantRole", userName: "root", roleName: "root" });
  assert.equal(driver.machine.hasEffect({ kind: "authEnable" }, undefined), true);
  driver.admin({ kind: "authEnable" });
  const as = (userName: string) => ({ userName, authRevision: driver.machine.auth.revision });
  assert.equal(driver.machine.hasEffect(remove("a"), as("ann")), false);
  assert.equal(driver.machine.hasEffect(remove("a"), as("root")), true);
});
