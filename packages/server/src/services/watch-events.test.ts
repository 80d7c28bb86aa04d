import assert from "node:assert/strict";
import { test } from "node:test";
import { createTxnRequest, encodeWatchResponse, FilterType, kvService, type WatchResponse } from "@holdfast/protocol";
import { bytes, putOp, show, showEvents, type TestClient, text } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { create, events, nextIsCreated, openWatch, sendCreate, type WatchStream } from "../testing/watching.js";

const all = { rangeEnd: "\0" };

function txn(client: TestClient, ...keys: string[]): Promise<unknown> {
  return client.call(kvService.methods.txn, createTxnRequest({ success: keys.map((key) => putOp(key, "t")) }));
}

/** Responses up to the one that holds the `count`th event. */
async function responses(stream: WatchStream, count: number): Promise<WatchResponse[]> {
  const taken: WatchResponse[] = [];
  for (let seen = 0; seen < count; seen += taken.at(-1)?.events.length ?? 0) taken.push(await stream.next());
  return taken;
}

test("WATCH-5, WATCH-8: a watcher sees everything after its created response, or from its start on, once", async (t) => {
  const { client } = await start(t);
  for (const value of ["1", "2", "3"]) await client.put("a", value);
  const live = openWatch(client);
  assert.equal((await create(live, "a")).header?.revision, 4);
  const late = openWatch(client);
  await create(late, "a", { startRevision: 3 });
  for (const value of ["4", "5"]) await client.put("a", value);
  assert.deepEqual(await events(live, 2), ["a=4@5", "a=5@6"]);
  assert.deepEqual(await events(late, 4), ["a=2@3", "a=3@4", "a=4@5", "a=5@6"]);
});

test("WATCH-7: a start in the future is silent until then", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a", { startRevision: 4 });
  for (const value of ["1", "2", "3"]) await client.put("a", value);
  assert.deepEqual(await events(stream, 1), ["a=3@4"]);
});

test("WATCH-18: a put carries the whole pair, a deletion only key and revision", async (t) => {
  const { client } = await start(t);
  await client.grant(7n);
  const stream = openWatch(client);
  await create(stream, "a");
  await client.put("a", "v", 7n);
  await client.put("a", "w", 7n);
  await client.delete("a");
  const [created, rewritten, deleted] = (await responses(stream, 3)).flatMap((response) => response.events);
  assert.deepEqual([created?.type, show(created!.kv!), created?.kv?.lease], [0, "a=v 2/2/1", 7n]);
  assert.deepEqual([rewritten?.type, show(rewritten!.kv!)], [0, "a=w 2/3/2"]);
  assert.deepEqual([deleted?.type, show(deleted!.kv!), deleted?.kv?.lease], [1, "a= 0/4/0", 0n]);
  assert.deepEqual([created?.prevKv, rewritten?.prevKv, deleted?.prevKv], [undefined, undefined, undefined]);
});

test("WATCH-19, WATCH-20: live, one response per revision, with its events in order and its revision in the header", async (t) => {
  const { client, server } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a", all);
  await txn(client, "c", "a", "b");
  await client.put("0");
  await client.delete("a", "c");
  const taken = await responses(stream, 5);
  assert.deepEqual(taken.map(showEvents), [
    ["c=t@2", "a=t@2", "b=t@2"],
    ["-a@4", "-b@4"],
  ]);
  const { clusterId, memberId } = server.running;
  assert.deepEqual(taken[1]?.header, { clusterId, memberId, revision: 4, raftTerm: 1 });
});

test("WATCH-20: while catching up, several revisions share a response whose header shows the store's", async (t) => {
  const { client } = await start(t, { replicaLimits: { catchUpRevisions: 4 } });
  for (let i = 0; i < 10; i++) await (i === 3 ? txn(client, "a", "b") : client.put("a", `${i}`));
  const stream = openWatch(client);
  await create(stream, "a", { ...all, startRevision: 2 });
  const taken = await responses(stream, 11);
  assert.deepEqual(
    taken.map((response) => [response.events.length, response.header?.revision]),
    [
      [5, 11],
      [4, 11],
      [2, 11],
    ],
  );
});

