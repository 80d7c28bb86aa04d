import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdErrors, type HashKVResponse, kvService, maintenanceService } from "@holdfast/protocol";
import { Services } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import type { TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

function hashKv(client: TestClient, revision = 0): Promise<HashKVResponse> {
  return client.call(maintenanceService.methods.hashKv, { revision });
}

const hashAt = async (client: TestClient, revision = 0): Promise<number> => (await hashKv(client, revision)).hash;

test("MAINT-8: the hash is that of the revision it names; the header shows the present", async (t) => {
  const { client, server } = await start(t);
  for (const value of ["1", "2", "3"]) await client.put("a", value);
  const { clusterId, memberId } = server.running;
  const now = await hashKv(client);
  assert.deepEqual(now.header, { clusterId, memberId, revision: 4, raftTerm: 1 });
  assert.deepEqual([now.hashRevision, now.compactRevision], [4, -1]);
  const past = await hashKv(client, 3);
  assert.deepEqual([past.hashRevision, past.header?.revision], [3, 4]);
  assert.notEqual(past.hash, now.hash);
  assert.equal(await hashAt(client, 4), now.hash);
});

test("MAINT-8: the future and the compacted cannot be hashed; the compacted revision itself can", async (t) => {
  const { client } = await start(t);
  for (const value of ["1", "2", "3"]) await client.put("a", value);
  await client.compact(3);
  await rejectsAs(hashKv(client, 5), etcdErrors.futureRev);
  await rejectsAs(hashKv(client, 2), etcdErrors.compacted);
  await rejectsAs(hashKv(client, -1), etcdErrors.compacted);
  assert.deepEqual([(await hashKv(client, 3)).compactRevision, (await hashKv(client)).hashRevision], [3, 4]);
});

test("MAINT-8: later writes do not change the hash of a revision, whatever was compacted before it", async (t) => {
  for (const compactRevision of [undefined, 0, 1, 3]) {
    const { client, server } = await start(t);
    for (const value of ["1", "2", "3"]) await client.put("a", value);
    if (compactRevision !== undefined) await client.compact(compactRevision);
    const before = await hashAt(client, 4);
    await client.put("a", "4");
    await client.put("b");
    assert.equal(await hashAt(client, 4), before, `compacted at ${compactRevision}`);
    assert.notEqual(await hashAt(client), before);
    await server.stop();
  }
});

test("I10, MAINT-8: the hash is the same before and after a restart, and whether or not old data was swept", async (t) => {
  const dataDir = temporaryFolder();
  const first = await start(t, { dataDir });
  for (let i = 0; i < 300; i++) await first.client.put(`k${i % 30}`, `${i}`);
  await first.client.delete("k1", "k2");
  await first.client.compact(200);
  const before = await hashKv(first.client);
  await first.server.stop();
  const { client } = await start(t, { dataDir });
  assert.deepEqual(await hashAt(client), before.hash);
});

test("MAINT-8: every detail of a pair counts", async (t) => {
  const variants: Array<(client: TestClient) => Promise<unknown>> = [
    (client) => client.put("a", "v"),
    (client) => client.put("b", "v"),
    (client) => client.put("a", "w"),
    (client) => client.put("a", "v", 7n),
    (client) => client.delete("base"),
  ];
  const hashes = new Set<number>();
  for (const change of variants) {
    const { client, server } = await start(t);
    await client.grant(7n);
    await client.put("base");
    await change(client);
    hashes.add(await hashAt(client));
    await server.stop();
  }
  assert.equal(hashes.size, variants.length);
});

test("F14, MAINT-8: a large store is hashed in slices; a compaction in between ends the call", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  for (let start = 0; start < 20_000; start += 1_000) {
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => client.put(`k${start + i}`)));
  }
  const slices: Array<() => void> = [];
  services.time.defer = (task) => void slices.push(task);
  const hashing = hashKv(client);
  hashing.catch(() => {});
  await client.range("a");
  slices.shift()?.();
  assert.equal(slices.length, 1, "more than two slices");
  services.time.defer = (task) => void setImmediate(task);
  await client.call(kvService.methods.compact, { revision: 10 });
  for (const slice of slices) slice();
  await rejectsAs(hashing, etcdErrors.compacted);
});
