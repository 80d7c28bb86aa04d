/** Right histories pass every check, at random and in size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { randomHistory } from "../testing/random-history.js";
import { checkHistory, judge } from "./index.js";

test("C1 to C11: right histories pass", () => {
  for (let seed = 0; seed < 60; seed++) {
    const history = randomHistory({ seed, clients: 2 + (seed % 7), calls: 150 });
    assert.deepEqual(checkHistory(history), [], `seed ${seed}`);
  }
});

test("C3 to C9: right histories pass without a log", () => {
  for (let seed = 0; seed < 60; seed++) {
    const history = { ...randomHistory({ seed, clients: 2 + (seed % 7), calls: 150 }), entries: [], finalEntries: [] };
    assert.deepEqual(checkHistory(history), [], `seed ${seed}`);
    const skipped = judge(history).filter((finding) => finding.skipped !== undefined);
    assert.deepEqual(
      skipped.map(({ check }) => check),
      ["C1", "C2", "C10", "C11"],
    );
  }
});
