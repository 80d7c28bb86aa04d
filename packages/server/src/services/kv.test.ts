import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdErrors, kvService, SortOrder, StatusCode } from "@holdfast/protocol";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, bytes, show } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

const { put, range, deleteRange } = kvService.methods;

test("GEN-1, KV-22: an empty store is at revision 1, and each put makes the next one", async (t) => {
  const { client } = await start(t);
  assert.equal(await client.revision(), 1);
  assert.equal((await client.put("a", "1")).header?.revision, 2);
  assert.equal((await client.put("a", "1")).header?.revision, 3);
  assert.deepEqual((await client.range("a")).kvs.map(show), ["a=1 2/3/2"]);
});

test("GEN-2, KV-12: the header of a read in the past shows the present; the future and the compacted are refused", async (t) => {
  const { client } = await start(t);
  for (const value of ["1", "2", "3", "4"]) await client.put("a", value);
  const past = await client.range("a", { revision: 3 });
  assert.deepEqual([past.header?.revision, past.kvs.map(show)], [5, ["a=2 2/3/2"]]);
  await rejectsAs(client.range("a", { revision: 6 }), etcdErrors.futureRev);
  await client.compact(4);
  await rejectsAs(client.range("a", { revision: 3 }), etcdErrors.compacted);
  assert.deepEqual((await client.range("a", { revision: 4 })).kvs.map(show), ["a=3 2/4/3"]);
  assert.deepEqual((await client.range("a", { revision: -1 })).kvs.map(show), ["a=4 2/5/4"]);
});

test("GEN-3: headers of KV answers carry cluster, member, term and revision", async (t) => {
  const { client, server } = await start(t);
  const { clusterId, memberId } = server.running;
  const headers = [
    (await client.put("a")).header,
    (await client.range("a")).header,
    (await client.call(deleteRange, { key: byteString("a") })).header,
    (await client.call(kvService.methods.txn)).header,
    (await client.call(kvService.methods.compact, { revision: 2 })).header,
  ];
  const expected = [2, 2, 3, 3, 3].map((revision) => ({ clusterId, memberId, revision, raftTerm: 1 }));
  assert.deepEqual(headers, expected);
});

test("KV-3: an empty key is refused by range, put and delete", async (t) => {
  const { client } = await start(t);
  await rejectsAs(client.range(""), etcdErrors.emptyKey);
  await rejectsAs(client.put(""), etcdErrors.emptyKey);
  await rejectsAs(client.delete(""), etcdErrors.emptyKey);
  assert.equal(await client.revision(), 1);
});

test("KV-10: a sort order or target without a name is refused", async (t) => {
  const { client } = await start(t);
  await rejectsAs(client.range("a", { sortOrder: 3 }), etcdErrors.invalidSortOption);
  await rejectsAs(client.range("a", { sortTarget: 5 }), etcdErrors.invalidSortOption);
});

test("KV-13: a serializable range answers the same as a linearizable one", async (t) => {
  const { client } = await start(t);
  for (const key of ["a", "b", "c"]) await client.put(key, key);
  const fields = { rangeEnd: byteString("z"), limit: 2, sortOrder: SortOrder.DESCEND };
  const [linearizable, serializable] = await Promise.all([
    client.range("a", fields),
    client.range("a", { ...fields, serializable: true }),
  ]);
  assert.deepEqual(serializable, linearizable);
  assert.deepEqual([linearizable.count, linearizable.more], [3, true]);
});

test("KV-23, KV-26: what was there before is told when asked for", async (t) => {
  const { client } = await start(t);
  const fields = { key: byteString("a"), value: bytes("new"), prevKv: true };
  assert.equal((await client.call(put, fields)).prevKv, undefined);
  await client.put("b", "2");
  assert.equal(show((await client.call(put, fields)).prevKv!), "a=new 2/2/1");
  const deleted = await client.call(deleteRange, { key: byteString("a"), rangeEnd: byteString("\0"), prevKv: true });
  assert.deepEqual([deleted.deleted, deleted.prevKvs.map(show)], [2, ["a=new 2/4/2", "b=2 3/3/1"]]);
});

test("KV-27: a delete that finds nothing makes no revision", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  const response = await client.call(deleteRange, { key: byteString("b") });
  assert.deepEqual([response.deleted, response.header?.revision], [0, 2]);
});

test("LIM-1: a write above the request limit is refused, one at the limit is taken", async (t) => {
  const { client } = await start(t, { serviceLimits: { requestBytes: 100 } });
  // Key and value each cost a tag and a length of one byte; etcd's wrapping is counted as 18 bytes.
  await client.put("a", "x".repeat(100 - 18 - 5));
  await rejectsAs(client.put("a", "x".repeat(100 - 18 - 4)), etcdErrors.requestTooLarge);
  await rejectsAs(client.delete("a".repeat(100)), etcdErrors.requestTooLarge);
  assert.equal(await client.revision(), 2);
});

