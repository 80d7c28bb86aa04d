import assert from "node:assert/strict";
import { test } from "node:test";
import { flatFactorMax, judgeFlatness } from "./flatness.js";

function judge(...costs: number[]) {
  return judgeFlatness(costs.map((microseconds, at) => ({ size: 10 ** at, microseconds })));
}

test("costs that stay the same, fall or waver are flat", () => {
  assert.ok(judge(10, 10, 10, 10).isFlat);
  assert.deepEqual(judge(50, 20, 10), { isFlat: true, factor: 1, from: 1, to: 1 });
  assert.ok(judge(10, 15, 9, 16).isFlat);
});

test("a cost that grows with the size is not flat, and the steepest rise is named", () => {
  assert.deepEqual(judge(10, 10, 25, 100), { isFlat: false, factor: 10, from: 1, to: 1000 });
});

test("a slow rise adds up", () => {
  const verdict = judge(10, 14, 19, 26);
  assert.ok(!verdict.isFlat);
  assert.equal(verdict.factor, 2.6);
});

test("a dear first size, which nothing could be gathered at, hides no rise behind it", () => {
  assert.deepEqual(judge(65, 10, 12, 30), { isFlat: false, factor: 3, from: 10, to: 1000 });
});

test("exactly the stated factor is flat", () => {
  assert.ok(judge(1, flatFactorMax).isFlat);
});

test("one size alone, or none, is flat", () => {
  assert.ok(judge(5).isFlat);
  assert.ok(judge().isFlat);
});
