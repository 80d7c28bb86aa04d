import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeleteRangeRequest } from "@holdfast/protocol";
import fc from "fast-check";
import { byteString, Harness } from "../testing/harness.js";
import type { LockWaiter } from "./lock-queue.js";

const prefix = byteString("n/");

/** Puts `n/<name>` and waits for it to be the oldest; what happens is written to `told`. */
async function contend(harness: Harness, name: string, told: string[], lease = 0n): Promise<LockWaiter> {
  const createRevision = await harness.put(`n/${name}`, "", lease);
  const waiter = { granted: () => told.push(`${name} granted`), lost: () => told.push(`${name} lost`) };
  const result = harness.replica.locks.wait(prefix, byteString(`n/${name}`), createRevision, waiter);
  if (result !== "waiting") told.push(`${name} ${result}`);
  return waiter;
}

test("LOCK-3, LOCK-4: one release wakes one waiter, in create-revision order", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  for (const name of ["c", "a", "b"]) await contend(harness, name, told);
  assert.deepEqual(told, ["c held"]);
  await harness.delete("n/c");
  assert.deepEqual(told, ["c held", "a granted"]);
  await harness.delete("n/a");
  assert.deepEqual(told, ["c held", "a granted", "b granted"]);
  assert.equal(harness.replica.locks.waiterCount, 0);
});

test("LOCK-4: rewriting the older key wakes nobody", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  await contend(harness, "a", told);
  await contend(harness, "b", told);
  await harness.put("n/a", "again");
  assert.deepEqual(told, ["a held"]);
});

test("LOCK-5: every key under the prefix counts, nested and ordinary ones too", async () => {
  const harness = await Harness.start();
  await harness.put("n/deeper/x");
  await harness.put("n/config");
  const told: string[] = [];
  await contend(harness, "a", told);
  await harness.delete("n/deeper/x");
  assert.deepEqual(told, []);
  await harness.delete("n/config");
  assert.deepEqual(told, ["a granted"]);
});

test("LOCK-16: a waiter whose key is deleted is told at once, and the others keep their order", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  await harness.grant(5n, 60);
  for (const name of ["a", "b"]) await contend(harness, name, told);
  await contend(harness, "dead", told, 5n);
  await contend(harness, "c", told);
  await harness.propose({ kind: "leaseRevoke", leaseId: 5n });
  assert.deepEqual(told, ["a held", "dead lost"]);
  await harness.delete("n/a");
  await harness.delete("n/b");
  assert.deepEqual(told, ["a held", "dead lost", "b granted", "c granted"]);
});

test("LOCK-17: a key deleted and made again is another contender", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  await contend(harness, "a", told);
  await contend(harness, "b", told);
  await harness.delete("n/b");
  await harness.put("n/b");
  await harness.delete("n/a");
  assert.deepEqual(told, ["a held", "b lost"]);
});

test("I4b: waiting in a life that has already ended is lost at once", async () => {
  const harness = await Harness.start();
  const createRevision = await harness.put("n/a");
  await harness.delete("n/a");
  await harness.put("n/a");
  const nobody = { granted: () => assert.fail(), lost: () => assert.fail() };
  assert.equal(harness.replica.locks.wait(prefix, byteString("n/a"), createRevision, nobody), "lost");
});

test("one delete of holder and waiters loses the waiters and grants the next in the same turn", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  for (const name of ["a", "b", "c", "d"]) await contend(harness, name, told);
  const request = createDeleteRangeRequest({ key: byteString("n/a"), rangeEnd: byteString("n/d") });
  await harness.propose({ kind: "deleteRange", request });
  assert.deepEqual(told, ["a held", "b lost", "c lost", "d granted"]);
});

test("a waiter that leaves is told nothing; its key still counts", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  await contend(harness, "a", told);
  const b = await contend(harness, "b", told);
  await contend(harness, "c", told);
  harness.replica.locks.leave(prefix, byteString("n/b"), b);
  await harness.delete("n/a");
  assert.deepEqual(told, ["a held"]);
  await harness.delete("n/b");
  assert.deepEqual(told, ["a held", "c granted"]);
});

test("LOCK-11: two calls that wait on one key are both granted, or both lost", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  await contend(harness, "a", told);
  const createRevision = await harness.put("n/b");
  for (const name of ["first", "second"]) {
    const waiter = { granted: () => told.push(`${name} granted`), lost: () => told.push(`${name} lost`) };
    harness.replica.locks.wait(prefix, byteString("n/b"), createRevision, waiter);
  }
  await harness.delete("n/a");
  assert.deepEqual(told, ["a held", "first granted", "second granted"]);
});

test("I4a: whatever is deleted and in whatever order, the granted waiter is always the oldest living key", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...names), { maxLength: 12 }), async (deletions) => {
      const harness = await Harness.start();
      const told: string[] = [];
      for (const name of names) await contend(harness, name, told);
      const expected = ["a held"];
      const waiting = new Set(names.slice(1));
      const living = [...names];
      for (const name of deletions) {
        await harness.delete(`n/${name}`);
        const place = living.indexOf(name);
        if (place !== -1) living.splice(place, 1);
        if (waiting.delete(name)) expected.push(`${name} lost`);
        const oldest = living[0];
        if (oldest !== undefined && waiting.delete(oldest)) expected.push(`${oldest} granted`);
        assert.equal(harness.replica.locks.oldest(prefix)?.key, oldest === undefined ? undefined : `n/${oldest}`);
      }
      assert.deepEqual(told, expected);
    }),
    { numRuns: 50 },
  );
});

test("LOCK-5: the keys of a large prefix are read once, not for every caller that comes and goes", async () => {
  const harness = await Harness.start();
  const { locks, machine } = harness.replica;
  for (let i = 0; i < 100; i++) await harness.put(`n/ordinary/${i}`);
  let reads = 0;
  const forEachLive = machine.forEachLive.bind(machine);
  machine.forEachLive = (...args) => {
    reads++;
    forEachLive(...args);
  };
  const told: string[] = [];
  for (const name of ["a", "b", "c"]) {
    const waiter = await contend(harness, name, told);
    locks.leave(prefix, byteString(`n/${name}`), waiter);
    await harness.delete(`n/${name}`);
  }
  assert.equal(reads, 1);
  for (let i = 0; i < 100; i++) await harness.delete(`n/ordinary/${i}`);
  assert.equal(locks.oldest(prefix), undefined);
});

test("a queue that is kept without a waiter follows the keys", async () => {
  const harness = await Harness.start();
  for (let i = 100; i < 200; i++) await harness.put(`n/${i}`);
  assert.equal(harness.replica.locks.oldest(prefix)?.key, "n/100");
  await harness.delete("n/100");
  await harness.put("n/100");
  assert.equal(harness.replica.locks.oldest(prefix)?.key, "n/101");
  const told: string[] = [];
  await contend(harness, "late", told);
  for (let i = 100; i < 200; i++) await harness.delete(`n/${i}`);
  assert.deepEqual(told, ["late granted"]);
});