test("LIM-1, LIM-2: by default a value of 1.5 MiB is too large, and 2 MiB are not even read", async (t) => {
  const { client } = await start(t);
  await client.put("a", "x".repeat(1_572_864 - 18 - 7));
  await rejectsAs(client.put("a", "x".repeat(1_572_864 - 18 - 6)), etcdErrors.requestTooLarge);
  await rejectsAs(client.put("a", "x".repeat(1_572_864)), etcdErrors.requestTooLarge);
  const sent = bytes("x".repeat(2 * 1024 * 1024 + 1));
  await assert.rejects(client.unary(put.path, sent), {
    code: StatusCode.resourceExhausted,
    text: "grpc: received message larger than max (2097153 vs. 2097152)",
  });
});

test("LIM-3: answers are not limited: 12 MB in one range", async (t) => {
  const { client } = await start(t);
  const value = "x".repeat(1_000_000);
  for (let i = 0; i < 12; i++) await client.put(`k${i}`, value);
  const { kvs } = await client.range("k", { rangeEnd: byteString("l") });
  assert.equal(kvs.length, 12);
  assert.ok(kvs.every((kv) => kv.value.length === 1_000_000));
});

test("ORD-1: a put's shape is looked at before its size, its size before the state", async (t) => {
  const { client } = await start(t, { serviceLimits: { requestBytes: 100 } });
  const value = bytes("x".repeat(200));
  const key = byteString("a");
  await rejectsAs(client.call(put, { value, lease: 9n }), etcdErrors.emptyKey);
  await rejectsAs(client.call(put, { key, value, ignoreValue: true }), etcdErrors.valueProvided);
  await rejectsAs(client.call(put, { key, ignoreLease: true, lease: 9n }), etcdErrors.leaseProvided);
  await rejectsAs(client.call(put, { key, value, lease: 9n }), etcdErrors.requestTooLarge);
  await rejectsAs(client.call(put, { key, lease: 9n }), etcdErrors.leaseNotFound);
  await rejectsAs(client.call(put, { key, lease: 9n, ignoreValue: true }), etcdErrors.leaseNotFound);
  await rejectsAs(client.call(put, { key, ignoreValue: true }), etcdErrors.keyNotFound);
});

test("ORD-2: a range's shape is looked at before its revision", async (t) => {
  const { client } = await start(t);
  await rejectsAs(client.range("", { revision: 99 }), etcdErrors.emptyKey);
  await rejectsAs(client.range("a", { revision: 99, sortOrder: 7 }), etcdErrors.invalidSortOption);
  await rejectsAs(client.call(range, { key: byteString("a"), revision: 99 }), etcdErrors.futureRev);
});

test("F8, GEN-6, LIMIT waitingProposals: beyond the limit of waiting proposals a write is refused as UNKNOWN, and reads go on", async (t) => {
  const { client } = await start(t, { replicaLimits: { waitingProposals: 1 } });
  const [first, second, read] = await Promise.allSettled([client.put("a"), client.put("b"), client.range("a")]);
  assert.deepEqual([first.status, read.status], ["fulfilled", "fulfilled"]);
  assert.equal(second.status, "rejected");
  await rejectsAs(Promise.reject((second as PromiseRejectedResult).reason), etcdErrors.requestTooManyRequests);
  assert.deepEqual(await client.keys(""), ["a"]);
});

test("LEASE-42: under such load leases can neither be granted nor revoked", async (t) => {
  const { client } = await start(t, { replicaLimits: { waitingProposals: 1 } });
  await client.grant(1n);
  for (const lease of [() => client.grant(2n), () => client.revoke(1n)]) {
    const [put, refused] = await Promise.allSettled([client.put("a"), lease()]);
    assert.equal(put.status, "fulfilled");
    assert.equal(refused.status, "rejected");
    await rejectsAs(Promise.reject((refused as PromiseRejectedResult).reason), etcdErrors.requestTooManyRequests);
  }
  await client.revoke(1n);
});

test("I2: header revisions of one connection never fall, whatever runs at the same time", async (t) => {
  const { client } = await start(t);
  const calls: Array<Promise<{ header: { revision: number } | undefined }>> = [];
  for (let i = 0; i < 300; i++) calls.push(i % 3 === 0 ? client.range("a") : client.put(`k${i % 7}`, `${i}`));
  const seen: number[] = [];
  for (const call of calls) void call.then(({ header }) => seen.push(header?.revision ?? 0));
  await Promise.all(calls);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  assert.equal(seen.at(-1), 201);
});
