import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdErrors, kvService, leaseService } from "@holdfast/protocol";
import { rejectsAs } from "./testing/status-error.js";
import { temporaryFolder } from "./testing/temporary-folder.js";
import { byteString, bytes, show } from "./testing/test-client.js";
import { start } from "./testing/test-server.js";
import { create, events, openWatch } from "./testing/watching.js";

test("I1, LEASE-38: keys, versions, leases and their attachments are there after a restart", async (t) => {
  const dataDir = temporaryFolder();
  const first = await start(t, { dataDir });
  await first.client.grant(7n, 600);
  await first.client.grant(-8n, 700);
  for (const value of ["1", "2", "3"]) await first.client.put("a", value, 7n);
  await first.client.put("binary \0\xff", "v", -8n);
  await first.client.put("gone", "", 7n);
  await first.client.delete("gone");
  const range = { rangeEnd: byteString("\0") };
  const before = await first.client.range("\0", range);
  await first.server.stop();
  const { client } = await start(t, { dataDir });
  const after = await client.range("\0", range);
  assert.deepEqual(after.kvs, before.kvs);
  assert.equal(after.header?.revision, before.header?.revision);
  const lease = await client.call(leaseService.methods.leaseTimeToLive, { id: 7n, keys: true });
  assert.deepEqual([lease.grantedTtl, lease.keys], [600, ["a"]]);
  await client.revoke(-8n);
  assert.deepEqual(await client.keys(""), ["a"]);
});

test("GEN-11: cluster and member stay the same over restarts, the term grows with each", async (t) => {
  const dataDir = temporaryFolder();
  const seen: unknown[] = [];
  const terms: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { client, server } = await start(t, { dataDir });
    const { header } = await client.put("a");
    seen.push([header?.clusterId, header?.memberId, server.running.clusterId, server.running.memberId]);
    terms.push(header?.raftTerm ?? 0);
    await server.stop();
  }
  assert.deepEqual(seen[1], seen[0]);
  assert.deepEqual(seen[2], seen[0]);
  assert.ok(terms[0]! < terms[1]! && terms[1]! < terms[2]!, `terms ${terms}`);
});

test("F21, I8, WATCH-8: the history is there after a restart: a watch goes on where it ended", async (t) => {
  const dataDir = temporaryFolder();
  const first = await start(t, { dataDir });
  for (const value of ["1", "2", "3"]) await first.client.put("a", value);
  await first.client.delete("a");
  await first.server.stop();
  const { client } = await start(t, { dataDir });
  const stream = openWatch(client);
  await create(stream, "a", { startRevision: 3, prevKv: true });
  await client.put("a", "4");
  assert.deepEqual(await events(stream, 4), ["a=2@3", "a=3@4", "-a@5", "a=4@6"]);
  assert.deepEqual((await client.range("a", { revision: 3 })).kvs.map(show), ["a=2 2/3/2"]);
});

test("I2, COMP-6: a compaction is still in force after a restart, and the revision never falls", async (t) => {
  const dataDir = temporaryFolder();
  const first = await start(t, { dataDir });
  for (const value of ["1", "2", "3"]) await first.client.put("a", value);
  await first.client.call(kvService.methods.compact, { revision: 4, physical: true });
  await first.server.stop();
  const { client } = await start(t, { dataDir });
  assert.equal(await client.revision(), 4);
  await rejectsAs(client.range("a", { revision: 3 }), etcdErrors.compacted);
  await rejectsAs(client.compact(4), etcdErrors.compacted);
  const stream = openWatch(client);
  await create(stream, "a", { startRevision: 2 });
  assert.equal((await stream.next()).compactRevision, 4);
});

test("I5, LOCK-3: a lock that was held over a restart is held after it, under the same token", async (t) => {
  const dataDir = temporaryFolder();
  const first = await start(t, { dataDir });
  for (const id of [1n, 2n]) await first.client.grant(id);
  await first.client.lock("n", 1n);
  const token = (await first.client.get("n/1"))?.createRevision;
  await first.server.stop();
  const { client, server } = await start(t, { dataDir });
  const watch = openWatch(await server.connect());
  await create(watch, "n/", { rangeEnd: "n0" });
  const waiting = client.lock("n", 2n);
  await watch.next();
  assert.equal(await client.lock("n", 1n), "n/1");
  assert.equal((await client.get("n/1"))?.createRevision, token);
  await client.revoke(1n);
  assert.equal(await waiting, "n/2");
});

test("MAINT-1: a restart from a snapshot and the log behind it gives the same state as one from the log alone", async (t) => {
  const dataDir = temporaryFolder();
  const limits = { replicaLimits: { snapshotAfterBytes: 2_000 } };
  const first = await start(t, { dataDir, ...limits });
  await first.client.grant(7n);
  for (let i = 0; i < 200; i++) await first.client.put(`k${i % 20}`, `${i}`.padEnd(50, "."), i % 3 === 0 ? 7n : 0n);
  await first.client.compact(100);
  const range = { rangeEnd: byteString("\0") };
  const before = await first.client.range("\0", range);
  const past = await first.client.range("\0", { ...range, revision: 120 });
  await first.server.stop();
  const { client } = await start(t, { dataDir });
  assert.deepEqual((await client.range("\0", range)).kvs, before.kvs);
  assert.deepEqual((await client.range("\0", { ...range, revision: 120 })).kvs, past.kvs);
  const stream = openWatch(client);
  await create(stream, "", { rangeEnd: "\0", startRevision: 101 });
  assert.equal((await events(stream, 101)).length, 101);
});

test("I1: a request whose fields come in an order and with additions of its own is the same after a restart", async (t) => {
  const dataDir = temporaryFolder();
  const first = await start(t, { dataDir });
  // Value before key, an unknown field between, the key twice: the last one counts.
  const request = Uint8Array.of(0x12, 1, 0x76, 0x9a, 0x06, 1, 9, 0x0a, 1, 0x61, 0x0a, 1, 0x62);
  await first.client.unary(kvService.methods.put.path, request);
  assert.deepEqual((await first.client.range("b")).kvs.map(show), ["b=v 2/2/1"]);
  await first.server.stop();
  const { client } = await start(t, { dataDir });
  assert.deepEqual((await client.range("\0", { rangeEnd: byteString("\0") })).kvs.map(show), ["b=v 2/2/1"]);
  await client.call(kvService.methods.put, { key: byteString("b"), value: bytes("w") });
  assert.equal((await client.get("b"))?.version, 2);
});
