import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, readCommitted, tolerateSkips } from "./committed.mjs";
import { renderDocument } from "./render.mjs";
import { classify, faultStatus } from "./status.mjs";

const model = {
  faults: [{ id: "F2", name: "Power cut", invariants: [], wantsReal: true }],
  invariants: [],
  checks: [],
};
const noReasons = { notYet: {}, withoutMark: {}, withoutReal: {}, withoutPlanted: {}, plantedAlso: {}, marksAlso: {} };

function documentOf(results) {
  const classes = classify(results);
  return renderDocument({ faults: faultStatus(model, classes, noReasons), invariants: [], limits: [], classes });
}

function cut(result, title = "F2: the power is cut", file = "faults/src/cut.ts") {
  return { suite: "faults-power-cut", title, file, result, ...(result === "skipped" ? { reason: "no root" } : {}) };
}

test("what was written is read again, and the same results make the same document", () => {
  const document = documentOf([cut("passed"), cut("failed", "F2: another")]);
  assert.deepEqual([...readCommitted(document).passed], ["faults-power-cut F2: the power is cut"]);
  assert.deepEqual(differences(document, documentOf([cut("failed", "F2: another"), cut("passed")])), []);
  assert.match(document, /no test|failed: F2: another/);
});

test("what was skipped here and had passed before stays, and is told", () => {
  const before = documentOf([cut("passed")]);
  const { results, tolerated } = tolerateSkips([cut("skipped")], readCommitted(before));
  assert.deepEqual(tolerated, ["F2: the power is cut: no root"]);
  assert.deepEqual(differences(before, documentOf(results)), []);
});

test("what was skipped and never passed is open", () => {
  const { results, tolerated } = tolerateSkips([cut("skipped")], readCommitted(""));
  assert.deepEqual(tolerated, []);
  assert.match(documentOf(results), /\*\*Open\*\*: no test has passed/);
});

test("a file of very many tests is one line, which stays when the file could not run at all", () => {
  const cases = Array.from({ length: 146 }, (_, n) => cut("passed", `F2: case ${n}`));
  const before = documentOf(cases);
  assert.match(before, /^- passed: 146 tests — /m);
  const { results } = tolerateSkips([cut("skipped", "F2: no tool")], readCommitted(before));
  assert.deepEqual(differences(before, documentOf(results)), []);
});

test("a document of other tests differs; how many seeds it took to find a bug does not count", () => {
  const bug = (seeds) => ({ ...cut("passed", `PLANTED no-sync (F2): found after ${seeds} seeds`), suite: "planted" });
  assert.deepEqual(differences(documentOf([bug(1)]), documentOf([bug(20)])), []);
  assert.notDeepEqual(differences(documentOf([cut("passed")]), documentOf([cut("passed", "F2: renamed")])), []);
});
