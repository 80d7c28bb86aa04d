import assert from "node:assert/strict";
import test from "node:test";
import { Histogram, risingBounds } from "./histogram.js";

test("values fall into the first bucket whose bound they do not exceed", () => {
  const histogram = new Histogram([1, 2, 4]);
  for (const value of [0, 1, 1.5, 2, 3, 100]) histogram.observe(value);
  assert.deepEqual(histogram.cumulative(), [2, 4, 5]);
  assert.equal(histogram.count, 6);
  assert.equal(histogram.sum, 107.5);
});

test("bounds that do not rise are refused", () => {
  assert.throws(() => new Histogram([1, 1]), RangeError);
  assert.throws(() => new Histogram([2, 1]), RangeError);
});

test("rising bounds grow by their factor", () => {
  assert.deepEqual(risingBounds(1, 2, 4), [1, 2, 4, 8]);
});