test("WATCH-21: on every watcher of a busy stream, revisions only rise and none is missing", async (t) => {
  const { client, server } = await start(t, { replicaLimits: { catchUpRevisions: 7, catchUpResponses: 2 } });
  await Promise.all(Array.from({ length: 500 }, (_, i) => client.put("a", `${i}`)));
  const stream = openWatch(await server.connect());
  const starts = new Map([
    [1n, 1],
    [2n, 0],
    [3n, 250],
    [4n, 700],
  ]);
  for (const [watchId, startRevision] of starts) sendCreate(stream, "a", { watchId, startRevision });
  const writing: Promise<unknown>[] = [];
  const lastRevision = 1_001;
  const seen = new Map<bigint, number[]>();
  let begun = 0;
  while ([...starts.keys()].some((id) => seen.get(id)?.at(-1) !== lastRevision)) {
    const { watchId, created, header, events: told } = await stream.next();
    if (created && watchId === 2n) {
      begun = header!.revision;
      for (let i = 0; i < 500; i++) writing.push(client.put("a", `${i}`));
    }
    seen.set(watchId, [...(seen.get(watchId) ?? []), ...told.map(({ kv }) => kv!.modRevision)]);
  }
  await Promise.all(writing);
  for (const [id, revisions] of seen) {
    const from = id === 2n ? begun + 1 : Math.max(starts.get(id)!, 2);
    const expected = Array.from({ length: lastRevision - from + 1 }, (_, i) => from + i);
    assert.deepEqual(revisions, expected, `watcher ${id}`);
  }
});

test("WATCH-25: prev_kv is the pair before, for deletions and rewrites; other watchers of the event have none", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 1n, prevKv: true });
  await create(stream, "a", { watchId: 2n });
  await client.put("a", "1");
  await client.put("a", "2");
  await client.delete("a");
  await client.put("a", "3");
  const seen = { 1: [] as unknown[], 2: [] as unknown[] };
  for (const { watchId, events: told } of await stream.take(8)) {
    for (const { prevKv } of told) seen[watchId === 1n ? 1 : 2].push(prevKv && show(prevKv));
  }
  assert.deepEqual(seen[1], [undefined, "a=1 2/2/1", "a=2 2/3/2", undefined]);
  assert.deepEqual(seen[2], [undefined, undefined, undefined, undefined]);
});

test("WATCH-25: prev_kv is there for history too, as far as it was not compacted", async (t) => {
  const { client } = await start(t);
  for (const value of ["1", "2", "3", "4"]) await client.put("a", value);
  const full = openWatch(client);
  await create(full, "a", { startRevision: 2, prevKv: true });
  const previous = (response: WatchResponse): unknown[] =>
    response.events.map(({ prevKv }) => prevKv && text(prevKv.value));
  assert.deepEqual((await responses(full, 4)).flatMap(previous), [undefined, "1", "2", "3"]);
  await client.call(kvService.methods.compact, { revision: 4, physical: true });
  const cut = openWatch(client);
  await create(cut, "a", { startRevision: 4, prevKv: true });
  // The pair at revision 3 is gone, the one at 4 is what the compaction keeps.
  assert.deepEqual((await responses(cut, 2)).flatMap(previous), [undefined, "3"]);
});

test("WATCH-26: filters drop puts, deletions, or both", async (t) => {
  const { client } = await start(t);
  const { NOPUT, NODELETE } = FilterType;
  const streams = [[NOPUT], [NODELETE], [NOPUT, NODELETE]].map((filters) => ({ filters, stream: openWatch(client) }));
  for (const { filters, stream } of streams) await create(stream, "a", { filters, ...all });
  await client.put("a", "1");
  await client.delete("a");
  await client.put("a", "2");
  await client.delete("a");
  const [noPut, noDelete, nothing] = streams.map(({ stream }) => stream);
  assert.deepEqual(await events(noPut!, 2), ["-a@3", "-a@5"]);
  assert.deepEqual(await events(noDelete!, 2), ["a=1@2", "a=2@4"]);
  assert.equal(await nextIsCreated(nothing!), true);
});

