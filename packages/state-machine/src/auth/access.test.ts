/**
 * What commands and actions need in detail.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTxnRequest, type PutRequest, type TxnRequest } from "@holdfast/protocol";
import { AuthDriver, secured, verdictOf } from "../testing/auth-builders.js";
import {
  compare,
  deleteOp,
  deleteRequest,
  key,
  putOp,
  putRequest,
  rangeOp,
  rangeRequest,
  txnOp,
} from "../testing/builders.js";
import type { Command } from "../types.js";

const denied = "permission-denied";
const users = ["reader", "writer", "both", "root"] as const;

function put(fields: Parameters<typeof putRequest>[0]): Command {
  return { kind: "put", request: putRequest(fields) };
}

function txn(fields: Partial<TxnRequest>): Command {
  return { kind: "txn", request: createTxnRequest(fields) };
}

/** What becomes of a command for each of `users`. */
function verdicts(command: Command): string[] {
  return users.map((user) => secured().try(command, user));
}

test("AUTH-20: Put needs WRITE on the key, and READ to see what was there", () => {
  assert.deepEqual(verdicts(put({ key: "a" })), [denied, "ok", "ok", "ok"]);
  assert.deepEqual(verdicts(put({ key: "a", prevKv: true })), [denied, denied, "ok", "ok"]);
  assert.deepEqual(verdicts(put({ key: "c" })), [denied, denied, denied, "ok"]);
  assert.deepEqual(verdicts(put({ key: "a", ignoreValue: true })), [denied, "ok", "ok", "ok"]);
  assert.deepEqual(verdicts(put({ key: "a", ignoreLease: true, value: "2" })), [denied, "ok", "ok", "ok"]);
});

test("AUTH-20: a key is tied to a lease only by who may write all keys of that lease", () => {
  const withLease = (lease: bigint): [PutRequest, Command[]] => {
    const request = putRequest({ key: "a", lease });
    const operation = { ...putOp({}), requestPut: request };
    const nested = txn({ success: [txnOp({ failure: [operation] })] });
    return [request, [{ kind: "put", request }, txn({ success: [operation] }), txn({ failure: [operation] }), nested]];
  };
  for (const command of withLease(2n)[1]) assert.deepEqual(verdicts(command), [denied, denied, denied, "ok"]);
  for (const leaseId of [1n, 3n]) {
    for (const command of withLease(leaseId)[1]) assert.deepEqual(verdicts(command), [denied, "ok", "ok", "ok"]);
  }
});

test("AUTH-20: DeleteRange needs WRITE on the whole range, and READ to see what was there", () => {
  const remove = (from: string, rangeEnd: string, prevKv = false): Command => {
    return { kind: "deleteRange", request: deleteRequest({ key: from, rangeEnd, prevKv }) };
  };
  assert.deepEqual(verdicts(remove("a", "c")), [denied, "ok", "ok", "ok"]);
  assert.deepEqual(verdicts(remove("a", "c", true)), [denied, denied, "ok", "ok"]);
  assert.deepEqual(verdicts(remove("a", "c\0")), [denied, denied, denied, "ok"]);
  assert.deepEqual(verdicts(remove("a", "\0")), [denied, denied, denied, "ok"]);
});

test("AUTH-20: a transaction needs what all its parts need, whichever would run", () => {
  const parts: [Partial<TxnRequest>, readonly string[]][] = [
    [{ compare: [compare({ key: "a" })] }, ["ok", denied, "ok", "ok"]],
    [{ compare: [compare({ key: "a", rangeEnd: "d" })] }, [denied, denied, denied, "ok"]],
    [{ success: [rangeOp({ key: "a" })] }, ["ok", denied, "ok", "ok"]],
    [{ success: [putOp({ key: "a" })] }, [denied, "ok", "ok", "ok"]],
    [{ success: [putOp({ key: "a", prevKv: true })] }, [denied, denied, "ok", "ok"]],
    [{ success: [deleteOp({ key: "a" })] }, [denied, "ok", "ok", "ok"]],
    [{ success: [deleteOp({ key: "a", prevKv: true })] }, [denied, denied, "ok", "ok"]],
    [{ success: [], failure: [putOp({ key: "x" })] }, [denied, denied, denied, "ok"]],
    [{ success: [], failure: [rangeOp({ key: "x" })] }, [denied, denied, denied, "ok"]],
  ];
  for (const [part, expected] of parts) {
    assert.deepEqual(verdicts(txn(part)), expected);
    assert.deepEqual(verdicts(txn({ success: [txnOp(part)] })), expected);
    assert.deepEqual(verdicts(txn({ failure: [txnOp({ failure: [txnOp(part)] })] })), expected);
    const { machine, caller } = bound(secured());
    const asked = users.map(
      (user) => machine.accessRefusal({ kind: "readTxn", request: createTxnRequest(part) }, caller(user)) ?? "ok",
    );
    assert.deepEqual(asked, expected);
  }
});

