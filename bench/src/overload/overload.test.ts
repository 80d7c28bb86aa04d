import assert from "node:assert/strict";
import { test } from "node:test";
import type { HonestReport } from "./honest-client.js";
import { keepAliveMsMax, type PartResult, problemsOf, residentMiBMax } from "./overload.js";

const honest: HonestReport = {
  keepAlives: 100,
  unanswered: 0,
  oldestWaitMs: 0,
  leasesLost: 0,
  compactions: 5,
  compactionsRefused: 3,
  p50Ms: 1,
  p99Ms: 5,
  longestMs: 20,
};

function result(memoryMiB: number, changes: Partial<HonestReport> = {}): PartResult {
  const memory = { highestMiB: memoryMiB, lastMiB: 100 };
  const rates = { answeredPerSecond: 1, refusedPerSecond: 1000, closed: 10 };
  return { name: "part", ...rates, memory, honest: { ...honest, ...changes } };
}

test("refusals and closed connections are no problem while memory and the honest client are within bounds", () => {
  assert.deepEqual(problemsOf([result(residentMiBMax), result(100, { longestMs: keepAliveMsMax })]), []);
});

test("memory above the bound is a problem of its part", () => {
  assert.match(problemsOf([result(100), result(residentMiBMax + 1)]).join(), /^part: .* MiB, above/);
});

test("a lost lease, a starved keepalive, answered or still waiting, and silence are problems", () => {
  assert.match(problemsOf([result(1, { leasesLost: 1 })]).join(), /lease expired/);
  assert.match(problemsOf([result(1, { longestMs: keepAliveMsMax + 1 })]).join(), /waited/);
  assert.match(problemsOf([result(1, { oldestWaitMs: keepAliveMsMax + 1 })]).join(), /waited/);
  assert.match(problemsOf([result(1, { keepAlives: 0 })]).join(), /no keepalive/);
});
