import assert from "node:assert/strict";
import { test } from "node:test";
import type { Goal, Sample } from "../workload.js";
import { goalText, isReached, type Measured, mediansOf, ratioOf } from "./summary.js";

const sample = (figure: number, more: Partial<Sample> = {}): Sample => ({
  ...{ figure, operations: 1000, serverCpuSeconds: 0.002, driverCpuSeconds: 0.001 },
  ...more,
});

function measured(etcd: Sample[], holdfast: Sample[], goal: Goal = { ratio: 2, sense: "at least" }): Measured {
  return {
    workload: { name: "w", group: "g", unit: "calls/s", goal, open: () => assert.fail("not opened here") },
    servers: [
      { name: "etcd", samples: etcd, peakMiB: 1 },
      { name: "Holdfast", samples: holdfast, peakMiB: 1 },
    ],
  };
}

const rounds = (...figures: number[]) => figures.map((figure) => sample(figure));

test("the ratio is the median over the rounds, not the ratio of the medians", () => {
  const ratio = ratioOf(measured(rounds(10, 20, 100), rounds(30, 20, 200)));
  assert.deepEqual(ratio, { median: 2, least: 1, greatest: 3 });
});

test("a server that stalled loses to any figure, and wins against none", () => {
  const etcdStalled = measured(rounds(0, 0), rounds(5, 5));
  assert.equal(ratioOf(etcdStalled)?.median, Number.POSITIVE_INFINITY);
  assert.equal(isReached(etcdStalled), true);
  assert.equal(isReached(measured(rounds(5, 5), rounds(0, 0))), false);
});

test("a goal at most is reached from below, one at least from above", () => {
  const atMost: Goal = { ratio: 1, sense: "at most" };
  assert.equal(isReached(measured(rounds(10), rounds(9), atMost)), true);
  assert.equal(isReached(measured(rounds(10), rounds(11), atMost)), false);
  assert.equal(isReached(measured(rounds(10), rounds(20))), true);
  assert.equal(isReached(measured(rounds(10), rounds(19))), false);
});

test("a goal of Holdfast's own figure does not look at etcd's", () => {
  const own: Goal = { ratio: 0.9, sense: "at least", isOfOwnFigure: true };
  assert.equal(isReached(measured(rounds(0.1), rounds(0.8), own)), false);
  assert.equal(isReached(measured(rounds(0.99), rounds(0.95), own)), true);
});

test("a turn of the event loop that took too long misses the goal, whatever the ratio", () => {
  const goal: Goal = { ratio: 2, sense: "at least", longestTurnMsMax: 50 };
  const withTurn = (longestTurnMs: number) => [sample(100), sample(100, { longestTurnMs })];
  assert.equal(isReached(measured(rounds(1, 1), withTurn(49), goal)), true);
  assert.equal(isReached(measured(rounds(1, 1), withTurn(51), goal)), false);
});

test("nothing is said about a goal when one of the two servers was not measured", () => {
  const both = measured(rounds(1), rounds(9));
  const alone = { ...both, servers: both.servers.filter(({ name }) => name === "Holdfast") };
  assert.equal(isReached(alone), undefined);
  assert.equal(ratioOf(alone), undefined);
});

test("processor time is per million operations, and what was not measured is no number", () => {
  const medians = mediansOf({ name: "etcd", samples: rounds(1), peakMiB: 1 });
  assert.equal(medians.serverCpuSecondsPerMillion, 2);
  assert.equal(medians.driverCpuSecondsPerMillion, 1);
  assert.ok(Number.isNaN(medians.p99Ms));
  assert.ok(Number.isNaN(medians.longestTurnMs));
});

test("goals in words", () => {
  assert.equal(goalText({ ratio: 3, sense: "at least" }), "≥ 3");
  assert.equal(goalText({ ratio: 1, sense: "at most", longestTurnMsMax: 20 }), "≤ 1, turn ≤ 20 ms");
  assert.equal(goalText({ ratio: 0.9, sense: "at least", isOfOwnFigure: true }), "≥ 0.9 itself");
});
