import assert from "node:assert/strict";
import { test } from "node:test";
import { cancelReasons, StatusCode, type WatchResponse } from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { showEvents } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { create, events, nextIsCreated, openWatch, sendCancel, sendCreate } from "../testing/watching.js";

/** What tells one control response from another. */
function control({ watchId, created, canceled, cancelReason, compactRevision }: WatchResponse): unknown[] {
  return [watchId, created, canceled, cancelReason, compactRevision];
}

const refused = (reason: string): unknown[] => [-1n, true, true, reason, 0];

test("WATCH-1, WATCH-2: each create is answered once, in order; automatic ids count up from 0 and skip those in use", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  for (const watchId of [0n, 0n, 3n, 2n, 0n, 0n]) sendCreate(stream, "a", { watchId });
  const ids = (await stream.take(6)).map((response) => [response.watchId, response.created]);
  assert.deepEqual(ids, [
    [0n, true],
    [1n, true],
    [3n, true],
    [2n, true],
    [4n, true],
    [5n, true],
  ]);
});

test("WATCH-2: an automatic id is not given again after its cancel", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a");
  sendCancel(stream, 0n);
  await stream.next();
  assert.equal((await create(stream, "a")).watchId, 1n);
});

test("WATCH-1: the created response comes before the watcher's history", async (t) => {
  const { client } = await start(t);
  for (let i = 0; i < 5; i++) await client.put("a", `${i}`);
  const stream = openWatch(client);
  for (let i = 0; i < 3; i++) sendCreate(stream, "a", { startRevision: 1 });
  const created = new Set<bigint>();
  for (let seen = 0; seen < 15; ) {
    const response = await stream.next();
    if (response.created) created.add(response.watchId);
    else assert.ok(created.has(response.watchId));
    seen += response.events.length;
  }
  assert.equal(created.size, 3);
});

test("WATCH-3: a chosen id is used as it is, negative ones too", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  for (const watchId of [42n, -7n, -1n, 2n ** 63n - 1n]) {
    assert.equal((await create(stream, "a", { watchId })).watchId, watchId);
  }
  await client.put("a");
  const told = await stream.take(4);
  assert.deepEqual(new Set(told.map(({ watchId }) => watchId)), new Set([42n, -7n, -1n, 2n ** 63n - 1n]));
});

test("F21, WATCH-3: an id in use is refused, and the watcher that has it goes on", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 5n });
  assert.deepEqual(control(await create(stream, "b", { watchId: 5n })), refused(cancelReasons.duplicateId));
  await client.put("b");
  await client.put("a", "1");
  const response = await stream.next();
  assert.deepEqual([response.watchId, showEvents(response)], [5n, ["a=1@3"]]);
});

test("WATCH-3: an id is used on one stream only; another stream has ids of its own", async (t) => {
  const { client } = await start(t);
  for (const stream of [openWatch(client), openWatch(client)]) {
    assert.equal((await create(stream, "a", { watchId: 5n })).canceled, false);
  }
});

test("WATCH-4: a range without keys is refused; an open end and a single key are none", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  for (const [key, rangeEnd] of [
    ["b", "a"],
    ["b", "b"],
    ["", "\0"],
    ["b", "\0"],
    ["b", ""],
  ] as const) {
    const response = await create(stream, key, { rangeEnd });
    const empty = rangeEnd === "a" || rangeEnd === "b";
    assert.deepEqual([key, rangeEnd, response.canceled], [key, rangeEnd, empty]);
    if (empty) assert.deepEqual(control(response), refused(cancelReasons.emptyRange));
  }
});

test("WATCH-6: an empty key is the lowest one", async (t) => {
  const { client } = await start(t);
  const everything = openWatch(client);
  await create(everything, "", { rangeEnd: "\0" });
  const lowest = openWatch(client);
  await create(lowest, "");
  await client.put("a");
  await client.put("\0", "x");
  assert.deepEqual(await events(everything, 2), ["a=@2", "\0=x@3"]);
  assert.deepEqual(await events(lowest, 1), ["\0=x@3"]);
});

test("F21, WATCH-9: a negative start is refused as compacted", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  assert.deepEqual(control(await create(stream, "a", { startRevision: -1 })), refused(cancelReasons.compacted));
  assert.equal(await nextIsCreated(stream), true);
});

test("ORD-4: the start is looked at first, then the range, then the id", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 5n });
  const wrong = { watchId: 5n, rangeEnd: "a", startRevision: -1 };
  assert.equal((await create(stream, "b", wrong)).cancelReason, cancelReasons.compacted);
  assert.equal((await create(stream, "b", { ...wrong, startRevision: 0 })).cancelReason, cancelReasons.emptyRange);
  assert.equal((await create(stream, "b", { watchId: 5n })).cancelReason, cancelReasons.duplicateId);
});

