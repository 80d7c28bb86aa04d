import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness, Recorder } from "../testing/harness.js";

test("watchers that are behind are counted until they have caught up, been compacted away or gone", async () => {
  const harness = await Harness.start();
  const { watches } = harness.replica;
  for (let i = 0; i < 5; i++) await harness.put("a");
  harness.watch("a", { startRevision: 2 });
  harness.watch("a");
  assert.equal(watches.behindCount, 1);
  await harness.settle();
  assert.deepEqual([watches.behindCount, watches.eventsGiven], [0, 5]);
  await harness.put("a");
  assert.equal(watches.eventsGiven, 7);

  const slow = new Recorder();
  const { watcher } = harness.watch("a", { recorder: slow });
  slow.congested = true;
  await harness.put("a");
  assert.deepEqual([watches.behindCount, watches.eventsGiven], [1, 9]);
  if (watcher !== undefined) watches.remove(watcher);
  assert.equal(watches.behindCount, 0);

  await harness.propose({ kind: "compact", revision: 6 });
  harness.watch("a", { startRevision: 2 });
  assert.equal(watches.behindCount, 1);
  await harness.settle();
  assert.equal(watches.behindCount, 0);
});
