import assert from "node:assert/strict";
import { test } from "node:test";
import { FindingBuilder } from "../checks/finding.js";
import { judge } from "../checks/index.js";
import { HistoryMaker } from "../testing/history-maker.js";
import { countsOf, marksOfChecks, ranCount } from "./check-counts.js";

test("a check that did not run, fell back or gave up is counted as such, not as one that ran", () => {
  const whole = new FindingBuilder("C2");
  const partly = new FindingBuilder("C7");
  partly.fellBack("the log was not observed");
  partly.gaveUp("keys");
  partly.count("expiries", 3);
  const counts = countsOf([whole.finding("there was no log"), partly.finding()]);
  assert.deepEqual(Object.fromEntries(counts), {
    "C2 skipped in runs where there was no log": 1,
    "C7 runs": 1,
    "C7 expiries": 3,
    "C7 gave up searches": 1,
    "C7 by answers alone in runs where the log was not observed": 1,
  });
});

test("I5: the mark of a resource that went backwards is what C6 counts", () => {
  const maker = new HistoryMaker();
  for (const token of [3, 2]) {
    maker.resourceWrites.push({ name: "L", client: "c", token, at: maker.moment(), accepted: token === 3 });
  }
  const counts = countsOf(judge(maker.history()));
  assert.equal(counts.get(ranCount("C6")), 1);
  assert.equal(marksOfChecks(counts).get("unfenced-overlap"), 1);
});
