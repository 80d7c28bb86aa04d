import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseWorkloads, readOptions, UsageError } from "./options.js";
import type { Workload } from "./workload.js";

function workload(group: string, name: string, isLong = false): Workload {
  const open = () => assert.fail("not opened here");
  return { group, name, isLong, unit: "calls/s", goal: { ratio: 1, sense: "at least" }, open };
}

const all = [
  workload("put", "put 1×1"),
  workload("put", "put 10×100"),
  workload("tls", "tls put 10×100"),
  workload("restart", "restart with 1 M keys", true),
];

const chosen = (only: string[], isFull = false) => chooseWorkloads(all, { only, isFull }).map(({ name }) => name);

test("sizes: usual, quick and full, and what overrides them", () => {
  const sizes = (...args: string[]) => {
    const { rounds, seconds } = readOptions(args);
    return [rounds, seconds];
  };
  assert.deepEqual(sizes(), [3, 1.5]);
  assert.deepEqual(sizes("--quick"), [2, 0.5]);
  assert.deepEqual(sizes("--full"), [5, 3]);
  assert.deepEqual(sizes("--quick", "--rounds", "7", "--seconds=0.2"), [7, 0.2]);
});

test("commas separate texts, but not inside a number", () => {
  assert.deepEqual(readOptions(["--only", "put,10,000 keys,tls"]).only, ["put", "10,000 keys", "tls"]);
});

test("servers are measured in one order, however they are named", () => {
  assert.deepEqual(readOptions(["--servers", "holdfast,etcd"]).servers, ["etcd", "holdfast"]);
  assert.deepEqual(readOptions(["--servers", "holdfast"]).servers, ["holdfast"]);
});

test("wrong arguments are refused in words", () => {
  const wrong = [
    [["--fast"], /--fast/],
    [["put"], /put/],
    [["--rounds", "two"], /--rounds needs a positive number/],
    [["--rounds", "1.5"], /whole number/],
    [["--seconds", "0"], /--seconds/],
    [["--servers", "consul"], /no server is called consul/],
    [["--quick", "--full"], /exclude each other/],
  ] as const;
  for (const [args, message] of wrong) {
    assert.throws(
      () => readOptions(args),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});

test("a group's name means the group; another text, the names that contain it", () => {
  assert.deepEqual(chosen(["put"]), ["put 1×1", "put 10×100"]);
  assert.deepEqual(chosen(["10×100"]), ["put 10×100", "tls put 10×100"]);
  assert.deepEqual(chosen(["tls", "put 1×1"]), ["put 1×1", "tls put 10×100"]);
});

test("what takes minutes is left out unless everything is asked for", () => {
  assert.equal(chosen([]).length, 3);
  assert.deepEqual(chosen(["restart"]), []);
  assert.deepEqual(chosen(["restart"], true), ["restart with 1 M keys"]);
});

test("a text that no workload answers to is refused, naming the groups", () => {
  assert.throws(() => chosen(["lock"]), /no workload answers to lock; groups: put, tls, restart/);
});

test("one run at a time: the table, or one of the others; only a guard records", () => {
  assert.equal(readOptions([]).kind, "table");
  for (const kind of ["growth", "overload", "guard"]) assert.equal(readOptions([`--${kind}`]).kind, kind);
  assert.ok(readOptions(["--guard", "--record"]).isRecord);
  assert.throws(() => readOptions(["--growth", "--guard"]), UsageError);
  assert.throws(() => readOptions(["--record"]), UsageError);
  // A run that would take no notice of them does not begin.
  for (const args of [
    ["--growth", "--list"],
    ["--guard", "--json", "x"],
    ["--overload", "--only", "put"],
  ]) {
    assert.throws(() => readOptions(args), UsageError);
  }
});

test("figures go to the folder of results; those of a first look elsewhere, unless a folder is named", () => {
  assert.match(readOptions(["--growth"]).results, /bench.results$/);
  assert.match(readOptions(["--growth", "--quick"]).results, /\.results.bench$/);
  assert.match(readOptions(["--growth", "--quick", "--results", "/tmp/there"]).results, /there$/);
});