test("WATCH-13: a cancel is acknowledged without a reason, ends the events, and frees the id", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 5n });
  await create(stream, "a", { watchId: 6n });
  sendCancel(stream, 5n);
  assert.deepEqual(control(await stream.next()), [5n, false, true, "", 0]);
  await client.put("a", "1");
  const response = await stream.next();
  assert.deepEqual([response.watchId, showEvents(response)], [6n, ["a=1@2"]]);
  assert.deepEqual(control(await create(stream, "b", { watchId: 5n })), [5n, true, false, "", 0]);
});

test("F21, WATCH-13: a watcher cancelled while it catches up sends nothing after the acknowledgement", async (t) => {
  const { client } = await start(t, { replicaLimits: { catchUpRevisions: 1, catchUpResponses: 1 } });
  await Promise.all(Array.from({ length: 200 }, () => client.put("a")));
  const stream = openWatch(client);
  await create(stream, "a", { startRevision: 1 });
  await stream.next();
  sendCancel(stream, 0n);
  let response = await stream.next();
  while (!response.canceled) response = await stream.next();
  assert.equal(await nextIsCreated(stream), true);
});

test("F21, WATCH-14, WATCH-15: a cancel of an unknown id, and a request that asks for nothing, are ignored", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a");
  sendCancel(stream, 99n);
  stream.send({});
  assert.equal(await nextIsCreated(stream), true);
  await client.put("a");
  assert.deepEqual(await events(stream, 1), ["a=@2"]);
});

test("WATCH-16: a client that half-closes still gets events", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a");
  stream.call.halfClose();
  for (let i = 0; i < 3; i++) await client.put("a", `${i}`);
  assert.deepEqual(await events(stream, 3), ["a=0@2", "a=1@3", "a=2@4"]);
});

test("WATCH-17: a cancelled stream is gone at the server, with all its watchers", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const stream = openWatch(client);
  for (let i = 0; i < 20; i++) await create(stream, `k${i}`, { rangeEnd: i % 2 === 0 ? "" : "z" });
  assert.equal(services.replica.watches.watcherCount, 20);
  stream.call.cancel();
  assert.equal((await stream.ended()).code, StatusCode.cancelled);
  await until(() => services.replica.watches.watcherCount === 0);
  await client.put("k0");
});

test("F21, I8, WATCH-22, WATCH-24: a start before the compaction ends the watcher; its id stays in use until it is cancelled", async (t) => {
  const { client, server } = await start(t);
  for (let i = 0; i < 5; i++) await client.put("a", `${i}`);
  await client.compact(5);
  const stream = openWatch(client);
  assert.deepEqual(control(await create(stream, "a", { watchId: 9n, startRevision: 4 })), [9n, true, false, "", 0]);
  const over = await stream.next();
  assert.deepEqual(control(over), [9n, false, true, "", 5]);
  const { clusterId, memberId } = server.running;
  assert.deepEqual(over.header, { clusterId, memberId, revision: 0, raftTerm: 1 });
  await client.put("a", "6");
  assert.deepEqual(control(await create(stream, "a", { watchId: 9n })), refused(cancelReasons.duplicateId));
  sendCancel(stream, 9n);
  assert.deepEqual(control(await stream.next()), [9n, false, true, "", 0]);
  assert.equal((await create(stream, "a", { watchId: 9n, startRevision: 5 })).canceled, false);
  assert.deepEqual(await events(stream, 3), ["a=3@5", "a=4@6", "a=6@7"]);
});

test("F14, WATCH-34, LIMIT catchUpResponses: a watcher created behind one that catches up gets its live events before that is done", async (t) => {
  const { client } = await start(t, { replicaLimits: { catchUpRevisions: 1, catchUpResponses: 1 } });
  await Promise.all(Array.from({ length: 2_000 }, () => client.put("a")));
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 1n, startRevision: 1 });
  sendCreate(stream, "b", { watchId: 2n });
  await client.put("b", "live");
  let old = 0;
  for (;;) {
    const { watchId, events } = await stream.next();
    if (watchId === 1n) old += events.length;
    if (watchId === 2n && events.length > 0) break;
  }
  assert.ok(old < 2_000, "all of the history came first");
  while (old < 2_000) old += (await stream.next()).events.length;
});

test("F16, I12, LIMIT watchersPerStream: one watcher too many on a stream is refused, and the others go on", async (t) => {
  const services = await Services.start(t, { serviceLimits: { watchersPerStream: 3 } });
  const client = await services.connect();
  const [stream, other] = [openWatch(client), openWatch(client)];
  await create(other, "a");
  for (let i = 0; i < 3; i++) await create(stream, "a");
  sendCreate(stream, "a");
  const { created, canceled, watchId, cancelReason } = await stream.next();
  assert.deepEqual([created, canceled, watchId, cancelReason], [true, true, -1n, "too many watchers on one stream"]);
  assert.deepEqual([services.replica.watches.watcherCount, services.context.openCalls.size], [4, 2]);
  await client.put("a");
  for (let i = 0; i < 3; i++) assert.equal((await stream.next()).events.length, 1);
  assert.deepEqual(await events(other, 1), ["a=@2"]);
});