function bound(driver: AuthDriver) {
  return { machine: driver.machine, caller: (name: string) => driver.caller(name) };
}

test("AUTH-16: grants of all roles together have to cover the range, joining up where they touch", () => {
  const driver = new AuthDriver();
  driver.role("r1", "read", "a", "b");
  driver.permit("r1", "readwrite", "b");
  driver.role("r2", "read", "b\0", "d");
  driver.permit("r2", "read", "x", "\0");
  driver.user("u", "r1", "r2");
  driver.enable();
  const may = (from: string, rangeEnd: string): boolean => {
    const action = { kind: "range", request: rangeRequest({ key: from, rangeEnd }) } as const;
    return driver.machine.accessRefusal(action, driver.caller("u")) === undefined;
  };
  for (const [from, to] of [
    ["a", "d"],
    ["a", ""],
    ["b", "b\0"],
    ["c", "d"],
    ["x", "\0"],
    ["y", "\xff"],
    ["z", ""],
    ["\xff\xff", "\0"],
  ] as const) {
    assert.ok(may(from, to), `${from} ${to}`);
  }
  for (const [from, to] of [
    ["a", "d\0"],
    ["a", "\0"],
    ["`", "b"],
    ["d", ""],
    ["c", "x"],
    ["\0", "\0"],
    ["w", "\0"],
  ] as const) {
    assert.ok(!may(from, to), `${from} ${to}`);
  }
  driver.admin({ kind: "roleRevokePermission", roleName: "r1", key: key("b"), rangeEnd: key("") });
  assert.ok(!may("a", "d"));
});

test("AUTH-16: permissions count at once, and are gone at once", () => {
  const driver = secured();
  const ask = () => driver.try(put({ key: "q" }), "writer");
  assert.equal(ask(), denied);
  driver.permit("writes", "write", "q");
  assert.equal(ask(), "ok");
  driver.admin({ kind: "userRevokeRole", userName: "writer", roleName: "writes" });
  assert.equal(ask(), denied);
  driver.admin({ kind: "userGrantRole", userName: "writer", roleName: "root" });
  assert.equal(ask(), "ok");
  driver.admin({ kind: "userDelete", name: "writer" });
  assert.equal(ask(), denied);
});

test("AUTH-16: a permission of a type without a name allows nothing", () => {
  const driver = secured();
  driver.admin({
    kind: "roleGrantPermission",
    roleName: "reads",
    permission: { permType: 7, key: key("q"), rangeEnd: key("") },
  });
  assert.equal(driver.try(put({ key: "q", prevKv: true }), "both"), denied);
});

test("AUTH-11: an outdated token will not do for keys, but for what only root may do", () => {
  const driver = secured();
  const old = { userName: "root", authRevision: driver.machine.auth.revision - 1 };
  const asked = (command: Command) => verdictOf(driver.machine.apply(command, old));
  assert.equal(asked(put({ key: "a" })), "auth-revision-old");
  assert.equal(asked(txn({})), "auth-revision-old");
  assert.equal(
    driver.machine.accessRefusal({ kind: "watch", key: key("a"), rangeEnd: key("") }, old),
    "auth-revision-old",
  );
  assert.equal(asked({ kind: "compact", revision: 2 }), "ok");
  assert.equal(asked({ kind: "leaseRevoke", leaseId: 2n }), "ok");
  assert.equal(asked({ kind: "leaseGrant", leaseId: 8n, ttlSeconds: 5 }), "ok");
  const writer = { userName: "writer", authRevision: old.authRevision };
  assert.equal(verdictOf(driver.machine.apply({ kind: "leaseRevoke", leaseId: 1n }, writer)), "auth-revision-old");
  for (const authRevision of [Number.NaN, -1, 0.5]) {
    const outcome = driver.machine.apply(put({ key: "a" }), { userName: "root", authRevision });
    assert.equal(verdictOf(outcome), "auth-revision-old");
  }
  assert.equal(verdictOf(driver.machine.apply(put({ key: "a" }), { userName: "root", authRevision: 0 })), "user-empty");
});

test("AUTH-11: a token ahead of its time writes and watches, but does not read", () => {
  const driver = secured();
  const { revision } = driver.machine.auth;
  const ask = (user: string, action: Parameters<typeof driver.machine.accessRefusal>[0]) =>
    driver.machine.accessRefusal(action, { userName: user, authRevision: revision + 1 });
  const range = rangeRequest({ key: "a" });
  const readTxn = createTxnRequest({ success: [rangeOp({ key: "a" })] });
  for (const user of ["reader", "root"]) {
    assert.equal(ask(user, { kind: "range", request: range }), "auth-revision-old");
    assert.equal(ask(user, { kind: "readTxn", request: readTxn }), "auth-revision-old");
    assert.equal(ask(user, { kind: "watch", key: key("a"), rangeEnd: key("") }), undefined);
    assert.equal(ask(user, { kind: "leaseTimeToLive", leaseId: 3n, keys: true }), undefined);
  }
  // What is not allowed anyway is refused for that.
  assert.equal(ask("writer", { kind: "range", request: range }), denied);
  const writer = { userName: "writer", authRevision: revision + 1 };
  assert.equal(verdictOf(driver.machine.apply(put({ key: "a" }), writer)), "ok");
});

