import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Machine } from "../machine.js";
import { Calibration } from "./calibration.js";
import { compareCosts, differenceOf, type PathCost, readRecord, writeRecord } from "./record.js";

const machine: Machine = {
  processor: "a processor",
  cores: 4,
  memoryGiB: 8,
  system: "linux",
  node: "v20.20.2",
  diskSyncMs: 1,
  loadBefore: 0,
};

function path(name: string, cost: number): PathCost {
  return { name, cost, microseconds: cost };
}

test("what costs more than the tolerance allows is dearer, what costs as much less cheaper", () => {
  const record = { paths: [path("put", 100), path("range", 100), path("lock", 100), path("event", 100)] };
  const now = [path("put", 109), path("range", 111), path("lock", 91), path("event", 90)];
  const verdicts = compareCosts(record, now, () => 0.1).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts, ["as recorded", "dearer", "as recorded", "cheaper"]);
});

test("each path has a tolerance of its own", () => {
  const paths = [path("put", 100), path("range", 100)];
  const now = [path("put", 130), path("range", 130)];
  const verdicts = compareCosts({ paths }, now, (name) => (name === "put" ? 0.5 : 0.1)).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts, ["as recorded", "dearer"]);
});

test("the factor is cost now by cost then, whatever the microseconds say", () => {
  const [comparison] = compareCosts(
    { paths: [path("put", 50)] },
    [{ name: "put", cost: 60, microseconds: 1 }],
    () => 0.1,
  );
  assert.equal(comparison?.factor, 1.2);
});

test("a path that was never recorded is no reason for alarm, and said to be so", () => {
  const [comparison] = compareCosts({ paths: [] }, [path("put", 60)], () => 0.1);
  assert.deepEqual(comparison, { ...path("put", 60), factor: undefined, verdict: "not recorded" });
});

test("a record is compared on machines of its kind only", () => {
  assert.equal(differenceOf(machine, { ...machine, loadBefore: 3, node: "v20.19.0" }), undefined);
  assert.match(differenceOf(machine, { ...machine, processor: "another" }) ?? "", /another/);
  assert.match(differenceOf(machine, { ...machine, node: "v22.1.0" }) ?? "", /v20.*v22/);
});

test("a record is read as it was written; where there is none, nothing is", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "guard-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "results", "guard.json");
  assert.equal(readRecord(file), undefined);
  const record = { recordedAt: "now", version: "1", machine, calibrationMs: 100, paths: [path("put", 5)] };
  writeRecord(file, record);
  assert.deepEqual(readRecord(file), record);
});

test("a calibration is the same work every time", () => {
  const calibration = new Calibration();
  assert.ok(calibration.run() > 0);
  const { sum } = calibration;
  calibration.run();
  assert.equal(calibration.sum, sum);
  assert.notEqual(sum, 0);
});
