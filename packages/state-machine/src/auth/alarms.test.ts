/**
 * Alarms, and what commands cost.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AlarmType, createTxnRequest, PermissionType, type RequestOp, type TxnRequest } from "@holdfast/protocol";
import { AuthDriver, grantOf, secured } from "../testing/auth-builders.js";
import { deleteOp, deleteRequest, key, putOp, putRequest, rangeOp, txnOp } from "../testing/builders.js";
import type { Command } from "../types.js";
import { systemCaller } from "./auth-types.js";
import { costOf, growthOf } from "./cost.js";

const { NOSPACE, CORRUPT, NONE } = AlarmType;

function alarm(action: "activate" | "deactivate", type: number, memberId = 1n): Command {
  return { kind: "alarm", action, memberId, alarm: type };
}

function txn(success: RequestOp[], failure: RequestOp[] = []): Command {
  return { kind: "txn", request: createTxnRequest({ success, failure }) };
}

const put: Command = { kind: "put", request: putRequest({ key: "a" }) };
const remove: Command = { kind: "deleteRange", request: deleteRequest({ key: "a" }) };
const grant: Command = { kind: "leaseGrant", leaseId: 9n, ttlSeconds: 60 };
const revoke: Command = { kind: "leaseRevoke", leaseId: 1n };
const compact: Command = { kind: "compact", revision: 2 };
const readOnly = txn([rangeOp({ key: "a" })]);
const deleting = txn([deleteOp({ key: "a" })]);

/** A machine with a lease, two revisions, and an alarm raised. */
function alarmed(...types: readonly number[]): AuthDriver {
  const driver = new AuthDriver();
  driver.grant(1n);
  driver.put("k", "", { lease: 1n });
  driver.put("k2");
  for (const type of types) driver.admin(alarm("activate", type));
  return driver;
}

test("MAINT-3: raising and clearing answer the alarm touched, and others stay", () => {
  const driver = new AuthDriver();
  const touched = (command: Command) => {
    const outcome = driver.machine.apply(command);
    assert.ok(outcome.kind === "alarm");
    return outcome.alarms;
  };
  assert.deepEqual(touched(alarm("activate", NONE, 5n)), []);
  assert.deepEqual(touched(alarm("deactivate", NOSPACE, 5n)), []);
  const raised = [{ memberId: 5n, alarm: NOSPACE }];
  assert.deepEqual(touched(alarm("activate", NOSPACE, 5n)), raised);
  assert.deepEqual(touched(alarm("activate", NOSPACE, 5n)), raised);
  touched(alarm("activate", CORRUPT, 0n));
  touched(alarm("activate", NOSPACE, 0n));
  const all = [{ memberId: 0n, alarm: NOSPACE }, ...raised, { memberId: 0n, alarm: CORRUPT }];
  assert.deepEqual(driver.machine.alarms(), all);
  assert.deepEqual(touched(alarm("deactivate", NONE, 0n)), []);
  assert.deepEqual(touched(alarm("deactivate", NOSPACE, 5n)), raised);
  assert.deepEqual(driver.machine.alarms(), [all[0], all[2]]);
});

test("MAINT-4, LEASE-8: NOSPACE stops what stores more, in either branch and however nested, and nothing else", () => {
  const stopped: Command[] = [
    put,
    grant,
    { ...grant, leaseId: 1n },
    txn([putOp({ key: "a" })]),
    txn([], [putOp({ key: "a" })]),
    txn([txnOp({ failure: [txnOp({ success: [putOp({ key: "a" })] })] })]),
  ];
  for (const command of stopped) assert.equal(alarmed(NOSPACE).try(command), "no-space");
  for (const command of [remove, deleting, readOnly, compact, revoke])
    assert.equal(alarmed(NOSPACE).try(command), "ok");
  const driver = alarmed(NOSPACE);
  driver.admin(remove);
  assert.equal(driver.try(put), "no-space");
  driver.admin(alarm("activate", NOSPACE, 2n));
  driver.admin(alarm("deactivate", NOSPACE));
  assert.equal(driver.try(put), "no-space");
  driver.admin(alarm("deactivate", NOSPACE, 2n));
  assert.equal(driver.try(put), "ok");
});

