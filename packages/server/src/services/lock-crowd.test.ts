import assert from "node:assert/strict";
import { test } from "node:test";
import { SortOrder, SortTarget } from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { byteString } from "../testing/test-client.js";

const waiters = 10_000;
const connections = 12;

test("LOCK-3: 10,000 waiters on one lock are served in create-revision order, and no hand-over looks at the others", async (t) => {
  const services = await Services.start(t);
  const { locks, machine } = services.replica;
  const clients = await Promise.all(Array.from({ length: connections }, () => services.connect()));
  const [first] = clients;
  await Promise.all(Array.from({ length: waiters + 1 }, (_, i) => clients[i % connections]!.grant(BigInt(i + 1))));
  await first!.lock("n", 1n);
  const served: string[] = [];
  let failed = 0;
  const calls = Array.from({ length: waiters }, async (_, i) => {
    const client = clients[i % connections]!;
    const key = await client.lock("n", BigInt(i + 2)).catch(() => {
      failed++;
    });
    if (key === undefined) return;
    served.push(key);
    await client.unlock(key);
  });
  await until(() => locks.waiterCount === waiters || failed > 0);
  assert.equal(failed, 0);
  const sorted = await first!.range("n/", {
    rangeEnd: byteString("n0"),
    sortOrder: SortOrder.ASCEND,
    sortTarget: SortTarget.CREATE,
  });
  const expected = sorted.kvs.slice(1).map(({ key }) => key);
  assert.equal(expected.length, waiters);
  // Reading the keys of the queue is what would make a hand-over cost more with more waiters.
  let scans = 0;
  const { forEachLive } = machine;
  machine.forEachLive = (...range) => {
    scans++;
    forEachLive.apply(machine, range);
  };
  await first!.unlock("n/1");
  await Promise.all(calls);
  assert.deepEqual(served, expected);
  assert.deepEqual([scans, locks.waiterCount, machine.keyCount], [0, 0, 0]);
});
