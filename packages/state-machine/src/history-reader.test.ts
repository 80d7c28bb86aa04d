/**
 * What watchers read.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PackedKeyValue } from "@holdfast/protocol";
import { Driver, deleteOp, putOp, text } from "./testing/builders.js";
import type { KeyVersion } from "./types.js";

function eventsOf(driver: Driver, revision: number): readonly KeyVersion[] {
  const seen: (readonly KeyVersion[])[] = [];
  driver.machine.readHistory(revision, 1, (_, events) => seen.push(events));
  return seen[0]!;
}

test("WATCH-8, WATCH-19: history comes from a revision inclusive, whole revisions in order", () => {
  const driver = new Driver();
  driver.put("a");
  driver.txn({ success: [putOp({ key: "c" }), putOp({ key: "b" })] });
  driver.delete("\0", "\0");
  const seen: string[] = [];
  const next = driver.machine.readHistory(3, 10, (revision, events) => {
    seen.push(`${revision}: ${events.map((event) => event.key)}`);
  });
  assert.deepEqual(seen, ["3: c,b", "4: a,b,c"]);
  assert.equal(next, 5);
});

test("WATCH-20: a reading ends after the revisions asked for, and goes on where it ended", () => {
  const driver = new Driver();
  for (let round = 0; round < 2500; round++) driver.put("a");
  const seen: number[] = [];
  let next = 1;
  const steps: number[] = [];
  while (next <= driver.revision) {
    next = driver.machine.readHistory(next, 1000, (revision) => seen.push(revision));
    steps.push(next);
  }
  assert.deepEqual(steps, [1002, 2002, 2502]);
  assert.deepEqual(
    seen,
    Array.from({ length: 2500 }, (_, index) => index + 2),
  );
});

test("a visitor can end the reading after a revision", () => {
  const driver = new Driver();
  for (let round = 0; round < 5; round++) driver.put("a");
  assert.equal(
    driver.machine.readHistory(2, 10, (revision) => revision < 4),
    5,
  );
});

test("WATCH-7: reading from the future finds nothing and stays there", () => {
  const driver = new Driver();
  assert.equal(
    driver.machine.readHistory(1, 10, () => assert.fail()),
    2,
  );
  assert.equal(
    driver.machine.readHistory(7, 10, () => assert.fail()),
    7,
  );
});

test("WATCH-22: reading below the compacted revision is a mistake of the caller", () => {
  const driver = new Driver();
  driver.put("a");
  driver.put("a");
  driver.compact(3);
  assert.throws(() => driver.machine.readHistory(2, 10, () => {}), RangeError);
  assert.equal(
    driver.machine.readHistory(3, 10, () => {}),
    4,
  );
});

test("WATCH-25: the pair before is that of the revision before, whatever the transaction did first", () => {
  const driver = new Driver();
  driver.put("a", "1");
  driver.txn({ success: [putOp({ key: "a", value: "2" }), deleteOp({ key: "a", rangeEnd: "\0" })] });
  const before = driver.machine.changes.map((change) => text(driver.machine.previousVersion(change)!.value));
  assert.deepEqual(before, ["1", "1"]);
});

test("WATCH-25: none for a creation, nor for a key that did not live at the revision before", () => {
  const driver = new Driver();
  driver.put("a", "1");
  assert.equal(driver.machine.previousVersion(driver.live("a")), undefined);
  driver.txn({ success: [putOp({ key: "b" }), deleteOp({ key: "b", rangeEnd: "\0" })] });
  assert.deepEqual(driver.changes(), ["PUT b", "DELETE b"]);
  for (const change of driver.machine.changes) assert.equal(driver.machine.previousVersion(change), undefined);
  driver.txn({ success: [deleteOp({ key: "a", rangeEnd: "\0" }), putOp({ key: "a" })] });
  const [deletion, creation] = driver.machine.changes;
  assert.equal(text(driver.machine.previousVersion(deletion!)!.value), "1");
  assert.equal(driver.machine.previousVersion(creation!), undefined);
});

test("WATCH-25: none when the revision before is compacted", () => {
  const driver = new Driver();
  for (const value of ["1", "2", "3", "4"]) driver.put("a", value);
  driver.compact(3);
  assert.equal(driver.machine.previousVersion(eventsOf(driver, 3)[0]!), undefined);
  assert.equal(text(driver.machine.previousVersion(eventsOf(driver, 4)[0]!)!.value), "2");
});

test("a version is the same memory wherever it is seen", () => {
  const driver = new Driver();
  driver.put("a", "1");
  const [change] = driver.machine.changes;
  for (const seen of [driver.live("a"), driver.range("a").kvs[0], eventsOf(driver, 2)[0]]) {
    assert.ok(seen instanceof PackedKeyValue && change instanceof PackedKeyValue);
    assert.deepEqual([seen.memory, seen.start], [change.memory, change.start]);
  }
});