test("MAINT-5: CORRUPT stops every change but lease ends, and goes before NOSPACE", () => {
  const nestedRead = txn([txnOp({ success: [rangeOp({ key: "a" })] })]);
  for (const types of [[CORRUPT], [NOSPACE, CORRUPT]]) {
    const stopped: readonly Command[] = [
      put,
      remove,
      deleting,
      nestedRead,
      compact,
      grant,
      revoke,
      { ...revoke, leaseId: 99n },
    ];
    for (const command of stopped) assert.equal(alarmed(...types).try(command), "corrupt");
    assert.equal(alarmed(...types).try(readOnly), "ok");
    assert.equal(alarmed(...types).try({ kind: "userAdd", name: "u", passwordHash: "", noPassword: true }), "ok");
    const driver = alarmed(...types);
    const { grantNumber } = driver.machine.lease(1n)!;
    const outcome = driver.machine.apply({ kind: "leaseExpire", leaseId: 1n, grantNumber });
    assert.deepEqual(outcome, { kind: "leaseExpire", ended: true });
    assert.equal(driver.value("k"), undefined);
  }
});

test("MAINT-3: an alarm without a name stops nothing", () => {
  for (const command of [put, remove, compact, grant, revoke]) assert.equal(alarmed(9).try(command), "ok");
});

test("ORD-1: CORRUPT, NOSPACE, permissions, state", () => {
  const command: Command = { kind: "put", request: putRequest({ key: "a", lease: 99n }) };
  const driver = secured();
  driver.admin(alarm("activate", NOSPACE));
  driver.admin(alarm("activate", CORRUPT));
  assert.equal(driver.try(command), "corrupt");
  driver.admin(alarm("deactivate", CORRUPT));
  assert.equal(driver.try(command), "no-space");
  driver.admin(alarm("deactivate", NOSPACE));
  assert.equal(driver.try(command), "user-empty");
  assert.equal(driver.try(command, "writer"), "lease-not-found");
});

test("MAINT-4: the server itself cannot put under NOSPACE either", () => {
  assert.deepEqual(alarmed(NOSPACE).machine.apply(put, systemCaller), { kind: "refused", refusal: "no-space" });
});

test("MAINT-6: what commands cost", () => {
  const three = putOp({ key: "a", value: "xy" });
  const costs: [Command, number][] = [
    [{ kind: "put", request: putRequest({ key: "ab", value: "xyz" }) }, 261],
    [grant, 64],
    [txn([three, three], [three]), 518],
    [txn([three], [three, three, deleteOp({ key: "a" }), rangeOp({ key: "a" })]), 518],
    [txn([txnOp({ success: [three], failure: [three, three] }), three]), 777],
  ];
  for (const [command, cost] of costs) assert.equal(costOf(command), cost);
  for (const command of [remove, deleting, readOnly, compact, revoke, alarm("activate", 1)]) {
    assert.equal(costOf(command), 0);
  }
});

test("MAINT-6, MAINT-4: what adds to users and roles grows the store, and costs nothing under NOSPACE", () => {
  const grantA = grantOf("role", PermissionType.READ, key("abc"), key("de"));
  const growths: [Command, number][] = [
    [{ kind: "userAdd", name: "ann", passwordHash: "hash", noPassword: false }, 71],
    [{ kind: "userChangePassword", name: "ann", passwordHash: "hash" }, 4],
    [{ kind: "userGrantRole", userName: "ann", roleName: "role" }, 4],
    [{ kind: "roleAdd", name: "role" }, 68],
    [grantA, 69],
    [{ kind: "roleGrantPermission", roleName: "role", permission: undefined }, 0],
    [{ kind: "roleDelete", name: "role" }, 0],
  ];
  for (const [command, growth] of growths) {
    assert.equal(growthOf(command), growth, command.kind);
    assert.equal(costOf(command), 0);
  }
  for (const command of [put, grant, remove, compact]) assert.equal(growthOf(command), costOf(command));
});

test("F10: reckoning the cost of a transaction nested out of all reason comes to an end", () => {
  let request: TxnRequest = createTxnRequest({ success: [putOp({ key: "a" })] });
  for (let level = 0; level < 100_000; level++) request = createTxnRequest({ success: [txnOp(request)] });
  assert.equal(costOf({ kind: "txn", request }), 0);
});
