import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeleteRangeRequest, createPutRequest, createRequestOp, createTxnRequest } from "@holdfast/protocol";
import { byteString, Harness, Recorder } from "../testing/harness.js";

test("WATCH-5: with no start revision, every event after registration is delivered and none before", async () => {
  const harness = await Harness.start();
  await harness.put("a");
  const recorder = harness.watch("a");
  await harness.put("a");
  await harness.put("b");
  assert.deepEqual(recorder.responses, [{ events: ["a@3"], header: 3 }]);
});

test("F21, I8, WATCH-7: a start in the future stays silent until that revision", async () => {
  const harness = await Harness.start();
  const recorder = harness.watch("a", { startRevision: 4 });
  await harness.put("a");
  await harness.put("a");
  assert.deepEqual(recorder.all, []);
  await harness.put("a");
  assert.deepEqual(recorder.all, ["a@4"]);
});

test("I8, WATCH-8: history from the start revision, then live events, without gap or repeat", async () => {
  const harness = await Harness.start();
  for (let i = 0; i < 5; i++) await harness.put("a");
  const recorder = harness.watch("a", { startRevision: 3 });
  await harness.put("a");
  await harness.settle();
  await harness.put("a");
  assert.deepEqual(recorder.all, ["a@3", "a@4", "a@5", "a@6", "a@7", "a@8"]);
});

test("I8, WATCH-19: all changes of one revision come in one response, in execution order", async () => {
  const harness = await Harness.start();
  await harness.put("p/z");
  const recorder = harness.watch("p/", { rangeEnd: "p0" });
  const put = (key: string) => createRequestOp({ requestPut: createPutRequest({ key: byteString(key) }) });
  const remove = createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ key: byteString("p/z") }) });
  await harness.propose({ kind: "txn", request: createTxnRequest({ success: [put("p/b"), remove, put("p/a")] }) });
  assert.deepEqual(recorder.responses, [{ events: ["p/b@3", "-p/z@3", "p/a@3"], header: 3 }]);
});

test("F14, WATCH-20, LIMIT catchUpRevisions: catching up brings at most the limit of revisions per response, headed by the store's revision", async () => {
  const harness = await Harness.start({ catchUpRevisions: 2 });
  for (let i = 0; i < 5; i++) await harness.put("a");
  const recorder = harness.watch("a", { startRevision: 2 });
  await harness.settle();
  assert.deepEqual(recorder.responses, [
    { events: ["a@2", "a@3"], header: 6 },
    { events: ["a@4", "a@5"], header: 6 },
    { events: ["a@6"], header: 6 },
  ]);
});

test("WATCH-22: a start below the compacted revision ends the watcher with that revision", async () => {
  const harness = await Harness.start();
  for (let i = 0; i < 5; i++) await harness.put("a");
  await harness.propose({ kind: "compact", revision: 4 });
  const below = harness.watch("a", { startRevision: 3 });
  const at = harness.watch("a", { startRevision: 4 });
  await harness.settle();
  assert.equal(below.compactedAt, 4);
  assert.deepEqual(below.all, []);
  assert.equal(at.compactedAt, undefined);
  assert.deepEqual(at.all, ["a@4", "a@5", "a@6"]);
  assert.equal(harness.replica.watches.watcherCount, 1);
});

test("F20, I8, WATCH-23: a congested watcher overtaken by compaction ends; one that is not overtaken loses nothing", async () => {
  const harness = await Harness.start();
  const slow = harness.watch("a");
  const slower = harness.watch("a");
  slow.congested = true;
  slower.congested = true;
  for (let i = 0; i < 4; i++) await harness.put("a");
  slow.congested = false;
  harness.replica.watches.drained([slow.watcher]);
  await harness.settle();
  assert.deepEqual(slow.all, ["a@2", "a@3", "a@4", "a@5"]);
  await harness.propose({ kind: "compact", revision: 4 });
  slower.congested = false;
  harness.replica.watches.drained([slower.watcher]);
  await harness.settle();
  assert.equal(slower.compactedAt, 4);
  assert.deepEqual(slower.all, []);
});

test("F20: a congested watcher costs no events of others and goes on without gap, live again", async () => {
  const harness = await Harness.start();
  const slow = harness.watch("a");
  const fast = harness.watch("a");
  await harness.put("a");
  slow.congested = true;
  for (let i = 0; i < 3; i++) await harness.put("a");
  assert.deepEqual(slow.all, ["a@2"]);
  slow.congested = false;
  harness.replica.watches.drained([slow.watcher]);
  await harness.put("a");
  await harness.settle();
  await harness.put("a");
  assert.deepEqual(slow.all, fast.all);
  assert.deepEqual(fast.all, ["a@2", "a@3", "a@4", "a@5", "a@6", "a@7"]);
});

test("WATCH-26: filters drop puts or deletes, and a response left empty is not sent", async () => {
  const harness = await Harness.start();
  const noPuts = new Recorder();
  noPuts.dropPuts = true;
  const noDeletes = new Recorder();
  noDeletes.dropDeletes = true;
  const nothing = new Recorder();
  nothing.dropPuts = true;
  nothing.dropDeletes = true;
  for (const recorder of [noPuts, noDeletes, nothing]) harness.watch("a", { recorder });
  await harness.put("a");
  await harness.delete("a");
  assert.deepEqual(noPuts.responses, [{ events: ["-a@3"], header: 3 }]);
  assert.deepEqual(noDeletes.responses, [{ events: ["a@2"], header: 2 }]);
  assert.deepEqual(nothing.responses, []);
});

test("WATCH-31: caught up means live and past its start", async () => {
  const harness = await Harness.start();
  await harness.put("a");
  const past = harness.watch("a", { startRevision: 1 });
  const future = harness.watch("a", { startRevision: 3 });
  const { watches } = harness.replica;
  assert.equal(watches.isCaughtUp(past.watcher), false);
  await harness.settle();
  assert.equal(watches.isCaughtUp(past.watcher), true);
  assert.equal(watches.isCaughtUp(future.watcher), false);
  await harness.put("b");
  assert.equal(watches.isCaughtUp(future.watcher), true);
});

test("WATCH-34: one watcher's long history delays nobody's live events", async () => {
  const harness = await Harness.start({ catchUpRevisions: 1, catchUpResponses: 1 });
  for (let i = 0; i < 50; i++) await harness.put("a");
  const late = harness.watch("a", { startRevision: 2 });
  const live = harness.watch("b");
  await harness.put("b");
  assert.deepEqual(live.all, ["b@52"]);
  await harness.settle();
  assert.equal(late.all.length, 50);
});

test("WATCH-13: a removed watcher is told nothing more", async () => {
  const harness = await Harness.start();
  const recorder = harness.watch("a");
  const ranged = harness.watch("", { rangeEnd: "\0" });
  for (const { watcher } of [recorder, ranged]) harness.replica.watches.remove(watcher);
  await harness.put("a");
  assert.deepEqual([recorder.all, ranged.all], [[], []]);
  assert.equal(harness.replica.watches.watcherCount, 0);
});
