import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limitsIn, namedIn, ResultCollector, readResults } from "./results.mjs";

test("a title names faults and invariants before its first colon, among names of other things", () => {
  assert.deepEqual(namedIn("F7, I11: the first failure is final"), ["F7", "I11"]);
  assert.deepEqual(namedIn("F15, LEASE-4, I4b: late"), ["F15", "I4b"]);
  assert.deepEqual(namedIn("LOCK-16, F24: a waiter goes"), ["F24"]);
  for (const title of ["what F7: is", "no colon F7", "F7 is not named: so", "F7:no space"])
    assert.deepEqual(namedIn(title), []);
});

test("a title names limits, one or several, beside faults", () => {
  assert.deepEqual(limitsIn("LIMIT streamsTotalMax: one more"), ["streamsTotalMax"]);
  assert.deepEqual(limitsIn("F26, LIMIT headMs, LIMIT bodyMs: silence"), ["headMs", "bodyMs"]);
  assert.deepEqual(limitsIn("LIMIT headMs, bodyMs: silence"), ["headMs", "bodyMs"]);
  assert.deepEqual(limitsIn("F49, I12: LIMIT passwordHashesWaiting: many"), ["passwordHashesWaiting"]);
  assert.deepEqual(limitsIn("LIMIT openRightsCheckIntervalMs, F48: all end"), ["openRightsCheckIntervalMs"]);
  assert.deepEqual(namedIn("LIMIT openRightsCheckIntervalMs, F48: all end"), ["F48"]);
  assert.deepEqual(limitsIn("F26: no limit"), []);
  assert.deepEqual(namedIn("F26, LIMIT headMs: silence"), ["F26"]);
});

test("what was collected is read again: the worst of a title counts, other titles do not", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-results-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const collector = new ResultCollector();
  collector.onPass({ name: "F1: one", file: "/x.test.js", details: {} });
  collector.onFail({ name: "F1: one", file: "/x.test.js", details: { error: new Error("why\nand more") } });
  collector.onPass({ name: "F2: two", file: "/x.test.js", details: {} });
  collector.onPass({ name: "F3: three", file: "/x.test.js", skip: "no mount", details: {} });
  collector.onPass({ name: "F4: four", file: "/x.test.js", todo: "later", details: {} });
  collector.onPass({ name: "unnamed", file: "/x.test.js", details: {} });
  collector.write("unit", folder);
  const found = readResults(folder).map(({ suite, title, result, reason }) => [suite, title, result, reason]);
  assert.deepEqual(found, [
    ["unit", "F1: one", "failed", "why"],
    ["unit", "F2: two", "passed", undefined],
    ["unit", "F3: three", "skipped", "no mount"],
  ]);
});

test("the file is that of the source", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-results-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const collector = new ResultCollector();
  const built = new URL("../../packages/log/dist/limits.test.js", import.meta.url).pathname;
  collector.onPass({ name: "F1: one", file: built, details: {} });
  collector.write("unit", folder);
  assert.equal(readResults(folder)[0].file, "packages/log/src/limits.test.ts");
});

test("nothing is written when nothing was named", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-results-"));
  t.after(() => rmSync(folder, { recursive: true }));
  new ResultCollector().write("unit", folder);
  assert.deepEqual(readResults(folder), []);
});
