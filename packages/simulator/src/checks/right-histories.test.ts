/** Right histories pass every check, at random and in size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { History, Violation } from "../history/history.js";
import { randomHistory } from "../testing/random-history.js";
import { judge } from "./index.js";

function violationsOf(history: History): Violation[] {
  return judge(history).flatMap(({ violations }) => violations);
}

test("C1 to C11: right histories pass", () => {
  for (let seed = 0; seed < 60; seed++) {
    const history = randomHistory({ seed, clients: 2 + (seed % 7), calls: 150 });
    assert.deepEqual(violationsOf(history), [], `seed ${seed}`);
  }
});

test("C3 to C9: right histories pass without a log", () => {
  for (let seed = 0; seed < 60; seed++) {
    const history = { ...randomHistory({ seed, clients: 2 + (seed % 7), calls: 150 }), entries: [], finalEntries: [] };
    assert.deepEqual(violationsOf(history), [], `seed ${seed}`);
    const findings = judge(history);
    const skipped = findings.filter((finding) => finding.skipped !== undefined).map(({ check }) => check);
    assert.deepEqual(skipped, ["C1", "C2", "C10", "C11"]);
    const fellBack = findings.filter((finding) => finding.fellBack !== undefined).map(({ check }) => check);
    assert.deepEqual(fellBack, ["C5", "C7", "C8", "C9"]);
  }
});
