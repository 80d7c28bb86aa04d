import assert from "node:assert/strict";
import { test } from "node:test";
import { byteString, Harness } from "../testing/harness.js";
import { countBlocks } from "../testing/work-count.js";

/** Waits with `key` for what is older under `prefix`; what becomes of it is written to `told`. */
async function wait(harness: Harness, prefix: string, key: string, told: string[]): Promise<void> {
  const createRevision = await harness.put(key);
  const waiter = { granted: () => told.push(`${key} granted`), lost: () => told.push(`${key} lost`) };
  harness.replica.locks.wait(byteString(prefix), byteString(key), createRevision, waiter);
}

test("I12: while somebody waits, a key of nothing but slashes costs little more work than any other", async () => {
  const harness = await Harness.start();
  await harness.put("n/a");
  await wait(harness, "n/", "n/b", []);
  const work = (key: string): Promise<number> => countBlocks("/replica/dist/locks/lock-queue", () => harness.put(key));
  await harness.put("warm/up");
  const [plain, slashes] = [await work("x/y"), await work("/".repeat(100_000))];
  assert.ok(plain > 0, "nothing was counted");
  assert.ok(slashes < 100 * plain, `${slashes} blocks instead of ${plain}`);
});

test("LOCK-5: a key counts in every queue whose prefix it has, however deep it lies", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  const deep = "d/".repeat(200);
  const prefixes = ["d/", "d/d/", "d/".repeat(40), "d/".repeat(100), deep];
  await harness.put(`${deep}holder`);
  for (const prefix of prefixes) await wait(harness, prefix, `${prefix}w`, told);
  await harness.put(`${deep}younger`);
  assert.equal(harness.replica.locks.waiterCount, prefixes.length);
  assert.deepEqual(told, []);
  await harness.delete(`${deep}holder`);
  assert.deepEqual(told.sort(), prefixes.map((prefix) => `${prefix}w granted`).sort());
  assert.equal(harness.replica.locks.waiterCount, 0);
});

test("LOCK-16: a waiter deep below other queues is told when its key goes, and so are those above it", async () => {
  const harness = await Harness.start();
  const told: string[] = [];
  const deep = "d/".repeat(100);
  await harness.put("d/holder");
  await harness.put(`${deep}holder`);
  await wait(harness, deep, `${deep}w`, told);
  await wait(harness, "d/", "d/w", told);
  await harness.delete(`${deep}w`);
  await harness.delete("d/holder");
  assert.deepEqual(told, [`${deep}w lost`]);
  await harness.delete(`${deep}holder`);
  assert.deepEqual(told, [`${deep}w lost`, "d/w granted"]);
});
