import assert from "node:assert/strict";
import { test } from "node:test";
import { marks } from "./marks.js";
import { Report, type SeedSummary } from "./report.js";

function summary(seed: number, changes: Partial<SeedSummary> = {}): SeedSummary {
  return {
    seed,
    steps: 10,
    virtualMs: 3_600_000,
    faults: [],
    marks: {},
    counts: {},
    failedChecks: [],
    violations: [],
    report: undefined,
    ...changes,
  };
}

function resultOf(report: Report, start: string) {
  return report.results().find(({ title }) => title.startsWith(start));
}

test("a seed that failed is named where its check and its faults are", () => {
  const report = new Report();
  report.add(summary(1, { faults: ["kill"], counts: { "C8 runs": 1 } }));
  report.add(summary(2, { faults: ["kill", "cut"], failedChecks: ["C5"] }));
  assert.deepEqual([report.passed, report.failed], [1, 1]);
  assert.deepEqual(resultOf(report, "I4a, I4b, I5, C5")?.reason, "seeds 2");
  assert.equal(resultOf(report, "F1: simulated runs with kill")?.result, "failed");
  assert.equal(resultOf(report, "I7, C8")?.result, "passed");
  assert.equal(resultOf(report, "F8: simulated runs with slow-disk")?.result, "skipped");
});

test("a check that had nothing to look at in any seed is not told to have passed", () => {
  const report = new Report();
  report.add(summary(1, { counts: { "C10 states compared": 2, "C10 runs": 1, "C2 skipped in runs where …": 1 } }));
  report.add(summary(2, { counts: { "C10 states compared": 3, "C10 runs": 1, "C2 skipped in runs where …": 1 } }));
  assert.equal(resultOf(report, "I10, C10")?.result, "passed");
  assert.equal(resultOf(report, "I1, I2, I3, I9, C2")?.result, "skipped");
  assert.deepEqual(
    [...report.counts],
    [
      ["C2 skipped in runs where …", 2],
      ["C10 runs", 2],
      ["C10 states compared", 5],
    ],
  );
});

test("a mark that so many seeds did not reach fails; with few seeds nothing can be said", () => {
  const few = new Report();
  few.add(summary(1, { marks: { "tail-cut": 2 } }));
  assert.equal(resultOf(few, "SIM tail-cut: F3")?.result, "passed");
  assert.equal(resultOf(few, "SIM no-space")?.result, "skipped");
  const many = new Report();
  for (let seed = 1; seed <= 1_000; seed++) many.add(summary(seed, { marks: { "tail-cut": 1 } }));
  assert.equal(many.reached.get("tail-cut"), 1_000);
  assert.equal(resultOf(many, "SIM no-space")?.result, "failed");
  assert.deepEqual([many.steps, many.virtualHours], [10_000, 1_000]);
});

test("marks have names of their own", () => {
  assert.equal(new Set(marks.map(({ name }) => name)).size, marks.length);
});
