import assert from "node:assert/strict";
import { test } from "node:test";
import { readFaultModel } from "./fault-model.mjs";
import { limitRows, measuredRows } from "./limits-table.mjs";
import * as reasons from "./reasons.mjs";
import { classify, faultStatus, invariantStatus, limitStatus } from "./status.mjs";

const model = {
  faults: [
    { id: "F1", name: "Killed", invariants: ["I1"], wantsReal: true, wantsSimulator: true },
    { id: "F2", name: "Power", invariants: [], wantsReal: false, wantsSimulator: true },
    { id: "F51", name: "Log gone", invariants: [], wantsReal: true, wantsSimulator: true },
  ],
  invariants: [
    { id: "I1", name: "Durability", checks: ["C1"] },
    { id: "I4", name: "Exclusion", checks: ["C5"] },
    { id: "I4b", name: "no dead grant", checks: ["C5"] },
  ],
  checks: [{ id: "C1", text: "", decides: ["I1"] }],
  limits: [
    { what: "streams", value: "5", why: "F38" },
    { what: "answers", value: "200 ms", why: "I12" },
  ],
};
const noReasons = { notYet: {}, withoutMark: {}, withoutReal: {}, withoutPlanted: {}, plantedAlso: {}, marksAlso: {} };

function passed(suite, title, result = "passed") {
  return { suite, title, file: "x", result };
}

const covered = [
  passed("unit", "F1: an assertion"),
  passed("faults-kill", "F1: a real one"),
  passed("simulator", "I1, C1: no violation in any seed"),
  passed("simulator", "SIM killed: F1: a server was killed"),
  passed("planted", "PLANTED answer-before-sync (F1, I1): found after 3 seeds"),
];

test("a fault with all four boxes and a passed test is covered", () => {
  const [fault] = faultStatus(model, classify(covered), noReasons);
  assert.deepEqual(fault.problems, []);
  assert.deepEqual(fault.boxes.decided.names, ["C1"]);
  assert.deepEqual(fault.boxes.simulator.names, ["killed"]);
  assert.equal(fault.boxes.real.count, 1);
  assert.deepEqual(
    fault.boxes.planted.found.map(({ name }) => name),
    ["answer-before-sync"],
  );
});

test("without each of them it is open", () => {
  const names = ["real one", "SIM killed", "PLANTED"];
  for (const name of names) {
    const [fault] = faultStatus(model, classify(covered.filter(({ title }) => !title.includes(name))), noReasons);
    assert.equal(fault.problems.length, 1, name);
  }
  const [none] = faultStatus(model, classify([]), noReasons);
  assert.ok(none.problems.includes("no test has passed"));
});

test("a failed test opens it, and a failed mark or bug fills no box", () => {
  for (const [at] of covered.entries()) {
    const results = covered.with(at, { ...covered[at], result: "failed" });
    const [fault] = faultStatus(model, classify(results), noReasons);
    // A failed check leaves the assertions of its tests, and opens its invariant.
    if (at !== 2) assert.notDeepEqual(fault.problems, [], covered[at].title);
    else assert.notDeepEqual(invariantStatus(model, classify(results))[0].problems, []);
  }
});

test("a reason stands for a box; a fault that cannot be had yet is not open", () => {
  const why = { ...noReasons, notYet: { F51: "later" }, withoutPlanted: { F2: "why" }, marksAlso: { F2: ["killed"] } };
  const statuses = faultStatus(model, classify([...covered, passed("unit", "F2: an assertion")]), why);
  assert.deepEqual(statuses[1].problems, []);
  assert.deepEqual([statuses[2].waits, statuses[2].problems], ["later", []]);
});

test("what proves a part of an invariant proves some of the whole, and not the other way round", () => {
  const part = invariantStatus(model, classify([passed("unit", "I4b: a part")]));
  assert.deepEqual(
    part.map(({ problems }) => problems.length === 0),
    [false, true, true],
  );
  const whole = invariantStatus(model, classify([passed("unit", "I4: the whole")]));
  assert.deepEqual(
    whole.map(({ problems }) => problems.length === 0),
    [false, true, false],
  );
});

test("a limit needs an option that exists, a metric that is documented or a reason, and a test", () => {
  const problemsOf = (entry, title) => {
    const settings = { rows: { streams: [entry] }, defaults: new Map([["t.streamsMax", 5]]), metrics: new Set(["m"]) };
    const { limits } = limitStatus(model, classify([passed("unit", title)]), settings);
    return limits[0].options[0].problems.length;
  };
  const title = "LIMIT streamsMax: one more";
  assert.equal(problemsOf({ option: "t.streamsMax", metric: "m" }, title), 0);
  assert.equal(problemsOf({ option: "t.streamsMax", why: "because" }, title), 0);
  assert.equal(problemsOf({ option: "t.streamsMax", metric: "other" }, title), 1);
  assert.equal(problemsOf({ option: "t.streamsMax" }, title), 1);
  assert.equal(problemsOf({ option: "t.streamMax", metric: "m" }, title), 2);
  assert.equal(problemsOf({ option: "t.streamsMax", metric: "m" }, "LIMIT other: one more"), 1);
});

test("the fault model is read: its faults, invariants, checks and limits; and the data here are about them", () => {
  const real = readFaultModel();
  assert.deepEqual(
    real.faults.map(({ id }) => id),
    Array.from({ length: 63 }, (_, at) => `F${at + 1}`),
  );
  assert.deepEqual(real.invariants.map(({ id }) => id).filter((id) => /\d$/.test(id)).length, 14);
  assert.equal(real.checks.length, 13);
  const byId = new Map(real.faults.map((fault) => [fault.id, fault]));
  assert.equal(byId.get("F1").name, "Process killed at any instant");
  assert.deepEqual([byId.get("F1").wantsSimulator, byId.get("F1").wantsReal], [true, true]);
  assert.equal(byId.get("F29").name, "Made-you-reset");
  assert.ok(byId.get("F27").invariants.includes("I7"), "I4–I9 stands for those between as well");
  const rows = real.limits.map(({ what }) => what);
  assert.deepEqual([...Object.keys(limitRows)].sort(), [...rows].sort());
  for (const what of Object.keys(measuredRows)) assert.ok(rows.includes(what));
  for (const table of Object.values(reasons)) for (const id of Object.keys(table)) assert.ok(byId.has(id), id);
});
