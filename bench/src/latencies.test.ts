import assert from "node:assert/strict";
import { test } from "node:test";
import { Latencies } from "./latencies.js";

test("percentiles are the shortest times that so many did not exceed, to ten microseconds", () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1000; ms += 1) latencies.add(ms / 10);
  assert.deepEqual(latencies.percentiles(), { p50Ms: 50, p99Ms: 99, p999Ms: 99.9 });
  assert.equal(latencies.total, 1000);
});

test("many operations with one time count as many", () => {
  const latencies = new Latencies();
  latencies.add(1, 98);
  latencies.add(7, 2);
  assert.equal(latencies.percentileMs(0.98), 1);
  assert.equal(latencies.percentileMs(0.99), 7);
});

test("what took longer than can be told is not lost, and none has no percentile", () => {
  const latencies = new Latencies();
  assert.ok(Number.isNaN(latencies.percentileMs(0.5)));
  latencies.add(1e9);
  latencies.add(-1);
  assert.equal(latencies.percentileMs(0.5), 0);
  assert.equal(latencies.percentileMs(1), 20_000);
});
