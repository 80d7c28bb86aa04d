import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReport, readLatencies } from "./h2load.js";

const report = `finished in 1.96s, 61213.90 req/s, 13.34MB/s
requests: 120000 total, 120000 started, 120000 done, 119999 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 119998 2xx, 0 3xx, 1 4xx, 0 5xx
traffic: 26.15MB (27422488) total, 234.39KB (240012) headers (space savings 94.74%), 22.54MB (23640000) data
`;

test("the figures of h2load's report are read", () => {
  assert.deepEqual(parseReport(report), {
    perSecond: 61213.9,
    succeeded: 119999,
    status2xx: 119998,
    dataBytes: 23640000,
  });
});

test("a report that is none has no figures", () => {
  assert.ok(Number.isNaN(parseReport("could not connect").succeeded));
});

test("the durations of h2load's log are read, sorted, in milliseconds", () => {
  assert.deepEqual([...readLatencies("1795226910640483\t200\t2195\n1795226910640473\t200\t912\n")], [0.912, 2.195]);
});
