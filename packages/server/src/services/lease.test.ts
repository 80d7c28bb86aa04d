import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createPutRequest,
  createRequestOp,
  etcdErrors,
  kvService,
  type LeaseTimeToLiveResponse,
  leaseService,
} from "@holdfast/protocol";
import { Services } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, bytes, showEvents, type TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

const { leaseGrant, leaseRevoke, leaseTimeToLive, leaseLeases } = leaseService.methods;
const { put } = kvService.methods;
const largestId = 2n ** 63n - 1n;
const smallestId = -(2n ** 63n);

/** What is left of a lease, without the header. */
async function timeToLive(
  client: TestClient,
  id: bigint,
  keys = false,
): Promise<Omit<LeaseTimeToLiveResponse, "header">> {
  const { header: _, ...rest } = await client.call(leaseTimeToLive, { id, keys });
  return rest;
}

test("LEASE-1: the server picks positive ids, each time another", async (t) => {
  const { client } = await start(t);
  const answers = await Promise.all(Array.from({ length: 100 }, () => client.call(leaseGrant, { ttl: 60 })));
  assert.equal(new Set(answers.map(({ id }) => id)).size, 100);
  assert.ok(answers.every(({ id }) => id > 0n && id <= largestId));
});

test("LEASE-2: a chosen id is used as it is, the negative and the extreme ones too", async (t) => {
  const { client } = await start(t);
  for (const id of [1n, -1n, largestId, smallestId]) {
    assert.equal((await client.call(leaseGrant, { id, ttl: 60 })).id, id);
    await client.put("k", "", id);
    assert.equal((await client.get("k"))?.lease, id);
  }
});

test("F23, LEASE-3: an id in use is refused, and its lease is left alone", async (t) => {
  const { client } = await start(t);
  await client.grant(7n, 100);
  await client.put("a", "", 7n);
  await rejectsAs(client.grant(7n, 50), etcdErrors.leaseExist);
  const { grantedTtl, keys } = await timeToLive(client, 7n, true);
  assert.deepEqual([grantedTtl, keys], [100, ["a"]]);
});

test("LEASE-4: 9,000,000,000 s are accepted, more are too large; that is looked at before the id", async (t) => {
  const { client } = await start(t);
  assert.equal((await client.call(leaseGrant, { id: 7n, ttl: 9_000_000_000 })).ttl, 9_000_000_000);
  await rejectsAs(client.grant(8n, 9_000_000_001), etcdErrors.leaseTtlTooLarge);
  await rejectsAs(client.grant(7n, 9_000_000_001), etcdErrors.leaseTtlTooLarge);
  assert.equal((await timeToLive(client, 8n)).ttl, -1);
});

test("LEASE-5, LEASE-6: a TTL below the minimum is raised to 2 s, and the answer says so", async (t) => {
  const { client } = await start(t);
  for (const ttl of [1, 0, -1, -9_000_000_001]) assert.equal((await client.call(leaseGrant, { ttl })).ttl, 2);
  assert.equal((await client.call(leaseGrant, { ttl: 2 })).ttl, 2);
  assert.equal((await client.call(leaseGrant, { ttl: 3 })).ttl, 3);
});

test("LEASE-7: a grant makes no revision and sets no error text", async (t) => {
  const { client, server } = await start(t);
  await client.put("a");
  const { clusterId, memberId } = server.running;
  assert.deepEqual(await client.call(leaseGrant, { id: 7n, ttl: 60 }), {
    header: { clusterId, memberId, revision: 2, raftTerm: 1 },
    id: 7n,
    ttl: 60,
    error: "",
  });
});

test("LEASE-15: revoking an unknown lease is refused, 0 included", async (t) => {
  const { client } = await start(t);
  await rejectsAs(client.revoke(99n), etcdErrors.leaseNotFound);
  await rejectsAs(client.revoke(0n), etcdErrors.leaseNotFound);
});

test("LEASE-11, LEASE-16: a revoke deletes all keys in one revision, in key order, before it is answered", async (t) => {
  const { client } = await start(t);
  await client.grant(7n);
  for (const key of ["c", "a", "b"]) await client.put(key, "", 7n);
  const watch = await client.watch({ key: byteString("a"), rangeEnd: byteString("z") });
  const { header } = await client.call(leaseRevoke, { id: 7n });
  assert.equal(header?.revision, 5);
  assert.deepEqual(await client.keys(""), []);
  assert.deepEqual(showEvents(await watch.next()), ["-a@5", "-b@5", "-c@5"]);
  await rejectsAs(client.revoke(7n), etcdErrors.leaseNotFound);
});

test("LEASE-13, LEASE-16: revoking a lease without keys makes no revision", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  await client.grant(7n);
  assert.equal((await client.call(leaseRevoke, { id: 7n })).header?.revision, 2);
  assert.equal(await client.revision(), 2);
});

test("LEASE-26, LEASE-29: what is left is told in whole seconds, rounded down, keys only when asked for", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.grant(7n, 60);
  await client.put("a", "", 7n);
  services.time.advance(1);
  assert.deepEqual(await timeToLive(client, 7n), { id: 7n, ttl: 59, grantedTtl: 60, keys: [] });
  services.time.advance(59_000);
  assert.deepEqual(await timeToLive(client, 7n, true), { id: 7n, ttl: 0, grantedTtl: 60, keys: ["a"] });
});

