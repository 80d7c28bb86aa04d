import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample, Workload } from "../workload.js";
import type { Outcome } from "./summary.js";
import { conclusion, ResultTable } from "./table.js";

function workload(name: string): Workload {
  return {
    ...{ name, group: "g", unit: "calls/s", goal: { ratio: 3, sense: "at least" } },
    open: () => assert.fail("not opened here"),
  };
}

const sample = (figure: number): Sample => ({
  ...{ figure, operations: 1000, serverCpuSeconds: 0.05, driverCpuSeconds: 0.004, p50Ms: 1.5, p99Ms: 12 },
});

function outcome(name: string, etcd: number, holdfast: number): Outcome {
  return {
    workload: workload(name),
    servers: [
      { name: "etcd", samples: [sample(etcd)], peakMiB: 40 },
      { name: "Holdfast", samples: [sample(holdfast)], peakMiB: 90 },
    ],
  };
}

const names = ["etcd", "Holdfast"] as const;
const cellsOf = (row: string) => row.split("|").map((cell) => cell.trim());

test("a row holds figures, ratio, goal, durations, processor times and memory", () => {
  const cells = cellsOf(new ResultTable([workload("put")], names).row(outcome("put", 100, 400)));
  assert.deepEqual(cells.slice(1, 8), ["put", "calls/s", "100", "400", "4.00 (4.00–4.00)", "≥ 3", "yes"]);
  assert.deepEqual(cells.slice(8, 15), ["1.50 / 12.0", "1.50 / 12.0", "50.0", "50.0", "4.00 / 4.00", "40.0", "90.0"]);
});

test("the columns of rows that come one by one line up", () => {
  const table = new ResultTable([workload("put"), workload("a longer name")], names);
  const lines = [
    ...table.head().split("\n"),
    table.row(outcome("put", 10_000, 123_456)),
    table.row(outcome("a", 0, 5)),
  ];
  assert.equal(new Set(lines.map((line) => line.length)).size, 1, lines.join("\n"));
});

test("a server that stalled is called so, with an infinite ratio", () => {
  const row = new ResultTable([workload("campaign")], names).row(outcome("campaign", 0, 5));
  assert.match(row, /\| +stalled \| +5\.00 \| +∞ \(∞–∞\) \|/);
});

test("without etcd there is neither its column nor a ratio", () => {
  const table = new ResultTable([workload("put")], ["Holdfast"]);
  assert.doesNotMatch(table.head(), /etcd|ratio/);
});

test("the conclusion counts the goals and names what is missed, skipped and failed", () => {
  const skipped = { workload: workload("b"), skipped: "no h2load" };
  const failed = { workload: workload("c"), failed: "etcd: wrong answer" };
  assert.equal(
    conclusion([outcome("put", 100, 400), outcome("range", 100, 250), skipped, failed]),
    [
      "1 of 2 workloads reach their goal",
      "  missed: range (2.50; goal ≥ 3)",
      "  skipped: b (no h2load)",
      "  FAILED: c (etcd: wrong answer)",
    ].join("\n"),
  );
});

test("without a second server no goal is judged", () => {
  assert.equal(
    conclusion([{ workload: workload("b"), skipped: "why" }]),
    "no goal could be judged\n  skipped: b (why)",
  );
});
