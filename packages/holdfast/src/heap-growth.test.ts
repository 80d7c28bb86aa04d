import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapGrowth } from "./heap-growth.js";

const MiB = 1024 * 1024;

/** What is set at each of the looks that find so much in use; undefined where nothing is. */
function setAt(...usedMiB: number[]): (number | undefined)[] {
  const growth = new HeapGrowth();
  return usedMiB.map((used) => growth.look(used * MiB));
}

test("64 MiB of garbage have room however little is in use, and V8's own measure holds once that leaves as much", () => {
  assert.deepEqual(setAt(4), [1600]);
  assert.deepEqual(setAt(8), [800]);
  assert.deepEqual(setAt(32), [200]);
  for (const used of [33, 64, 200, 4_000]) assert.deepEqual(setAt(used), [undefined], `${used} MiB`);
});

test("garbage does not count as in use, nor does a little more or less", () => {
  assert.deepEqual(setAt(10, 60, 9, 16, 8, 70), [640, undefined, undefined, undefined, undefined, undefined]);
});

test("what stays in use for as many looks as are remembered does count, in either direction", () => {
  const rising = setAt(8, ...Array<number>(10).fill(200));
  assert.deepEqual(rising, [800, ...Array<undefined>(9).fill(undefined), 0]);
  assert.deepEqual(setAt(200, 8), [undefined, 800]);
});