test("AUTH-12: a token without a name is nobody's", () => {
  const driver = secured();
  const caller = { userName: "", authRevision: driver.machine.auth.revision };
  assert.equal(driver.machine.accessRefusal({ kind: "admin" }, caller), "user-empty");
  assert.equal(driver.machine.accessRefusal({ kind: "userGet", name: "reader" }, caller), "user-empty");
});

test("AUTH-20: LeaseLeases needs a user even where there are no leases", () => {
  const driver = new AuthDriver();
  driver.enable();
  assert.equal(driver.machine.accessRefusal({ kind: "leaseLeases" }, undefined), "user-empty");
  assert.equal(driver.machine.accessRefusal({ kind: "leaseLeases" }, driver.caller("ghost")), denied);
  assert.equal(driver.machine.accessRefusal({ kind: "leaseLeases" }, driver.caller("root")), undefined);
});

test("AUTH-12: a command that nobody asked for is refused when authentication was turned on before it ran", () => {
  const driver = new AuthDriver();
  driver.user("root", "root");
  const command = put({ key: "a" });
  driver.admin({ kind: "authEnable" });
  assert.equal(driver.try(command), "user-empty");
  assert.equal(driver.revision, 1);
});

test("AUTH-20: leases without keys are open to any user, those with keys to who may write or read these", () => {
  const driver = secured();
  const ask = (action: Parameters<typeof driver.machine.accessRefusal>[0], user?: string) =>
    driver.machine.accessRefusal(action, user === undefined ? undefined : driver.caller(user)) ?? "ok";
  for (const leaseId of [3n, 99n]) {
    assert.equal(ask({ kind: "leaseKeepAlive", leaseId }, "roleless"), "ok");
    assert.equal(ask({ kind: "leaseTimeToLive", leaseId, keys: true }, "roleless"), "ok");
    assert.equal(ask({ kind: "leaseKeepAlive", leaseId }), "user-empty");
  }
  assert.equal(ask({ kind: "leaseTimeToLive", leaseId: 1n, keys: false }, "roleless"), "ok");
  assert.equal(ask({ kind: "leaseTimeToLive", leaseId: 1n, keys: true }, "writer"), denied);
  assert.equal(ask({ kind: "leaseKeepAlive", leaseId: 1n }, "reader"), denied);
  assert.equal(ask({ kind: "leaseLeases" }, "reader"), denied);
  driver.admin({ kind: "leaseRevoke", leaseId: 2n });
  assert.equal(ask({ kind: "leaseLeases" }, "reader"), "ok");
  driver.admin({ kind: "leaseRevoke", leaseId: 1n });
  assert.equal(ask({ kind: "leaseLeases" }, "roleless"), "ok");
  assert.equal(driver.try({ kind: "leaseRevoke", leaseId: 3n }, "roleless"), "ok");
  assert.equal(driver.try({ kind: "leaseRevoke", leaseId: 3n }, "roleless"), "lease-not-found");
});

test("WATCH-6: a watch without a key begins at the first one", () => {
  const driver = secured();
  const watch = { kind: "watch", key: key(""), rangeEnd: key("") } as const;
  assert.equal(driver.machine.accessRefusal(watch, driver.caller("reader")), denied);
  driver.permit("reads", "read", "\0");
  assert.equal(driver.machine.accessRefusal(watch, driver.caller("reader")), undefined);
  const all = { ...watch, rangeEnd: key("\0") };
  assert.equal(driver.machine.accessRefusal(all, driver.caller("reader")), denied);
});

test("ORD-1, ORD-5: permissions are looked at before the state", () => {
  assert.deepEqual(verdicts(put({ key: "a", lease: 99n })), [
    denied,
    "lease-not-found",
    "lease-not-found",
    "lease-not-found",
  ]);
  assert.deepEqual(verdicts(put({ key: "aa", ignoreValue: true }))[0], denied);
  assert.deepEqual(verdicts({ kind: "compact", revision: 999 }), [denied, denied, denied, "future-revision"]);
});

test("F10: a transaction nested out of all reason is refused before anybody's permissions", () => {
  let request: TxnRequest = createTxnRequest({ success: [putOp({ key: "a" })] });
  for (let level = 0; level < 100_000; level++) request = createTxnRequest({ failure: [txnOp(request)] });
  assert.equal(secured().try({ kind: "txn", request }, "writer"), "too-many-operations");
});
