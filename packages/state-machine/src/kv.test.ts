/**
 * The rules of ranges, puts, deletes and revisions.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SortOrder, SortTarget } from "@holdfast/protocol";
import { bytes, Driver, deleteRequest, putRequest, text } from "./testing/builders.js";
import { plain, unpacked } from "./testing/plain.js";

function withKeys(...names: string[]): Driver {
  const driver = new Driver();
  for (const name of names) driver.put(name, name);
  return driver;
}

test("GEN-1: an empty store is at revision 1, the first write makes revision 2", () => {
  const driver = new Driver();
  assert.equal(driver.revision, 1);
  assert.equal(driver.range("a").header?.revision, 1);
  assert.equal(driver.put("a").header?.revision, 2);
  assert.equal(driver.revision, 2);
});

test("GEN-2: the header shows the current revision although an older one is read", () => {
  const driver = withKeys("a", "b", "c");
  assert.equal(driver.range("a", "", { revision: 2 }).header?.revision, 4);
});

test("KV-1: single keys, intervals, open ends and prefixes", () => {
  const driver = withKeys("\0", "a", "ab", "b", "\xff", "\xff\xff");
  assert.deepEqual(driver.keys("a"), ["a"]);
  assert.deepEqual(driver.keys("a", "b"), ["a", "ab"]);
  assert.deepEqual(driver.keys("ab", "\0"), ["ab", "b", "\xff", "\xff\xff"]);
  assert.deepEqual(driver.keys("\0", "\0"), ["\0", "a", "ab", "b", "\xff", "\xff\xff"]);
  assert.deepEqual(driver.keys("\xff", "\0"), ["\xff", "\xff\xff"]);
});

test("KV-2: an interval that ends where or before it begins is empty", () => {
  const driver = withKeys("a", "b");
  for (const rangeEnd of ["a", "A"]) {
    assert.deepEqual(driver.keys("a", rangeEnd), []);
    assert.equal(driver.range("a", rangeEnd).count, 0);
    assert.equal(driver.delete("a", rangeEnd).deleted, 0);
  }
});

test("KV-4: keys come in byte order, whatever order they were written in", () => {
  const names = ["b", "\xff", "a\0", "__proto__", "a", "\0", "\x80", "constructor"];
  assert.deepEqual(withKeys(...names).keys("\0", "\0"), names.sort());
});

test("KV-5: limit cuts, more tells, count counts everything", () => {
  const driver = withKeys("a", "b", "c");
  const cut = driver.range("\0", "\0", { limit: 2 });
  assert.deepEqual([cut.kvs.length, cut.more, cut.count], [2, true, 3]);
  const exact = driver.range("\0", "\0", { limit: 3 });
  assert.deepEqual([exact.kvs.length, exact.more, exact.count], [3, false, 3]);
  for (const limit of [0, -1]) assert.equal(driver.range("\0", "\0", { limit }).kvs.length, 3);
});

test("KV-6: count_only gives no pairs and ignores limit", () => {
  const driver = withKeys("a", "b", "c");
  for (const [name, rangeEnd, count] of [
    ["\0", "\0", 3],
    ["a", "", 1],
    ["x", "", 0],
  ] as const) {
    const response = driver.range(name, rangeEnd, { countOnly: true, limit: 1 });
    assert.deepEqual([response.kvs.length, response.more, response.count], [0, false, count]);
  }
});

test("KV-7: keys_only leaves out values, and leases unless sorted by value", () => {
  const driver = new Driver();
  driver.grant(7n);
  driver.put("a", "x", { lease: 7n });
  driver.put("a", "y", { lease: 7n });
  for (const rangeEnd of ["", "b"]) {
    const [pair] = driver.range("a", rangeEnd, { keysOnly: true }).kvs;
    const whole = unpacked(driver.live("a"));
    assert.deepEqual({ ...pair }, { ...whole, value: bytes(""), lease: 0n });
    const [sorted] = driver.range("a", rangeEnd, { keysOnly: true, sortTarget: SortTarget.VALUE }).kvs;
    assert.deepEqual({ ...sorted }, { ...whole, value: bytes("") });
  }
  assert.equal(text(driver.live("a").value), "y");
});

test("KV-8: every order by every target, over the whole range before limit", () => {
  const driver = new Driver();
  for (const [name, value] of [
    ["b", "3"],
    ["a", "2"],
    ["c", "1"],
    ["c", "1"],
    ["b", "3"],
    ["c", "1"],
  ])
    driver.put(name!, value);
  const ascending = (sortTarget: number, limit = 0) =>
    driver.keys("\0", "\0", { sortOrder: SortOrder.ASCEND, sortTarget, limit });
  const descending = (sortTarget: number, limit = 0) =>
    driver.keys("\0", "\0", { sortOrder: SortOrder.DESCEND, sortTarget, limit });
  const orders: [number, string[]][] = [
    [SortTarget.KEY, ["a", "b", "c"]],
    [SortTarget.VERSION, ["a", "b", "c"]],
    [SortTarget.CREATE, ["b", "a", "c"]],
    [SortTarget.MOD, ["a", "b", "c"]],
    [SortTarget.VALUE, ["c", "a", "b"]],
  ];
  for (const [target, expected] of orders) {
    assert.deepEqual(ascending(target), expected);
    assert.deepEqual(descending(target), [...expected].reverse());
    for (const limit of [1, 2]) {
      assert.deepEqual(ascending(target, limit), expected.slice(0, limit));
      assert.deepEqual(descending(target, limit), [...expected].reverse().slice(0, limit));
    }
  }
  const response = driver.range("\0", "\0", { sortOrder: SortOrder.ASCEND, sortTarget: SortTarget.CREATE, limit: 1 });
  assert.deepEqual([response.more, response.count], [true, 3]);
});

test("KV-8: keys_only with a sort by value still sorts by the values", () => {
  const driver = new Driver();
  driver.put("a", "2");
  driver.put("b", "1");
  const fields = { keysOnly: true, sortOrder: SortOrder.ASCEND, sortTarget: SortTarget.VALUE };
  assert.deepEqual(driver.keys("\0", "\0", fields), ["b", "a"]);
});

test("KV-9: a target without an order sorts only the first limit + 1 keys", () => {
  const driver = new Driver();
  for (const [name, value] of [
    ["a", "9"],
    ["b", "8"],
    ["c", "7"],
    ["d", "1"],
  ])
    driver.put(name!, value);
  assert.deepEqual(driver.keys("\0", "\0", { sortTarget: SortTarget.VALUE, limit: 2 }), ["c", "b"]);
  assert.deepEqual(driver.keys("\0", "\0", { sortTarget: SortTarget.VALUE }), ["d", "c", "b", "a"]);
  const filtered = { sortTarget: SortTarget.VALUE, limit: 2, minModRevision: 1 };
  assert.deepEqual(driver.keys("\0", "\0", filtered), ["d", "c"]);
});

test("KV-11: revision filters drop pairs before limit, more follows, count does not", () => {
  const driver = withKeys("a", "b", "c", "d");
  driver.put("a");
  assert.deepEqual(driver.keys("\0", "\0", { minModRevision: 4 }), ["a", "c", "d"]);
  assert.deepEqual(driver.keys("\0", "\0", { maxModRevision: 4 }), ["b", "c"]);
  assert.deepEqual(driver.keys("\0", "\0", { minCreateRevision: 3, maxCreateRevision: 4 }), ["b", "c"]);
  const response = driver.range("\0", "\0", { minModRevision: 4, limit: 2 });
  assert.deepEqual([response.kvs.length, response.more, response.count], [2, true, 4]);
  assert.equal(driver.range("\0", "\0", { minModRevision: 4, limit: 3 }).more, false);
  const single = driver.range("b", "", { minModRevision: 4 });
  assert.deepEqual([single.kvs.length, single.count], [0, 1]);
});

test("I3, KV-12: readable from the compacted revision to the current one", () => {
  const driver = new Driver();
  for (const value of ["1", "2", "3", "4"]) driver.put("a", value);
  assert.equal(driver.rangeRefusal("a", { revision: 6 }), "future-revision");
  driver.compact(3);
  assert.equal(driver.rangeRefusal("a", { revision: 2 }), "compacted");
  const values = [3, 4, 5, 0, -1, -9].map((revision) => text(driver.range("a", "", { revision }).kvs[0]!.value));
  assert.deepEqual(values, ["2", "3", "4", "4", "4", "4"]);
});

test("KV-13: serializable changes nothing about the answer", () => {
  const driver = withKeys("a", "b");
  assert.deepEqual(driver.range("\0", "\0", { serializable: true }), driver.range("\0", "\0"));
});

test("KV-22: every put makes a revision and a version, an identical one too", () => {
  const driver = new Driver();
  assert.equal(driver.put("a", "x").header?.revision, 2);
  assert.equal(driver.put("a", "x").header?.revision, 3);
  const { createRevision, modRevision, version } = driver.live("a");
  assert.deepEqual([createRevision, modRevision, version], [2, 3, 2]);
  driver.put("a", "");
  assert.equal(driver.value("a"), "");
});

test("KV-23: prev_kv returns the old pair, and nothing for a new key", () => {
  const driver = new Driver();
  assert.equal(driver.put("a", "x", { prevKv: true }).prevKv, undefined);
  const old = driver.live("a");
  assert.deepEqual(plain(driver.put("a", "y", { prevKv: true }).prevKv), plain(old));
  assert.equal(driver.put("a", "z").prevKv, undefined);
  driver.delete("a");
  assert.equal(driver.put("a", "x", { prevKv: true }).prevKv, undefined);
});

test("KV-24: ignore_value keeps the value and needs the key", () => {
  const driver = withKeys("a");
  driver.put("a", "", { ignoreValue: true });
  assert.deepEqual([driver.value("a"), driver.live("a").version], ["a", 2]);
  const request = putRequest({ key: "b", ignoreValue: true });
  assert.equal(driver.refusal({ kind: "put", request }), "key-not-found");
});

test("KV-26: deleted counts, prev_kvs come in key order and only when asked for", () => {
  const driver = withKeys("c", "a", "b", "d");
  const response = driver.delete("a", "d", { prevKv: true });
  assert.equal(response.deleted, 3);
  assert.deepEqual(
    response.prevKvs.map((pair) => text(pair.value)),
    ["a", "b", "c"],
  );
  assert.deepEqual(driver.changes(), ["DELETE a", "DELETE b", "DELETE c"]);
  const last = driver.delete("d");
  assert.deepEqual([last.deleted, last.prevKvs.length], [1, 0]);
});

test("KV-27: a delete that matches nothing makes no revision", () => {
  const driver = withKeys("a");
  for (const rangeEnd of ["", "z"]) {
    const response = driver.delete("b", rangeEnd, { prevKv: true });
    assert.deepEqual([response.deleted, response.prevKvs.length, response.header?.revision], [0, 0, 2]);
  }
  assert.deepEqual(driver.changes(), []);
  assert.equal(driver.revision, 2);
});

test("KV-28: after a delete, the next life starts anew", () => {
  const driver = withKeys("a");
  driver.put("a");
  driver.delete("a");
  assert.equal(driver.value("a"), undefined);
  driver.put("a");
  const { createRevision, modRevision, version } = driver.live("a");
  assert.deepEqual([createRevision, modRevision, version], [5, 5, 1]);
});

test("KV-29: one request that changes something is one revision, whatever the number of keys", () => {
  const driver = withKeys("a", "b", "c");
  driver.delete("\0", "\0");
  assert.equal(driver.revision, 5);
  assert.deepEqual(
    driver.machine.changes.map((change) => change.modRevision),
    [5, 5, 5],
  );
});

test("KV-30: reads, refusals, leases and compaction make no revision", () => {
  const driver = withKeys("a", "b");
  driver.range("\0", "\0");
  driver.grant(1n);
  driver.revoke(1n);
  driver.compact(2);
  driver.refusal({ kind: "put", request: putRequest({ key: "a", lease: 9n }) });
  driver.refusal({ kind: "leaseRevoke", leaseId: 9n });
  driver.machine.apply({ kind: "leaseExpire", leaseId: 9n, grantNumber: 1 });
  driver.machine.apply({ kind: "deleteRange", request: deleteRequest({ key: "z" }) });
  assert.equal(driver.revision, 3);
  assert.equal(driver.machine.appliedCommands, 2 + 3 + 4);
});

test("WATCH-18: a deletion carries nothing but key and revision", () => {
  const driver = new Driver();
  driver.grant(1n);
  driver.put("a", "x", { lease: 1n });
  driver.delete("a");
  const [deletion] = driver.machine.changes;
  assert.deepEqual(unpacked(deletion!), {
    key: "a",
    value: bytes(""),
    createRevision: 0,
    modRevision: 3,
    version: 0,
    lease: 0n,
  });
});

test("old revisions count right, by the way through time and by the way through the keys", () => {
  const driver = withKeys(...Array.from({ length: 50 }, (_, index) => `k${index}`));
  const counts = () => [10, 30, 51].map((revision) => driver.range("k1", "k5", { revision, countOnly: true }).count);
  const expected = [10, 30, 51].map((revision) => driver.range("k1", "k5", { revision }).kvs.length);
  assert.deepEqual(counts(), expected);
  driver.delete("k2", "k4");
  driver.put("k1");
  driver.put("k3");
  assert.deepEqual(counts(), expected);
  for (let round = 0; round < 100; round++) driver.put("k11");
  assert.deepEqual(counts(), expected);
});

test("forEachLive visits live keys in order and stops when told to", () => {
  const driver = withKeys("a", "b", "c", "d");
  driver.delete("b");
  const visited = (name: string, rangeEnd: string, last = "") => {
    const names: string[] = [];
    driver.machine.forEachLive(name as never, rangeEnd as never, (version) => {
      names.push(version.key);
      return version.key !== last;
    });
    return names;
  };
  assert.deepEqual(visited("a", "d"), ["a", "c"]);
  assert.deepEqual(visited("\0", "\0", "c"), ["a", "c"]);
  assert.deepEqual(visited("a", ""), ["a"]);
  assert.deepEqual(visited("b", ""), []);
});
