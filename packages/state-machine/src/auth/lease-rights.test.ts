/**
 * Rights to all keys of a lease: the same as a walk through its keys would find, but without walking each time.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTxnRequest } from "@holdfast/protocol";
import { leaseKeysWalkedMax, leaseRightsUsersMax } from "../limits.js";
import { AuthDriver } from "../testing/auth-builders.js";
import { deleteRequest, type key, putOp, putRequest } from "../testing/builders.js";
import type { Command } from "../types.js";

const denied = "permission-denied";
const many = leaseKeysWalkedMax + 1;

/** `ann` with the keys that begin with a, `bob` with those that begin with a or b; `many` keys of ann's on lease 1. */
function crowded(): AuthDriver {
  const driver = new AuthDriver();
  driver.grant(1n);
  for (let i = 0; i < many; i++) driver.put(`a${i}`, "", { lease: 1n });
  driver.role("a", "readwrite", "a", "b");
  driver.role("b", "readwrite", "b", "c");
  driver.user("ann", "a");
  driver.user("bob", "a", "b");
  driver.enable();
  return driver;
}

/** Counts from now on how often the keys of a lease are walked through. */
function countWalks(driver: AuthDriver, leaseId: bigint): () => number {
  const { keys } = driver.machine.lease(leaseId)!;
  const walk = keys[Symbol.iterator].bind(keys);
  let walks = 0;
  const counted = (): Iterator<ReturnType<typeof key>> => {
    walks++;
    return walk();
  };
  Object.defineProperty(keys, Symbol.iterator, { value: counted });
  return () => walks;
}

function put(name: string, lease = 0n): Command {
  return { kind: "put", request: putRequest({ key: name, lease }) };
}

function remove(name: string): Command {
  return { kind: "deleteRange", request: deleteRequest({ key: name }) };
}

test("AUTH-20: the keys of a lease are walked through once, however many keys a user ties to it and however often it is renewed", () => {
  const driver = crowded();
  const walks = countWalks(driver, 1n);
  const caller = driver.caller("ann");
  for (let i = 0; i < 10; i++) {
    const success = Array.from({ length: 20 }, (_, k) => putOp({ key: `an${i}/${k}`, lease: 1n }));
    assert.equal(driver.try({ kind: "txn", request: createTxnRequest({ success }) }, "ann"), "ok");
    assert.equal(driver.try(put(`ax${i}`, 1n), "ann"), "ok");
    assert.equal(driver.machine.accessRefusal({ kind: "leaseKeepAlive", leaseId: 1n }, caller), undefined);
    assert.equal(driver.machine.accessRefusal({ kind: "leaseLeases" }, caller), undefined);
  }
  assert.equal(walks(), 1);
});

test("AUTH-20: a key that another ties to a lease, or takes from it, counts at once, and refusals need no walk either", () => {
  const driver = crowded();
  const walks = countWalks(driver, 1n);
  const steps: [Command, "ann" | "bob", string][] = [
    [put("a0", 1n), "ann", "ok"],
    [put("b0", 1n), "bob", "ok"],
    [put("a0", 1n), "ann", denied],
    [put("b1", 1n), "bob", "ok"],
    [put("b1", 1n), "bob", "ok"],
    [remove("b0"), "bob", "ok"],
    [put("a0", 1n), "ann", denied],
    // Off the lease, though not gone.
    [put("b1"), "bob", "ok"],
    [put("a0", 1n), "ann", "ok"],
    [put("b1", 1n), "bob", "ok"],
    [{ kind: "leaseRevoke", leaseId: 1n }, "ann", denied],
    [{ kind: "leaseRevoke", leaseId: 1n }, "bob", "ok"],
  ];
  for (const [index, [command, user, expected]] of steps.entries())
    assert.equal(driver.try(command, user), expected, `step ${index}`);
  // One for each of the two users, and one to end the lease.
  assert.equal(walks(), 3);
});

test("AUTH-20: a lease of the same id is another, and a change of rights counts", () => {
  const driver = crowded();
  assert.equal(driver.try(put("a0", 1n), "ann"), "ok");
  driver.admin({ kind: "leaseRevoke", leaseId: 1n });
  driver.admin({ kind: "leaseGrant", leaseId: 1n, ttlSeconds: 60 });
  for (let i = 0; i < many; i++) driver.admin(put(`b${i}`, 1n));
  assert.equal(driver.try(put("a0", 1n), "ann"), denied);
  driver.permit("a", "readwrite", "b", "c");
  assert.equal(driver.try(put("a0", 1n), "ann"), "ok");
  driver.admin({ kind: "userRevokeRole", userName: "ann", roleName: "a" });
  assert.equal(driver.try(put("a0", 1n), "ann"), denied);
});

test("AUTH-20: keys tied to a lease while authentication is off count when it is on again", () => {
  const driver = crowded();
  assert.equal(driver.try(put("a0", 1n), "ann"), "ok");
  driver.admin({ kind: "authDisable" });
  driver.put("x", "", { lease: 1n });
  driver.admin({ kind: "authEnable" });
  assert.equal(driver.try(put("a0", 1n), "ann"), denied);
});

test("AUTH-20: more users than are remembered of a lease all get the right answer", () => {
  const driver = crowded();
  const users = Array.from({ length: leaseRightsUsersMax + 2 }, (_, i) => `user${i}`);
  for (const [i, name] of users.entries()) driver.user(name, i % 2 === 0 ? "a" : "b");
  for (let round = 0; round < 2; round++) {
    for (const [i, name] of users.entries()) {
      const refusal = driver.machine.accessRefusal({ kind: "leaseKeepAlive", leaseId: 1n }, driver.caller(name));
      assert.equal(refusal, i % 2 === 0 ? undefined : denied, name);
    }
  }
});

test("AUTH-20: whatever is tied and untied in whichever order, the answer is that of a walk", () => {
  const driver = crowded();
  driver.role("readsB", "read", "b", "c");
  driver.user("eve", "a", "readsB");
  // A fixed sequence without a pattern that matters: the high bits of a linear congruential generator.
  let state = 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const may = { ann: /^a/, bob: /^[ab]/, eve: /^a/ };
  for (let step = 0; step < 2000; step++) {
    const name = `${"aaab"[next(4)]}${next(60)}`;
    driver.admin(next(3) === 0 ? remove(name) : put(name, next(3) === 0 ? 0n : 1n));
    const keys = [...driver.machine.lease(1n)!.keys];
    for (const user of ["ann", "bob", "eve"] as const) {
      const caller = driver.caller(user);
      const writing = driver.machine.accessRefusal({ kind: "leaseKeepAlive", leaseId: 1n }, caller);
      assert.equal(
        writing === undefined,
        keys.every((one) => may[user].test(one)),
      );
      const reading = driver.machine.accessRefusal({ kind: "leaseTimeToLive", leaseId: 1n, keys: true }, caller);
      assert.equal(reading === undefined, user !== "ann" || keys.every((one) => may.ann.test(one)));
    }
  }
});
