import assert from "node:assert/strict";
import { test } from "node:test";
import type { WatchResponse } from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { showEvents } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { create, events, nextIsCreated, openWatch, sendCancel, sendCreate, sendProgress } from "../testing/watching.js";

const intervalMs = 10_000;
const limits = { serviceLimits: { watchProgressIntervalMs: intervalMs } };

/** What a response without events says: whose it is, and how far everything was sent. */
function progress({ watchId, header, events: told, created, canceled }: WatchResponse): unknown[] {
  assert.deepEqual([told, created, canceled], [[], false, false]);
  return [watchId, header?.revision];
}

test("F21, I8, WATCH-31: when all watchers are caught up, a progress request is answered once, for the whole stream", async (t) => {
  const { client, server } = await start(t);
  await client.put("a");
  const stream = openWatch(client);
  await create(stream, "b");
  await create(stream, "a", { startRevision: 1 });
  assert.deepEqual(await events(stream, 1), ["a=@2"]);
  await client.put("elsewhere");
  sendProgress(stream);
  const response = await stream.next();
  assert.deepEqual(progress(response), [-1n, 3]);
  const { clusterId, memberId } = server.running;
  assert.deepEqual(response.header, { clusterId, memberId, revision: 3, raftTerm: 1 });
  assert.equal(await nextIsCreated(stream), true);
});

test("WATCH-31: without watchers, or with one that starts in the future, nothing is sent, then or later", async (t) => {
  const { client } = await start(t);
  const stream = openWatch(client);
  sendProgress(stream);
  sendCreate(stream, "a");
  sendCreate(stream, "a", { startRevision: 4 });
  assert.deepEqual(
    (await stream.take(2)).map(({ created }) => created),
    [true, true],
  );
  sendProgress(stream);
  assert.equal(await nextIsCreated(stream), true);
  await client.put("a", "1");
  assert.deepEqual(await events(stream, 1), ["a=1@2"]);
  sendProgress(stream);
  await client.put("elsewhere");
  await client.put("elsewhere");
  // Revision 4 has come: the second watcher is no longer in the future.
  sendProgress(stream);
  assert.deepEqual(progress(await stream.next()), [-1n, 4]);
});

test("WATCH-31: a watcher that is behind keeps the stream silent until it has caught up and is asked again", async (t) => {
  const { client } = await start(t, { replicaLimits: { catchUpRevisions: 1, catchUpResponses: 1 } });
  await Promise.all(Array.from({ length: 500 }, () => client.put("a")));
  const stream = openWatch(client);
  await create(stream, "b");
  await create(stream, "a", { startRevision: 1 });
  sendProgress(stream);
  await events(stream, 500);
  assert.equal(await nextIsCreated(stream), true);
  sendProgress(stream);
  assert.deepEqual(progress(await stream.next()), [-1n, 501]);
});

test("WATCH-31, WATCH-24: a watcher that compaction has ended counts as behind until the client cancels it", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  await client.put("a");
  await client.compact(3);
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 1n, startRevision: 2 });
  assert.equal((await stream.next()).compactRevision, 3);
  sendProgress(stream);
  assert.equal((await create(stream, "b", { watchId: 2n })).created, true);
  sendProgress(stream);
  sendCancel(stream, 1n);
  assert.deepEqual([(await stream.next()).canceled], [true]);
  sendProgress(stream);
  assert.deepEqual(progress(await stream.next()), [-1n, 3]);
  sendCancel(stream, 2n);
  await stream.next();
  sendProgress(stream);
  assert.equal(await nextIsCreated(stream), true);
});

test("F21, I8, WATCH-32: no progress response overtakes an event, however busy the store is", async (t) => {
  const { client, server } = await start(t);
  const stream = openWatch(await server.connect());
  await create(stream, "a");
  let last = 1;
  let answered = 0;
  const writing = Promise.all(Array.from({ length: 1_000 }, (_, i) => client.put("a", `${i}`)));
  sendProgress(stream);
  while (last < 1_001) {
    const response = await stream.next();
    if (response.watchId === -1n) {
      // Every revision is an event of this watcher, so all of them up to here must have come.
      assert.equal(response.header?.revision, last);
      answered++;
      sendProgress(stream);
    } else last = response.events.at(-1)!.kv!.modRevision;
  }
  await writing;
  assert.ok(answered > 0);
});

test("WATCH-29: at each tick an idle watcher that asked for it is told how far it is, under its own id", async (t) => {
  const services = await Services.start(t, limits);
  const client = await services.connect();
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 5n, progressNotify: true });
  await create(stream, "a", { watchId: 6n });
  await create(stream, "b", { watchId: 7n, progressNotify: true });
  await client.put("elsewhere");
  services.time.advance(intervalMs);
  assert.deepEqual((await stream.take(2)).map(progress), [
    [5n, 2],
    [7n, 2],
  ]);
  services.time.advance(intervalMs);
  assert.deepEqual((await stream.take(2)).map(progress), [
    [5n, 2],
    [7n, 2],
  ]);
  assert.equal(await nextIsCreated(stream), true);
});

test("WATCH-29: after events one tick is skipped", async (t) => {
  const services = await Services.start(t, limits);
  const client = await services.connect();
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 5n, progressNotify: true });
  await create(stream, "b", { watchId: 6n, progressNotify: true });
  await client.put("a", "1");
  assert.deepEqual(showEvents(await stream.next()), ["a=1@2"]);
  services.time.advance(intervalMs);
  assert.deepEqual(progress(await stream.next()), [6n, 2]);
  assert.equal(await nextIsCreated(stream), true);
  services.time.advance(intervalMs);
  assert.deepEqual((await stream.take(2)).map(progress), [
    [5n, 2],
    [6n, 2],
  ]);
});

test("WATCH-29, WATCH-31: a watcher that is behind, or starts in the future, gets no tick", async (t) => {
  const services = await Services.start(t, limits);
  const client = await services.connect();
  await client.put("a", "x".repeat(100_000));
  for (let i = 0; i < 20; i++) await client.put("a", "x".repeat(100_000));
  const stream = openWatch(client);
  stream.call.pause();
  await create(stream, "b", { watchId: 6n, startRevision: 100, progressNotify: true });
  await create(stream, "a", { watchId: 5n, startRevision: 1, progressNotify: true });
  await until(() => services.streams[0]?.congested === true);
  for (let i = 0; i < 10; i++) await client.put("a", "x".repeat(100_000));
  services.time.advance(intervalMs);
  stream.call.resume();
  assert.equal((await events(stream, 31)).length, 31);
  assert.equal(await nextIsCreated(stream), true);
});

test("WATCH-30: each stream ticks for itself, and stops when it ends", async (t) => {
  const services = await Services.start(t, limits);
  const client = await services.connect();
  const idle = services.time.ticking;
  const streams = [openWatch(client), openWatch(client)];
  for (const stream of streams) {
    await create(stream, "a", { progressNotify: true });
    await create(stream, "b", { progressNotify: true });
  }
  assert.equal(services.time.ticking, idle + 2);
  for (const stream of streams) stream.call.cancel();
  await until(() => services.time.ticking === idle);
});

test("WATCH-30: a server ticks by itself at the interval it was given", async (t) => {
  const { client } = await start(t, { serviceLimits: { watchProgressIntervalMs: 10 } });
  const stream = openWatch(client);
  await create(stream, "a", { watchId: 5n, progressNotify: true });
  assert.deepEqual((await stream.take(3)).map(progress), [
    [5n, 1],
    [5n, 1],
    [5n, 1],
  ]);
});
