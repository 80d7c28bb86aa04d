import assert from "node:assert/strict";
import { test } from "node:test";
import { sortOpen } from "./open.mjs";

const subject = (id, ...problems) => ({ id, problems });

function sorted(open, missing) {
  const { failed, notRun } = sortOpen(open, missing);
  return { failed: failed.map(({ id }) => id), notRun: notRun.map(({ id }) => id) };
}

test("what a suite that was not run may settle is not run, and not failed", () => {
  const open = [
    subject("F1", "nothing proves it on a real process"),
    subject("F2", "nothing of it is reached by the simulator", "nothing planted of its kind was found"),
    subject("F3", "no test has passed", "nothing decides it"),
  ];
  assert.deepEqual(sorted(open, []), { failed: ["F1", "F2", "F3"], notRun: [] });
  assert.deepEqual(sorted(open, ["planted"]), { failed: ["F1", "F2"], notRun: ["F3"] });
  assert.deepEqual(sorted(open, ["planted", "simulator"]), { failed: ["F1"], notRun: ["F2", "F3"] });
  for (const suite of ["faults-kill", "faults-fuzz", "h2spec", "crash", "unit"])
    assert.ok(sorted(open, [suite]).notRun.includes("F1"), suite);
});

test("what has failed, or lacks something that no suite makes, is failed whatever was not run", () => {
  const open = [
    subject("F1", "failed: F1: a test", "nothing proves it on a real process"),
    subject("limit a", "there is no limit services.a", "no test has passed"),
    subject("limit b", "no metric, and no reason why"),
  ];
  assert.deepEqual(sorted(open, ["unit", "simulator", "planted", "faults-kill"]).notRun, []);
});
