/**
 * Every command and every action that there is, asked for by everybody that there is: a kind without a row here does
 * not compile.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTxnRequest } from "@holdfast/protocol";
import { secured } from "../testing/auth-builders.js";
import { deleteRequest, key, putOp, putRequest, rangeOp, rangeRequest } from "../testing/builders.js";
import type { Command } from "../types.js";
import type { Action } from "./action.js";
import { systemCaller } from "./auth-types.js";

/** Those who ask, in the order of the columns below; "ghost" is no user (any more). */
const askers = [undefined, "ghost", "roleless", "reader", "writer", "root"] as const;

type Verdicts = readonly [string, string, string, string, string, string];

const denied = "permission-denied";

const readers: Verdicts = ["user-empty", denied, denied, "ok", denied, "ok"];
const writers: Verdicts = ["user-empty", denied, denied, denied, "ok", "ok"];
const anyUser: Verdicts = ["user-empty", denied, "ok", "ok", "ok", "ok"];
const rootOnly: Verdicts = ["user-empty", "user-not-found", denied, denied, denied, "ok"];
const readerAndRoot: Verdicts = ["user-empty", "user-not-found", denied, "ok", denied, "ok"];

type Row<Asked extends { readonly kind: string }> = {
  readonly [Kind in Asked["kind"]]: readonly [Extract<Asked, { readonly kind: Kind }>, Verdicts];
};

const put = createTxnRequest({ success: [putOp({ key: "a" })] });
const read = createTxnRequest({ success: [rangeOp({ key: "a" })] });
const permission = { permType: 0, key: key("a"), rangeEnd: key("") };
const interval = { key: key("a"), rangeEnd: key("c") };

const commands: Row<Command> = {
  put: [{ kind: "put", request: putRequest({ key: "a" }) }, writers],
  deleteRange: [{ kind: "deleteRange", request: deleteRequest({ key: "a", rangeEnd: "c" }) }, writers],
  txn: [{ kind: "txn", request: put }, writers],
  compact: [{ kind: "compact", revision: 2 }, rootOnly],
  leaseGrant: [{ kind: "leaseGrant", leaseId: 9n, ttlSeconds: 60 }, anyUser],
  leaseRevoke: [{ kind: "leaseRevoke", leaseId: 1n }, writers],
  // Only the server proposes it, and names nobody.
  leaseExpire: [{ kind: "leaseExpire", leaseId: 1n, grantNumber: 1 }, ["ok", denied, denied, denied, denied, denied]],
  alarm: [{ kind: "alarm", action: "activate", memberId: 1n, alarm: 1 }, rootOnly],
  authEnable: [{ kind: "authEnable" }, rootOnly],
  authDisable: [{ kind: "authDisable" }, rootOnly],
  userAdd: [{ kind: "userAdd", name: "new", passwordHash: "", noPassword: false }, rootOnly],
  userDelete: [{ kind: "userDelete", name: "roleless" }, rootOnly],
  userChangePassword: [{ kind: "userChangePassword", name: "roleless", passwordHash: "h" }, rootOnly],
  userGrantRole: [{ kind: "userGrantRole", userName: "roleless", roleName: "root" }, rootOnly],
  userRevokeRole: [{ kind: "userRevokeRole", userName: "reader", roleName: "reads" }, rootOnly],
  roleAdd: [{ kind: "roleAdd", name: "new" }, rootOnly],
  roleDelete: [{ kind: "roleDelete", name: "reads" }, rootOnly],
  roleGrantPermission: [{ kind: "roleGrantPermission", roleName: "reads", permission }, rootOnly],
  roleRevokePermission: [{ kind: "roleRevokePermission", roleName: "reads", ...interval }, rootOnly],
};

const actions: Row<Action> = {
  range: [{ kind: "range", request: rangeRequest({ key: "a", rangeEnd: "c" }) }, readers],
  readTxn: [{ kind: "readTxn", request: read }, readers],
  watch: [{ kind: "watch", ...interval }, readers],
  leaseTimeToLive: [{ kind: "leaseTimeToLive", leaseId: 1n, keys: true }, readers],
  // The key of lease 2 is none of the reader's.
  leaseLeases: [{ kind: "leaseLeases" }, ["user-empty", denied, denied, denied, denied, "ok"]],
  leaseKeepAlive: [{ kind: "leaseKeepAlive", leaseId: 1n }, writers],
  userGet: [{ kind: "userGet", name: "reader" }, readerAndRoot],
  roleGet: [{ kind: "roleGet", name: "reads" }, readerAndRoot],
  authenticated: [{ kind: "authenticated" }, anyUser],
  admin: [{ kind: "admin" }, rootOnly],
};

test("AUTH-12, AUTH-19 to AUTH-22: what each command needs while authentication is on", () => {
  for (const [command, expected] of Object.values(commands)) {
    const verdicts = askers.map((asker) => secured().try(command, asker));
    assert.deepEqual(verdicts, expected, command.kind);
  }
});

test("AUTH-21: the server itself is never refused for want of permission", () => {
  for (const [command] of Object.values(commands)) {
    const { machine } = secured();
    assert.equal(machine.apply(command, systemCaller).kind, command.kind);
  }
  for (const [action] of Object.values(actions)) {
    assert.equal(secured().machine.accessRefusal(action, systemCaller), undefined);
  }
});

test("AUTH-12, AUTH-19 to AUTH-22: what each action needs while authentication is on", () => {
  for (const [action, expected] of Object.values(actions)) {
    const driver = secured();
    const verdicts = askers.map((asker) => {
      return driver.machine.accessRefusal(action, asker === undefined ? undefined : driver.caller(asker)) ?? "ok";
    });
    assert.deepEqual(verdicts, expected, action.kind);
  }
});

test("AUTH-3: while authentication is off, nobody is refused anything, whatever the token says", () => {
  const callers = [undefined, { userName: "ghost", authRevision: 0 }, { userName: "", authRevision: -1 }];
  for (const caller of callers) {
    for (const [action] of Object.values(actions)) {
      const open = secured();
      open.admin({ kind: "authDisable" });
      assert.equal(open.machine.accessRefusal(action, caller), undefined);
    }
    for (const [command] of Object.values(commands)) {
      const open = secured();
      open.admin({ kind: "authDisable" });
      assert.equal(open.machine.apply(command, caller).kind, command.kind);
    }
  }
});

test("a command or an action that is on no list is refused, even to root", () => {
  const driver = secured();
  const strange = { kind: "of no kind" } as unknown;
  assert.equal(driver.machine.accessRefusal(strange as Action, driver.caller("root")), denied);
  assert.equal(driver.try(strange as Command, "root"), denied);
});

test("AUTH-21: the name of the system caller helps nobody who claims it", () => {
  for (const [command, expected] of Object.values(commands)) {
    if (command.kind === "leaseExpire") continue;
    const { machine } = secured();
    const outcome = machine.apply(command, { ...systemCaller });
    assert.deepEqual(outcome.kind, "refused", `${command.kind} ${expected}`);
  }
});
