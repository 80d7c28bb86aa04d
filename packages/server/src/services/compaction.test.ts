import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdErrors, kvService } from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, show } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

const { compact } = kvService.methods;

test("COMP-1: what is compacted already and what is still to come cannot be compacted; the present can", async (t) => {
  const { client } = await start(t);
  for (let i = 0; i < 4; i++) await client.put("a", `${i}`);
  await client.compact(3);
  await rejectsAs(client.compact(3), etcdErrors.compacted);
  await rejectsAs(client.compact(2), etcdErrors.compacted);
  await rejectsAs(client.compact(-5), etcdErrors.compacted);
  await rejectsAs(client.compact(6), etcdErrors.futureRev);
  await client.compact(5);
});

test("COMP-2: on a store that was never compacted, 0 is accepted once", async (t) => {
  const { client } = await start(t);
  await client.compact(0);
  await rejectsAs(client.compact(0), etcdErrors.compacted);
});

test("COMP-3, COMP-6: old revisions are gone, the header shows the present, and no revision was made", async (t) => {
  const { client } = await start(t);
  for (let i = 0; i < 4; i++) await client.put("a", `${i}`);
  const { header } = await client.call(compact, { revision: 3 });
  assert.equal(header?.revision, 5);
  assert.equal(await client.revision(), 5);
  await rejectsAs(client.range("a", { revision: 2 }), etcdErrors.compacted);
  assert.deepEqual((await client.range("a", { revision: 3 })).kvs.map(show), ["a=1 2/3/2"]);
});

test("COMP-5: a physical compaction is answered when the history is gone, any other at once; both look the same", async (t) => {
  const services = await Services.start(t, { replicaLimits: { sweepItems: 1 } });
  const client = await services.connect();
  for (let i = 0; i < 100; i++) await client.put("a", `${i}`);
  const { machine } = services.replica;
  const full = machine.approximateBytes;
  // A frozen state holds the sweep off, so that what waits for it and what does not can be told apart.
  const frozen = machine.freeze();
  const logical = await client.call(compact, { revision: 51 });
  assert.equal(logical.header?.revision, 101);
  let answered = false;
  const physical = client.call(compact, { revision: 101, physical: true });
  void physical.then(() => {
    answered = true;
  });
  await until(() => machine.compactRevision === 101);
  await rejectsAs(client.range("a", { revision: 100 }), etcdErrors.compacted);
  assert.deepEqual([answered, machine.approximateBytes], [false, full]);
  frozen.release();
  assert.equal((await physical).header?.revision, 101);
  assert.ok(machine.approximateBytes < full / 10);
});

test("F21, COMP-4: a delete at exactly the compacted revision is still seen by a watch from there", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  await client.delete("a");
  await client.put("b");
  await client.call(compact, { revision: 3, physical: true });
  const stream = await client.watch({ key: byteString("a"), startRevision: 3 });
  const { events } = await stream.next();
  assert.deepEqual(
    events.map(({ type, kv }) => [type, kv?.key, kv?.modRevision]),
    [[1, "a", 3]],
  );
});