test("WATCH-26: filters hold for history as well", async (t) => {
  const { client } = await start(t);
  await client.put("a", "1");
  await client.delete("a");
  const stream = openWatch(client);
  await create(stream, "a", { startRevision: 1, filters: [FilterType.NOPUT] });
  assert.deepEqual(await events(stream, 1), ["-a@3"]);
});

test("WATCH-27: a large response is cut on request only; parts are marked, contiguous and whole together", async (t) => {
  const { client } = await start(t, { serviceLimits: { watchFragmentBytes: 1_000 } });
  const cut = openWatch(client);
  await create(cut, "k", { watchId: 1n, fragment: true, ...all });
  await create(cut, "k", { watchId: 2n, fragment: true, ...all });
  const whole = openWatch(client);
  await create(whole, "k", all);
  const success = Array.from({ length: 20 }, (_, i) => putOp(`k${i}`, "x".repeat(200)));
  await client.call(kvService.methods.txn, createTxnRequest({ success }));
  const uncut = await whole.next();
  assert.deepEqual([uncut.events.length, uncut.fragment], [20, false]);
  for (const watchId of [1n, 2n]) {
    const parts = [await cut.next()];
    while (parts.at(-1)?.fragment) parts.push(await cut.next());
    assert.ok(parts.length > 3);
    assert.ok(parts.every((part) => part.watchId === watchId && part.header?.revision === 2));
    assert.ok(parts.every(({ events: told }) => told.length > 0 && told.length < 5));
    assert.deepEqual(parts.flatMap(showEvents), showEvents(uncut));
  }
});

test("WATCH-27, LIMIT watchFragmentBytes: the limit counts the whole response, and every part is as full as it can be", async (t) => {
  const limit = 1_000;
  const { client } = await start(t, { serviceLimits: { watchFragmentBytes: limit } });
  const stream = openWatch(client);
  await create(stream, "k", { watchId: 300n, fragment: true, ...all });
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  await txn(client, ...keys);
  const parts = [await stream.next()];
  while (parts.at(-1)?.fragment) parts.push(await stream.next());
  const sizes = parts.map((part) => encodeWatchResponse(part).length);
  assert.ok(sizes.length > 1 && sizes.every((size) => size < limit), sizes.join(" "));
  const fuller = parts.slice(0, -1).map((part, index) => {
    const next = parts[index + 1]?.events[0];
    return encodeWatchResponse({ ...part, events: [...part.events, ...(next === undefined ? [] : [next])] }).length;
  });
  assert.ok(
    fuller.every((size) => size >= limit),
    fuller.join(" "),
  );
});

test("WATCH-27: one large event is never cut, and small responses are left whole", async (t) => {
  const { client } = await start(t, { serviceLimits: { watchFragmentBytes: 1_000 } });
  const stream = openWatch(client);
  await create(stream, "k", { fragment: true, ...all });
  await client.put("k", "x".repeat(5_000));
  await txn(client, "k1", "k2");
  const [large, small] = await stream.take(2);
  assert.deepEqual([large?.fragment, large?.events.length], [false, 1]);
  assert.deepEqual([small?.fragment, small?.events.length], [false, 2]);
});

test("WATCH-28: the end of a lease is one response with all its deletions, in key order", async (t) => {
  const { client } = await start(t);
  await client.grant(7n);
  for (const key of ["b", "c", "a"]) await client.put(key, "", 7n);
  const stream = openWatch(client);
  await create(stream, "a", { ...all, prevKv: true });
  await client.revoke(7n);
  const response = await stream.next();
  assert.deepEqual(showEvents(response), ["-a@5", "-b@5", "-c@5"]);
  assert.deepEqual(
    response.events.map(({ prevKv }) => prevKv?.lease),
    [7n, 7n, 7n],
  );
});

test("one event for many watchers is the same bytes for each", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  for (let i = 0; i < 50; i++) await create(stream, "a", i % 2 === 0 ? {} : all);
  const value = "v".repeat(1_000);
  await client.put("a", value);
  for (const response of await stream.take(50)) {
    assert.deepEqual(response.events[0]?.kv?.value, bytes(value));
  }
});
