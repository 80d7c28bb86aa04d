import assert from "node:assert/strict";
import { test } from "node:test";
import { allAxes } from "./axes/all.js";
import { sizesFor } from "./axis.js";

test("every axis has ascending sizes for every kind of run, and --full only adds to the usual ones", () => {
  for (const { name, sizes } of allAxes) {
    for (const [server, those] of Object.entries(sizes)) {
      const usual = sizesFor(those, { isQuick: false, isFull: false });
      const full = sizesFor(those, { isQuick: false, isFull: true });
      for (const some of [those.quick, usual, full]) {
        assert.deepEqual(
          some,
          [...some].sort((a, b) => a - b),
          `${name}, ${server}`,
        );
        assert.ok(some.length >= 2, `${name}, ${server}`);
      }
      assert.deepEqual(full.slice(0, usual.length), usual);
    }
  }
});

test("the largest sizes are those that the project promises", () => {
  const largest = Object.fromEntries(
    allAxes.map(({ name, sizes }) => [name, sizesFor(sizes.Holdfast, { isQuick: false, isFull: true }).at(-1)]),
  );
  assert.deepEqual(largest, { keys: 1e6, watchers: 1e5, connections: 1e4, waiters: 99_000, history: 1e7 });
});
