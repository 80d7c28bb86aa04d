/**
 * Users, roles and the auth revision.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PermissionType } from "@holdfast/protocol";
import fc from "fast-check";
import { AuthDriver, grantOf, secured } from "../testing/auth-builders.js";
import { key } from "../testing/builders.js";
import type { Command } from "../types.js";
import { compareNames } from "./names.js";

const { READ, WRITE, READWRITE } = PermissionType;

function userAdd(name: string): Command {
  return { kind: "userAdd", name, passwordHash: "h", noPassword: false };
}

test("AUTH-1: enabling needs user root with role root, and happens once", () => {
  const driver = new AuthDriver();
  assert.equal(driver.try({ kind: "authEnable" }), "root-user-missing");
  driver.user("root");
  assert.equal(driver.try({ kind: "authEnable" }), "root-role-missing");
  driver.admin({ kind: "userGrantRole", userName: "root", roleName: "root" });
  assert.equal(driver.machine.auth.enabled, false);
  driver.admin({ kind: "authEnable" });
  assert.equal(driver.machine.auth.enabled, true);
  driver.admin({ kind: "authEnable" });
  driver.admin({ kind: "authDisable" });
  assert.equal(driver.machine.auth.enabled, false);
});

test("AUTH-2: role root need not exist to be granted, and shows one permission for everything once it does", () => {
  const driver = new AuthDriver();
  driver.user("root", "root");
  assert.equal(driver.machine.auth.role("root"), undefined);
  driver.role("root");
  driver.permit("root", "read", "a");
  const shown = { name: "root", permissions: [{ permType: READWRITE, key: "", rangeEnd: "\0" }] };
  assert.deepEqual(driver.machine.auth.role("root"), shown);
  assert.deepEqual([...driver.machine.auth.roles()], [shown]);
});

test("AUTH-5: while enabled, root cannot be deleted, nor role root, nor be parted", () => {
  const commands: Command[] = [
    { kind: "userRevokeRole", userName: "root", roleName: "root" },
    { kind: "roleDelete", name: "root" },
    { kind: "userDelete", name: "root" },
  ];
  const driver = secured();
  for (const command of commands) assert.equal(driver.try(command, "root"), "invalid-auth-management");
  assert.equal(driver.try({ kind: "userRevokeRole", userName: "root", roleName: "reads" }, "root"), "role-not-granted");
  driver.role("root");
  driver.admin({ kind: "authDisable" });
  for (const command of commands) driver.admin(command);
  assert.equal(driver.machine.auth.user("root"), undefined);
});

test("AUTH-15, AUTH-23: what is wrong with names is said before anything changes", () => {
  const driver = new AuthDriver();
  driver.role("r");
  driver.user("u", "r");
  const { revision } = driver.machine.auth;
  const stories: [Command, string][] = [
    [userAdd(""), "user-name-empty"],
    [userAdd("u"), "user-exists"],
    [{ kind: "userDelete", name: "none" }, "user-not-found"],
    [{ kind: "userChangePassword", name: "none", passwordHash: "" }, "user-not-found"],
    [{ kind: "userGrantRole", userName: "none", roleName: "none" }, "user-not-found"],
    [{ kind: "userGrantRole", userName: "u", roleName: "none" }, "role-not-found"],
    [{ kind: "userRevokeRole", userName: "none", roleName: "r" }, "user-not-found"],
    [{ kind: "userRevokeRole", userName: "u", roleName: "none" }, "role-not-granted"],
    [{ kind: "roleAdd", name: "" }, "role-name-empty"],
    [{ kind: "roleAdd", name: "r" }, "role-exists"],
    [{ kind: "roleDelete", name: "none" }, "role-not-found"],
    [{ kind: "roleGrantPermission", roleName: "none", permission: undefined }, "permission-not-given"],
    [grantOf("none", READ, key(""), key("")), "invalid-auth-management"],
    [grantOf("none", READ, key("a"), key("")), "role-not-found"],
    [{ kind: "roleRevokePermission", roleName: "none", key: key("a"), rangeEnd: key("") }, "role-not-found"],
    [{ kind: "roleRevokePermission", roleName: "r", key: key("a"), rangeEnd: key("") }, "permission-not-granted"],
  ];
  for (const [command, expected] of stories) assert.equal(driver.try(command), expected, JSON.stringify(command));
  assert.equal(driver.machine.auth.revision, revision);
  driver.admin({ kind: "userChangePassword", name: "u", passwordHash: "" });
  assert.equal(driver.machine.auth.user("u")?.passwordHash, "");
});

test("AUTH-8: a user made without password keeps having none", () => {
  const driver = new AuthDriver();
  driver.admin({ kind: "userAdd", name: "n", passwordHash: "", noPassword: true });
  driver.admin({ kind: "userChangePassword", name: "n", passwordHash: "h" });
  assert.deepEqual(driver.machine.auth.user("n"), { name: "n", passwordHash: "", noPassword: true, roles: [] });
});

test("AUTH-17: a permission replaces the one for the same interval, and the list is sorted", () => {
  const driver = new AuthDriver();
  driver.role("r", "read", "b", "d");
  driver.permit("r", "read", "a");
  driver.permit("r", "write", "b", "c");
  driver.permit("r", "read", "b", "\0");
  driver.permit("r", "readwrite", "b", "d");
  driver.permit("r", "write", "b");
  const permissions = driver.machine.auth.role("r")!.permissions.map((one) => [one.key, one.rangeEnd, one.permType]);
  const expected = [
    ["a", "", READ],
    ["b", "", WRITE],
    ["b", "\0", READ],
    ["b", "c", WRITE],
    ["b", "d", READWRITE],
  ];
  assert.deepEqual(permissions, expected);
  for (const rangeEnd of ["a", "b"]) {
    assert.equal(driver.try(grantOf("r", READ, key("b"), key(rangeEnd))), "invalid-auth-management");
  }
  assert.equal(driver.try(grantOf("r", READ, key(""), key("\0"))), "invalid-auth-management");
  assert.equal(driver.try(grantOf("r", READ, key("\0"), key("\0"))), "ok");
});

test("AUTH-18: taking a permission away needs the exact interval", () => {
  const driver = new AuthDriver();
  driver.role("r", "read", "a", "c");
  const revoke = (rangeEnd: string): Command => {
    return { kind: "roleRevokePermission", roleName: "r", key: key("a"), rangeEnd: key(rangeEnd) };
  };
  for (const rangeEnd of ["", "b", "d", "\0"]) assert.equal(driver.try(revoke(rangeEnd)), "permission-not-granted");
  driver.admin(revoke("c"));
  assert.deepEqual(driver.machine.auth.role("r")?.permissions, []);
});

test("AUTH-24: users, roles, and the roles of a user come in byte order", () => {
  const driver = new AuthDriver();
  // In UTF-16, which JavaScript compares by, the second of the last two comes first.
  const names = ["b", "a", "ä", "\u{ff5e}", "\u{1f512}"];
  const sorted = ["a", "b", "ä", "\u{ff5e}", "\u{1f512}"];
  for (const name of [...names].reverse()) driver.role(name);
  for (const name of names) driver.user(name, ...names);
  assert.deepEqual(
    Array.from(driver.machine.auth.users(), ({ name }) => name),
    sorted,
  );
  assert.deepEqual(
    Array.from(driver.machine.auth.roles(), ({ name }) => name),
    sorted,
  );
  assert.deepEqual(driver.machine.auth.user("a")?.roles, sorted);
  driver.admin({ kind: "roleDelete", name: "b" });
  for (const { roles } of driver.machine.auth.users()) assert.deepEqual(roles, ["a", "ä", "\u{ff5e}", "\u{1f512}"]);
});

test("AUTH-24: names are in the order of their UTF-8 encodings", () => {
  const units = fc.constantFrom("a", "b", "\u007f", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}");
  const names = fc.array(units, { maxLength: 4 }).map((characters) => characters.join(""));
  fc.assert(
    fc.property(names, names, (left, right) => {
      const expected = Buffer.compare(Buffer.from(left), Buffer.from(right));
      assert.equal(Math.sign(compareNames(left, right)), expected);
    }),
    { numRuns: 2000 },
  );
});

test("AUTH-6, AUTH-25, AUTH-26: what raises the auth revision, and that nothing of it raises the revision", () => {
  const driver = new AuthDriver();
  const steps: [Command, number][] = [
    [userAdd("root"), 1],
    [{ kind: "userGrantRole", userName: "root", roleName: "root" }, 1],
    [{ kind: "userGrantRole", userName: "root", roleName: "root" }, 0],
    [{ kind: "roleAdd", name: "r" }, 1],
    [grantOf("r", READ, key("a"), key("")), 1],
    [grantOf("r", READ, key("a"), key("")), 1],
    [grantOf("r", WRITE, key("a"), key("")), 1],
    [{ kind: "userChangePassword", name: "root", passwordHash: "h" }, 1],
    [{ kind: "userChangePassword", name: "root", passwordHash: "h" }, 1],
    [{ kind: "authDisable" }, 0],
    [{ kind: "authEnable" }, 0],
    [{ kind: "authEnable" }, 0],
    [{ kind: "alarm", action: "activate", memberId: 1n, alarm: 1 }, 0],
    [{ kind: "roleRevokePermission", roleName: "r", key: key("a"), rangeEnd: key("") }, 1],
    [userAdd("u"), 1],
    [{ kind: "userGrantRole", userName: "u", roleName: "r" }, 1],
    [{ kind: "userRevokeRole", userName: "u", roleName: "r" }, 1],
    [{ kind: "roleDelete", name: "r" }, 1],
    [{ kind: "userDelete", name: "u" }, 1],
    [{ kind: "authDisable" }, 1],
  ];
  assert.equal(driver.machine.auth.revision, 1);
  for (const [command, growth] of steps) {
    const before: number = driver.machine.auth.revision;
    driver.admin(command);
    assert.equal(driver.machine.auth.revision - before, growth, JSON.stringify({ ...command, memberId: undefined }));
    assert.deepEqual([driver.machine.changes, driver.machine.leaseChanges], [[], []]);
  }
  assert.equal(driver.revision, 1);
});

test("users and roles count in what the state is reckoned to take", () => {
  const driver = new AuthDriver();
  const empty = driver.machine.approximateBytes;
  driver.role("r", "read", "k".repeat(1000));
  assert.ok(driver.machine.approximateBytes >= empty + 1000);
  driver.user("u", "r");
  driver.admin({ kind: "userChangePassword", name: "u", passwordHash: "" });
  driver.admin({ kind: "userDelete", name: "u" });
  driver.admin({ kind: "roleDelete", name: "r" });
  assert.equal(driver.machine.approximateBytes, empty);
});
