import assert from "node:assert/strict";
import { test } from "node:test";
import { median, percentile, readable, table } from "./figures.mjs";
import { parseReport, readLatencies } from "./h2load.mjs";
import { checkedRun, throughputTable, workloads } from "./throughput.mjs";

test("the median of an odd, an even and an empty number of values", () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 3, 2]), median([])], [2, 2.5, undefined]);
});

test("a percentile is a value that occurred", () => {
  const sorted = [1, 2, 3, 4];
  assert.deepEqual(
    [0, 0.5, 0.51, 0.99, 1].map((share) => percentile(sorted, share)),
    [1, 2, 3, 4, 4],
  );
});

test("numbers are rounded to what they are worth", () => {
  assert.deepEqual([1234567, 123.4, 12.34, 1.234, undefined, Number.NaN].map(readable), [
    "1 234 567",
    "123",
    "12.3",
    "1.23",
    "-",
    "-",
  ]);
});

test("the columns of a table line up", () => {
  assert.equal(
    table(
      ["name", "n"],
      [
        ["a", "1"],
        ["longer", "1000"],
      ],
    ),
    ["| name   |    n |", "| ------ | ---: |", "| a      |    1 |", "| longer | 1000 |"].join("\n"),
  );
});

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

test("the durations of h2load's log are read, sorted, in milliseconds", () => {
  assert.deepEqual([...readLatencies("1795226910640483\t200\t2195\n1795226910640473\t200\t912\n")], [0.912, 2.195]);
});

const [put] = workloads(["put"]);
const [range] = workloads(["range"]);

/** A server whose revision goes from 10 to `revision` during a run, in which `dataBytes` of answers arrive. */
function runOn({ revision, dataBytes = 0 }, load, requests) {
  const looks = [10, revision];
  const client = {
    range: async () => ({ revision: looks.shift(), value: Buffer.from("v".repeat(128)), answerBytes: 95 }),
  };
  return checkedRun({ server: { name: "fake", port: 0 }, client }, load, requests, {}, async () => ({ dataBytes }));
}

test("a run of Puts counts only when the revision advanced by exactly their number", async () => {
  await runOn({ revision: 1010 }, put, 1000);
  await assert.rejects(runOn({ revision: 1009 }, put, 1000), /revision 1009 .* expected 1010/);
  await assert.rejects(runOn({ revision: 1011 }, put, 1000), /revision 1011 .* expected 1010/);
});

test("a run of Ranges counts only when every answer had its full length", async () => {
  await runOn({ revision: 10, dataBytes: 100_000 }, range, 1000);
  await assert.rejects(runOn({ revision: 10, dataBytes: 99_900 }, range, 1000), /99900 bytes .* expected 100000/);
});

test("the ratio is the median over the rounds, not the ratio of the medians", () => {
  const sample = (perSecond) => ({ perSecond, cpuSecondsPerMillion: 1, p50Ms: 1, p99Ms: 1 });
  const samples = { a: [10, 20, 100].map(sample), b: [30, 20, 200].map(sample) };
  const row = throughputTable([{ label: "load", samples }], ["a", "b"]).split("\n")[2];
  assert.deepEqual(
    row
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, 5),
    ["load", "20.0", "30.0", "2.00 (1.00–3.00)"],
  );
});
