import assert from "node:assert/strict";
import { test } from "node:test";
import { median, percentile, readable } from "./figures.js";

test("the median of an odd, an even and an empty number of values", () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 3, 2]), median([])], [2, 2.5, Number.NaN]);
});

test("the median of infinite values is infinite", () => {
  assert.equal(median([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]), Number.POSITIVE_INFINITY);
});

test("a percentile is a value that occurred", () => {
  const shares = [0, 0.5, 0.51, 0.99, 1];
  assert.deepEqual(
    shares.map((share) => percentile([1, 2, 3, 4], share)),
    [1, 2, 3, 4, 4],
  );
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test("numbers are rounded to what they are worth", () => {
  const values = [1234567, 123.4, 12.34, 1.234, undefined, Number.NaN, Number.POSITIVE_INFINITY];
  assert.deepEqual(values.map(readable), ["1 234 567", "123", "12.3", "1.23", "-", "-", "∞"]);
});
