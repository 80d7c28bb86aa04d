import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultReplicaLimits } from "@holdfast/replica";
import { defaultLimits } from "@holdfast/transport";
import { Services, until } from "../testing/services.js";
import { showEvents, type TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { create, events, openWatch, sendProgress } from "../testing/watching.js";

const valueBytes = 1_000;

/** Puts `count` values of about a kilobyte on `a`; revisions go on from the present one. */
async function write(client: TestClient, count: number): Promise<void> {
  for (let done = 0; done < count; done += 500) {
    const length = Math.min(500, count - done);
    await Promise.all(Array.from({ length }, (_, i) => client.put("a", `${done + i}`.padEnd(valueBytes, "."))));
  }
}

test("I8, WATCH-8, WATCH-20: 10,000 events read from history are those a live watcher saw", async (t) => {
  const { client, server } = await start(t);
  const live = openWatch(await server.connect());
  await create(live, "a");
  await write(client, 10_000);
  const seen = await events(live, 10_000);
  const late = openWatch(await server.connect());
  await create(late, "a", { startRevision: 1 });
  assert.deepEqual(await events(late, 10_000), seen);
  assert.equal(new Set(seen).size, 10_000);
});

test("F20, WATCH-33: a stream that is not read holds a bounded number of bytes, and loses nothing", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const slow = openWatch(await services.connect());
  await create(slow, "a");
  slow.call.pause();
  const fast = openWatch(await services.connect());
  await create(fast, "a");
  const [slowCall] = services.streams;
  const heldMax = defaultLimits.callHighWaterBytes + defaultReplicaLimits.catchUpRevisions * 2 * valueBytes;
  for (let round = 0; round < 10; round++) {
    await write(client, 1_000);
    assert.ok(slowCall!.unsentBytes < heldMax, `${slowCall!.unsentBytes} bytes wait`);
  }
  assert.equal(slowCall?.congested, true);
  const all = await events(fast, 10_000);
  slow.call.resume();
  assert.deepEqual(await events(slow, 10_000), all);
  // Caught up, it is live again.
  await client.put("a", "live");
  assert.deepEqual(showEvents(await slow.next()), ["a=live@10002"]);
});

test("WATCH-31, WATCH-33: a slow watcher keeps its stream's progress silent, but no other stream's", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const slow = openWatch(await services.connect());
  await create(slow, "a");
  slow.call.pause();
  await until(() => services.streams.length === 1);
  while (services.streams[0]?.congested !== true) await write(client, 100);
  await write(client, 100);
  sendProgress(slow);
  const other = openWatch(client);
  await create(other, "a");
  sendProgress(other);
  assert.equal((await other.next()).watchId, -1n);
  const revision = await client.revision();
  slow.call.resume();
  const shown = await events(slow, revision - 1);
  assert.equal(shown.length, revision - 1);
  assert.equal(slow.waiting, 0);
});

test("F20, I8, WATCH-23: a slow watcher that compaction overtakes is ended with the compact revision, and no event is skipped", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const slow = openWatch(await services.connect());
  await create(slow, "a", { watchId: 4n });
  slow.call.pause();
  await until(() => services.streams.length === 1);
  while (services.streams[0]?.congested !== true) await write(client, 100);
  await write(client, 100);
  const revision = await client.revision();
  await client.compact(revision);
  slow.call.resume();
  let expected = 2;
  for (;;) {
    const response = await slow.next();
    if (response.canceled) {
      const { watchId, compactRevision, header, cancelReason } = response;
      assert.deepEqual([watchId, compactRevision, header?.revision, cancelReason], [4n, revision, 0, ""]);
      break;
    }
    for (const { kv } of response.events) assert.equal(kv?.modRevision, expected++);
  }
  assert.ok(expected < revision);
  assert.equal(services.replica.watches.watcherCount, 0);
});

test("F20: many watchers of one slow stream come back to life together", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const slow = openWatch(await services.connect());
  const watchers = 20;
  for (let i = 0; i < watchers; i++) await create(slow, "a", i % 2 === 0 ? {} : { rangeEnd: "b" });
  slow.call.pause();
  await write(client, 500);
  const counts = new Map<bigint, number>();
  const resumed = async (): Promise<void> => {
    for (let seen = 0; seen < 500 * watchers; ) {
      const { watchId, events: told } = await slow.next();
      counts.set(watchId, (counts.get(watchId) ?? 0) + told.length);
      seen += told.length;
    }
  };
  slow.call.resume();
  await resumed();
  assert.deepEqual(
    [...counts.values()],
    Array.from({ length: watchers }, () => 500),
  );
});
