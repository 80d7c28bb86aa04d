/**
 * The rules of compaction, and of removing what it leaves.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Driver, deleteOp, key, putOp, text } from "./testing/builders.js";

function sweepAll(driver: Driver): void {
  while (!driver.machine.sweep(1));
}

/** "revision:kind key" of every event from a revision on. */
function history(driver: Driver, fromRevision: number): string[] {
  const seen: string[] = [];
  driver.machine.readHistory(fromRevision, 1000, (revision, events) => {
    for (const event of events) seen.push(`${revision}:${event.version === 0 ? "DELETE" : "PUT"} ${event.key}`);
  });
  return seen;
}

test("COMP-1: not at or below the last compaction, not above the current revision", () => {
  const driver = new Driver();
  for (let round = 0; round < 4; round++) driver.put("a");
  driver.compact(3);
  assert.equal(driver.refusal({ kind: "compact", revision: 3 }), "compacted");
  assert.equal(driver.refusal({ kind: "compact", revision: 2 }), "compacted");
  assert.equal(driver.refusal({ kind: "compact", revision: 6 }), "future-revision");
  driver.compact(5);
  assert.equal(driver.machine.compactRevision, 5);
});

test("COMP-2: on a store never compacted, Compact(0) succeeds once", () => {
  const driver = new Driver();
  assert.equal(driver.machine.compactRevision, -1);
  assert.equal(driver.refusal({ kind: "compact", revision: -1 }), "compacted");
  driver.compact(0);
  assert.equal(driver.refusal({ kind: "compact", revision: 0 }), "compacted");
  driver.compact(1);
});

test("COMP-3: the newest version at or before the revision stays, older ones go", () => {
  const driver = new Driver();
  for (const value of ["1", "2", "3"]) driver.put("a", value);
  driver.put("b");
  driver.put("a", "4");
  driver.compact(5);
  for (const swept of [false, true]) {
    if (swept) sweepAll(driver);
    assert.equal(driver.rangeRefusal("a", { revision: 4 }), "compacted");
    assert.deepEqual(
      [5, 6].map((revision) => text(driver.range("a", "", { revision }).kvs[0]!.value)),
      ["3", "4"],
    );
    assert.deepEqual(history(driver, 5), ["5:PUT b", "6:PUT a"]);
    assert.equal(driver.machine.getAt(key("a"), 4), undefined);
  }
});

test("COMP-4: a deletion at exactly the revision is kept, one before it is not", () => {
  const driver = new Driver();
  driver.put("a");
  driver.put("b");
  driver.delete("a");
  driver.delete("b");
  driver.put("c");
  driver.compact(5);
  sweepAll(driver);
  assert.deepEqual(history(driver, 5), ["5:DELETE b", "6:PUT c"]);
  assert.deepEqual(driver.keys("\0", "\0", { revision: 5 }), []);
  driver.compact(6);
  sweepAll(driver);
  assert.deepEqual(history(driver, 6), ["6:PUT c"]);
});

test("COMP-5: until it is swept, compacted data takes room but cannot be read", () => {
  const driver = new Driver();
  for (let round = 0; round < 10; round++) driver.put("a", "value");
  const before = driver.machine.approximateBytes;
  driver.compact(11);
  assert.equal(driver.machine.approximateBytes, before);
  assert.equal(driver.machine.sweep(3), false);
  sweepAll(driver);
  // The version at the compacted revision stays.
  assert.equal(driver.machine.approximateBytes, before / 10);
  assert.equal(driver.machine.sweep(0), true);
});

test("COMP-4: compacting at the revision of a deletion frees what was deleted, whenever it was written", () => {
  const driver = new Driver();
  const value = "x".repeat(10_000);
  driver.put("a", value);
  driver.put("b", value);
  driver.compact(3);
  sweepAll(driver);
  driver.put("c", value);
  driver.delete("\0", "\0");
  const deletions = 3 * 65;
  driver.compact(5);
  assert.equal(driver.machine.sweep(2), false);
  sweepAll(driver);
  assert.equal(driver.machine.approximateBytes, deletions);
  assert.deepEqual(history(driver, 5), ["5:DELETE a", "5:DELETE b", "5:DELETE c"]);
  for (const change of driver.machine.changes) assert.equal(driver.machine.previousVersion(change), undefined);
  driver.put("b", "again");
  assert.deepEqual(driver.keys("\0", "\0", { revision: 5 }), []);
  assert.deepEqual(driver.keys("\0", "\0"), ["b"]);
});

test("COMP-6: the answer carries the current revision, and there is no new one", () => {
  const driver = new Driver();
  driver.put("a");
  driver.put("a");
  const outcome = driver.machine.apply({ kind: "compact", revision: 2 });
  assert.ok(outcome.kind === "compact");
  assert.deepEqual([outcome.response.header?.revision, driver.revision], [3, 3]);
});

test("a key deleted before the compaction is forgotten altogether", () => {
  const driver = new Driver();
  const empty = driver.machine.approximateBytes;
  for (let index = 0; index < 600; index++) driver.put(`k${index}`);
  driver.delete("\0", "\0");
  driver.put("z");
  driver.delete("z");
  driver.compact(driver.revision);
  sweepAll(driver);
  driver.put("y");
  driver.compact(driver.revision);
  sweepAll(driver);
  driver.delete("y");
  driver.put("x");
  driver.delete("x");
  driver.put("w");
  driver.delete("w");
  driver.compact(driver.revision);
  sweepAll(driver);
  // What is left is the deletion at the compacted revision.
  assert.deepEqual(history(driver, driver.revision), [`${driver.revision}:DELETE w`]);
  assert.equal(driver.machine.approximateBytes - empty, 65);
});

test("COMP-3: a key put and deleted in one transaction at the revision keeps both events", () => {
  const driver = new Driver();
  driver.put("a");
  driver.txn({ success: [putOp({ key: "a" }), deleteOp({ key: "a", rangeEnd: "\0" })] });
  driver.compact(3);
  sweepAll(driver);
  assert.deepEqual(history(driver, 3), ["3:PUT a", "3:DELETE a"]);
  assert.deepEqual(driver.keys("a", "", { revision: 3 }), []);
});

test("sweep is held off while a frozen state is open", () => {
  const driver = new Driver();
  driver.put("a");
  driver.put("a");
  driver.compact(3);
  const [first, second] = [driver.machine.freeze(), driver.machine.freeze()];
  assert.deepEqual([driver.machine.sweepIsHeldOff, driver.machine.sweep(10)], [true, false]);
  first.release();
  first.release();
  assert.deepEqual([driver.machine.sweepIsHeldOff, driver.machine.sweep(10)], [true, false]);
  second.release();
  assert.deepEqual([driver.machine.sweepIsHeldOff, driver.machine.sweep(10)], [false, true]);
});
