/**
 * The rules of leases that need no clock.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Driver, deleteOp, putOp, putRequest } from "./testing/builders.js";
import type { Command } from "./types.js";

function grantCommand(leaseId: bigint, ttlSeconds = 60): Command {
  return { kind: "leaseGrant", leaseId, ttlSeconds };
}

function attachedKeys(driver: Driver, leaseId: bigint): string[] {
  return [...driver.machine.lease(leaseId)!.keys].sort();
}

test("LEASE-2: a chosen id is used as given, negative and extreme ones too", () => {
  const driver = new Driver();
  for (const leaseId of [1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const outcome = driver.machine.apply(grantCommand(leaseId, 30));
    assert.ok(outcome.kind === "leaseGrant");
    assert.deepEqual([outcome.response.id, outcome.response.ttl, outcome.response.error], [leaseId, 30, ""]);
    assert.equal(driver.machine.lease(leaseId)?.ttlSeconds, 30);
  }
  assert.equal(driver.machine.leaseCount, 4);
  assert.equal(driver.refusal(grantCommand(0n)), "lease-not-found");
});

test("LEASE-3: an id in use is refused and its lease untouched", () => {
  const driver = new Driver();
  driver.grant(1n, 60);
  assert.equal(driver.refusal(grantCommand(1n, 99)), "lease-exists");
  assert.deepEqual([driver.machine.lease(1n)?.ttlSeconds, driver.machine.lease(1n)?.grantNumber], [60, 1]);
});

test("F15, LEASE-4, LIMIT leaseTtlSecondsMax: 9,000,000,000 s is the longest lease; the length is looked at before the id", () => {
  const driver = new Driver();
  driver.grant(1n, 9_000_000_000);
  assert.equal(driver.refusal(grantCommand(1n, 9_000_000_001)), "lease-ttl-too-large");
});

test("LEASE-7: a grant makes no revision and tells the current one", () => {
  const driver = new Driver();
  driver.put("a");
  const outcome = driver.machine.apply(grantCommand(1n));
  assert.ok(outcome.kind === "leaseGrant");
  assert.deepEqual([outcome.response.header?.revision, driver.revision], [2, 2]);
});

test("a grant and an end are told as lease changes, with the number of the granting command", () => {
  const driver = new Driver();
  driver.put("a");
  driver.grant(1n);
  assert.deepEqual(driver.machine.leaseChanges, [{ kind: "granted", lease: driver.machine.lease(1n) }]);
  assert.equal(driver.machine.lease(1n)?.grantNumber, 2);
  driver.put("a");
  assert.deepEqual(driver.machine.leaseChanges, []);
  driver.revoke(1n);
  assert.deepEqual(driver.machine.leaseChanges, [{ kind: "ended", leaseId: 1n, grantNumber: 2 }]);
});

for (const [name, end] of [
  ["revoke", (): Command => ({ kind: "leaseRevoke", leaseId: 1n })],
  ["expiry", (): Command => ({ kind: "leaseExpire", leaseId: 1n, grantNumber: 1 })],
] as const) {
  test(`LEASE-11: ${name} deletes all keys in one revision, in ascending byte order`, () => {
    const driver = new Driver();
    driver.grant(1n);
    const names = ["b", "\xff", "a", "\0", "__proto__", "ab"];
    for (const key of names) driver.put(key, "", { lease: 1n });
    driver.put("c");
    driver.machine.apply(end());
    assert.deepEqual(
      driver.changes(),
      names.sort().map((key) => `DELETE ${key}`),
    );
    assert.deepEqual(new Set(driver.machine.changes.map((change) => change.modRevision)), new Set([9]));
    assert.deepEqual([driver.revision, driver.keys("\0", "\0")], [9, ["c"]]);
    assert.equal(driver.machine.lease(1n), undefined);
  });

  test(`LEASE-13: ${name} of a lease without keys makes no revision and no events`, () => {
    const driver = new Driver();
    driver.grant(1n);
    driver.machine.apply(end());
    assert.deepEqual([driver.revision, driver.changes(), driver.machine.leaseCount], [1, [], 0]);
  });
}

test("LEASE-15: revoking an unknown lease is refused", () => {
  const driver = new Driver();
  for (const leaseId of [0n, 9n]) assert.equal(driver.refusal({ kind: "leaseRevoke", leaseId }), "lease-not-found");
});

test("LEASE-16: the answer to a revoke carries the revision of the deletion", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.grant(2n);
  driver.put("a", "", { lease: 1n });
  for (const leaseId of [1n, 2n]) {
    const outcome = driver.machine.apply({ kind: "leaseRevoke", leaseId });
    assert.ok(outcome.kind === "leaseRevoke");
    assert.equal(outcome.response.header?.revision, 3);
  }
});

test("an expiry ends only the grant that its proposer saw", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.revoke(1n);
  driver.grant(1n);
  driver.put("a", "", { lease: 1n });
  const stale = driver.machine.apply({ kind: "leaseExpire", leaseId: 1n, grantNumber: 1 });
  assert.deepEqual(stale, { kind: "leaseExpire", ended: false });
  assert.deepEqual([driver.machine.leaseChanges, driver.value("a")], [[], ""]);
  assert.deepEqual(driver.machine.apply({ kind: "leaseExpire", leaseId: 1n, grantNumber: 3 }), {
    kind: "leaseExpire",
    ended: true,
  });
  assert.equal(driver.value("a"), undefined);
  const unknown = driver.machine.apply({ kind: "leaseExpire", leaseId: 1n, grantNumber: 3 });
  assert.deepEqual(unknown, { kind: "leaseExpire", ended: false });
});

test("LEASE-31: a put with an unknown lease is refused, before the key is looked for", () => {
  const driver = new Driver();
  const request = putRequest({ key: "a", lease: 1n, ignoreValue: true });
  assert.equal(driver.refusal({ kind: "put", request }), "lease-not-found");
});

test("LEASE-32: a key has one lease; a put with another moves it", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.grant(2n);
  driver.put("a", "", { lease: 1n });
  driver.put("a", "", { lease: 2n });
  assert.deepEqual([attachedKeys(driver, 1n), attachedKeys(driver, 2n)], [[], ["a"]]);
  driver.revoke(1n);
  assert.equal(driver.value("a"), "");
  driver.revoke(2n);
  assert.equal(driver.value("a"), undefined);
});

test("LEASE-33: a put without lease detaches, with ignore_value too", () => {
  const driver = new Driver();
  driver.grant(1n);
  for (const fields of [{ value: "x" }, { ignoreValue: true }]) {
    driver.put("a", "x", { lease: 1n });
    driver.put("a", "", fields);
    assert.deepEqual([attachedKeys(driver, 1n), driver.live("a").lease, driver.value("a")], [[], 0n, "x"]);
  }
});

test("LEASE-34: ignore_lease keeps the lease and needs the key", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.put("a", "x", { lease: 1n });
  driver.put("a", "y", { ignoreLease: true });
  assert.deepEqual([driver.live("a").lease, attachedKeys(driver, 1n), driver.value("a")], [1n, ["a"], "y"]);
  driver.put("b");
  driver.put("b", "z", { ignoreLease: true });
  assert.equal(driver.live("b").lease, 0n);
  const request = putRequest({ key: "c", ignoreLease: true });
  assert.equal(driver.refusal({ kind: "put", request }), "key-not-found");
});

test("LEASE-35: deleting a key detaches it; a later key of the same name is its own", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.put("a", "", { lease: 1n });
  driver.delete("a");
  driver.put("a", "later");
  driver.revoke(1n);
  assert.deepEqual([driver.changes(), driver.value("a")], [[], "later"]);
});

test("LEASE-35: a transaction that deletes and puts again leaves the key with the lease of the put", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.grant(2n);
  driver.put("a", "", { lease: 1n });
  driver.txn({ success: [deleteOp({ key: "a", rangeEnd: "\0" }), putOp({ key: "a", lease: 2n })] });
  assert.deepEqual([attachedKeys(driver, 1n), attachedKeys(driver, 2n)], [[], ["a"]]);
});

test("LEASE-36: putting again with the same lease is a normal write", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.put("a", "", { lease: 1n });
  driver.put("a", "", { lease: 1n });
  assert.deepEqual([driver.revision, driver.live("a").version, attachedKeys(driver, 1n)], [3, 2, ["a"]]);
});

test("leases are listed oldest grant first", () => {
  const driver = new Driver();
  for (const leaseId of [3n, 1n, 2n]) driver.grant(leaseId);
  driver.revoke(3n);
  driver.grant(3n);
  assert.deepEqual(
    [...driver.machine.leases()].map((lease) => lease.leaseId),
    [1n, 2n, 3n],
  );
});