test("LEASE-27: a lease that is due and not ended yet has 0 s left, not -1, which is said of unknown leases", async (t) => {
  const services = await Services.start(t, { replicaLimits: { leaseTickMs: 1_000 } });
  const client = await services.connect();
  services.time.advance(500);
  await client.grant(7n, 2);
  // Due half a second before the tick that looks at it.
  services.time.advance(2_499);
  assert.deepEqual(await timeToLive(client, 7n), { id: 7n, ttl: 0, grantedTtl: 2, keys: [] });
});

test("LEASE-28: an unknown lease is an answer, not an error", async (t) => {
  const { client, server } = await start(t);
  await client.put("a");
  const { clusterId, memberId } = server.running;
  assert.deepEqual(await client.call(leaseTimeToLive, { id: 99n, keys: true }), {
    header: { clusterId, memberId, revision: 2, raftTerm: 1 },
    id: 99n,
    ttl: -1,
    grantedTtl: 0,
    keys: [],
  });
});

test("LEASE-30: leases are listed by what is left, the soonest first; a renewal moves a lease back", async (t) => {
  const { client } = await start(t);
  for (const [id, ttl] of [
    [1n, 300],
    [2n, 100],
    [3n, 200],
  ] as const)
    await client.grant(id, ttl);
  const listed = async (): Promise<bigint[]> => (await client.call(leaseLeases)).leases.map(({ id }) => id);
  assert.deepEqual(await listed(), [2n, 3n, 1n]);
  await client.revoke(3n);
  assert.deepEqual(await listed(), [2n, 1n]);
  assert.equal((await client.call(leaseLeases)).header?.revision, 1);
});

test("LEASE-31: a put with an unknown lease is refused and writes nothing", async (t) => {
  const { client } = await start(t);
  await rejectsAs(client.put("a", "", 99n), etcdErrors.leaseNotFound);
  const success = [createRequestOp({ requestPut: createPutRequest({ key: byteString("a"), lease: 99n }) })];
  await rejectsAs(client.call(kvService.methods.txn, { success }), etcdErrors.leaseNotFound);
  assert.deepEqual(await client.keys(""), []);
});

test("LEASE-31: a lease that is past its deadline and not ended yet still takes keys, and they end with it", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.grant(7n, 2);
  const watch = await client.watch({ key: byteString("a") });
  services.time.advance(1_999);
  // The put reaches the log before the end does.
  await client.put("a", "late", 7n);
  services.time.advance(300);
  assert.deepEqual([...showEvents(await watch.next()), ...showEvents(await watch.next())], ["a=late@2", "-a@3"]);
});

test("LEASE-32, LEASE-33: a put moves the key to another lease, or off every lease", async (t) => {
  const { client } = await start(t);
  await client.grant(1n);
  await client.grant(2n);
  for (const key of ["moved", "detached", "kept", "detached too"]) await client.put(key, "v", 1n);
  await client.put("moved", "v", 2n);
  await client.put("detached", "v");
  await client.call(put, { key: byteString("detached too"), ignoreValue: true });
  await client.revoke(1n);
  assert.deepEqual(await client.keys(""), ["detached", "detached too", "moved"]);
  await client.revoke(2n);
  assert.deepEqual(await client.keys(""), ["detached", "detached too"]);
});

test("LEASE-34: ignore_lease keeps the lease; together with a lease, or on a missing key, it is refused", async (t) => {
  const { client } = await start(t);
  await client.grant(7n);
  await client.put("a", "old", 7n);
  const key = byteString("a");
  await client.call(put, { key, value: bytes("new"), ignoreLease: true });
  assert.equal((await client.get("a"))?.lease, 7n);
  await rejectsAs(client.call(put, { key, ignoreLease: true, lease: 7n }), etcdErrors.leaseProvided);
  await rejectsAs(client.call(put, { key: byteString("b"), ignoreLease: true }), etcdErrors.keyNotFound);
});

test("LEASE-35: a deleted key is off its lease; a new key of that name is not touched by it", async (t) => {
  const { client } = await start(t);
  await client.grant(7n);
  await client.put("a", "", 7n);
  await client.delete("a");
  assert.deepEqual((await timeToLive(client, 7n, true)).keys, []);
  await client.put("a");
  await client.revoke(7n);
  assert.deepEqual(await client.keys(""), ["a"]);
});

test("LEASE-36: putting again with the same lease is a write like others, and the key stays attached", async (t) => {
  const { client } = await start(t);
  await client.grant(7n);
  await client.put("a", "v", 7n);
  await client.put("a", "v", 7n);
  assert.equal((await client.get("a"))?.version, 2);
  assert.deepEqual((await timeToLive(client, 7n, true)).keys, ["a"]);
  await client.revoke(7n);
  assert.deepEqual([await client.keys(""), await client.revision()], [[], 4]);
});

test("LEASE-9, LEASE-37: writing a key does not renew its lease: both are gone after the TTL", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.grant(7n, 2);
  await client.put("a", "1", 7n);
  const watch = await client.watch({ key: byteString("a") });
  services.time.advance(1_900);
  await client.put("a", "2", 7n);
  services.time.advance(99);
  assert.equal((await timeToLive(client, 7n)).grantedTtl, 2);
  services.time.advance(201);
  assert.deepEqual((await watch.take(2)).flatMap(showEvents), ["a=2@3", "-a@4"]);
  assert.equal((await timeToLive(client, 7n)).ttl, -1);
});
