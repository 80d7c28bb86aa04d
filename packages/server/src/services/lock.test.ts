import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdErrors, etcdTexts, leaseService, lockService, SortOrder, SortTarget } from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { rejectsAs, rejectsAsUnknown } from "../testing/status-error.js";
import { byteString, show, type TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { create, events, openWatch, type WatchStream } from "../testing/watching.js";

/** A watch on every key under `name/`: what is put there has joined the queue. */
async function watchQueue(client: TestClient, name: string): Promise<WatchStream> {
  const stream = openWatch(client);
  await create(stream, `${name}/`, { rangeEnd: `${name}0` });
  return stream;
}

async function grantAll(client: TestClient, ...ids: bigint[]): Promise<void> {
  for (const id of ids) await client.grant(id);
}

test("LOCK-1: the key is the name, a slash and the lease in hex; it is empty and carries the lease", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 0xabcn, -255n);
  assert.equal(await client.lock("n", 0xabcn), "n/abc");
  assert.equal(await client.lock("m", -255n), "m/-ff");
  const kv = await client.get("n/abc");
  assert.deepEqual([kv?.value.length, kv?.lease], [0, 0xabcn]);
});

test("LOCK-3, LOCK-4: waiters are served in create-revision order, and one release wakes one", async (t) => {
  const { client } = await start(t);
  const ids = [5n, 9n, 1n, 7n, 3n];
  await grantAll(client, ...ids);
  const queue = await watchQueue(client, "n");
  const held: string[] = [];
  for (const id of ids) {
    void client.lock("n", id).then((key) => held.push(key));
    await queue.next();
  }
  for (let i = 0; i < ids.length; i++) {
    // A round trip behind the release: whoever was woken has been told before.
    await client.range("a");
    assert.deepEqual(
      held,
      ids.slice(0, i + 1).map((id) => `n/${id.toString(16)}`),
    );
    await client.unlock(held[i]!);
  }
});

test("LOCK-4: rewriting the holder's key wakes nobody", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 1n, 2n);
  const queue = await watchQueue(client, "n");
  await client.lock("n", 1n);
  let woken = false;
  const waiting = client.lock("n", 2n).then(() => {
    woken = true;
  });
  await queue.take(2);
  await client.put("n/1", "rewritten", 1n);
  assert.equal(woken, false);
  await client.unlock("n/1");
  await waiting;
});

test("LOCK-5: every older key under the prefix counts: a nested lock, and an ordinary key", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 1n, 2n);
  await client.put("n/config");
  await client.put("nearby");
  const nested = await client.lock("n/deeper", 1n);
  const queue = await watchQueue(client, "n");
  let woken = false;
  const waiting = client.lock("n", 2n).then((key) => {
    woken = true;
    return key;
  });
  await queue.next();
  await client.delete("n/config");
  await client.range("a");
  assert.equal(woken, false);
  await client.unlock(nested);
  assert.equal(await waiting, "n/2");
});

test("LOCK-6: an empty name, and one of any bytes, are names like others", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 10n);
  for (const name of ["", "/", "a\0b", "\xff\xfe", "\xff"]) assert.equal(await client.lock(name, 10n), `${name}/a`);
  assert.equal((await client.keys("")).length, 5);
});

test("LOCK-7: without a lease the server grants one of 60 s, which outlives the unlock", async (t) => {
  const { client } = await start(t);
  const key = await client.lock("n", 0n);
  const lease = (await client.get(key))?.lease ?? 0n;
  assert.equal(key, `n/${lease.toString(16)}`);
  const { grantedTtl, keys } = await client.call(leaseService.methods.leaseTimeToLive, { id: lease, keys: true });
  assert.deepEqual([grantedTtl, keys], [60, [key]]);
  await client.unlock(key);
  const after = await client.call(leaseService.methods.leaseTimeToLive, { id: lease, keys: true });
  assert.deepEqual([after.grantedTtl, after.keys], [60, []]);
});

test("LOCK-8, LOCK-20: a wait has no end of its own, and keeps no lease alive", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.grant(1n, 9_000_000);
  await client.grant(2n, 9_000_000);
  await client.grant(3n, 60);
  await client.lock("n", 1n);
  const waiting = client.lock("n", 2n);
  const dying = client.lock("n", 3n);
  await until(() => services.replica.locks.waiterCount === 2);
  services.time.advance(61_000);
  await rejectsAs(dying, etcdTexts.mutexSessionExpired);
  services.time.advance(24 * 60 * 60 * 1000);
  assert.equal(services.replica.locks.waiterCount, 1);
  await client.unlock("n/1");
  assert.equal(await waiting, "n/2");
});

test("LOCK-9, LOCK-14: an unknown lease is UNKNOWN with the inner text, and no key is written", async (t) => {
  const { client } = await start(t);
  await rejectsAsUnknown(client.lock("n", 99n), etcdErrors.leaseNotFound);
  assert.equal(await client.revision(), 1);
});

test("LOCK-14: what the log refuses is UNKNOWN with the inner text", async (t) => {
  const { client } = await start(t, { replicaLimits: { waitingProposals: 1 } });
  await client.grant(1n);
  const [put, lock] = await Promise.allSettled([client.put("a"), client.lock("n", 1n)]);
  assert.equal(put.status, "fulfilled");
  await rejectsAsUnknown(Promise.reject((lock as PromiseRejectedResult).reason), etcdErrors.requestTooManyRequests);
});

test("LOCK-14, LIM-1: a name that is too large is UNKNOWN with the inner text", async (t) => {
  const { client } = await start(t, { serviceLimits: { requestBytes: 1_000 } });
  await client.grant(1n);
  await rejectsAsUnknown(client.lock("n".repeat(1_000), 1n), etcdErrors.requestTooLarge);
  await rejectsAsUnknown(client.unlock("n".repeat(1_001)), etcdErrors.requestTooLarge);
  assert.equal(await client.revision(), 1);
});

test("LOCK-10: the holder's lease locking again gets the same key at once; one unlock frees it", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 1n, 2n);
  await client.lock("n", 1n);
  const queue = await watchQueue(client, "n");
  const waiting = client.lock("n", 2n);
  await queue.next();
  assert.equal(await client.lock("n", 1n), "n/1");
  await client.unlock("n/1");
  assert.equal(await waiting, "n/2");
});

test("LOCK-11: two waiting calls of one lease share a key, and both hold it when its turn comes", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await grantAll(client, 1n, 2n);
  await client.lock("n", 1n);
  const both = [client.lock("n", 2n), client.lock("n", 2n)];
  await until(() => services.replica.locks.waiterCount === 2);
  assert.deepEqual(await client.keys("n/"), ["n/1", "n/2"]);
  await client.unlock("n/1");
  assert.deepEqual(await Promise.all(both), ["n/2", "n/2"]);
});

test("LOCK-12, LOCK-13: the header shows the revision of the decision, which after a wait is above the key's own", async (t) => {
  const { client, server } = await start(t);
  await grantAll(client, 1n, 2n);
  const { lock } = lockService.methods;
  const first = await client.call(lock, { name: byteString("n"), lease: 1n });
  const { clusterId, memberId } = server.running;
  assert.deepEqual(first.header, { clusterId, memberId, revision: 2, raftTerm: 1 });
  await client.put("elsewhere");
  assert.equal((await client.call(lock, { name: byteString("n"), lease: 1n })).header?.revision, 3);
  const queue = await watchQueue(client, "n");
  const waiting = client.call(lock, { name: byteString("n"), lease: 2n });
  await queue.next();
  await client.put("elsewhere");
  await client.unlock("n/1");
  assert.equal((await waiting).header?.revision, 6);
  assert.deepEqual((await client.range("n/2")).kvs.map(show), ["n/2= 4/4/1"]);
});

test("LOCK-21: unlock deletes exactly the given key, whoever it belongs to", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 1n, 2n);
  await client.put("ordinary");
  await client.put("ordinary/more");
  await client.lock("n", 1n);
  const queue = await watchQueue(client, "n");
  const waiting = client.lock("n", 2n);
  await queue.next();
  await client.unlock("ordinary");
  await client.unlock("n/2");
  await rejectsAs(waiting, etcdTexts.mutexSessionExpired);
  assert.deepEqual(await client.keys(""), ["n/1", "ordinary/more"]);
});

test("LOCK-22, LOCK-23: a missing key is no error and makes no revision; an empty one is refused", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  const { unlock } = lockService.methods;
  assert.equal((await client.call(unlock, { key: byteString("missing") })).header?.revision, 2);
  assert.equal(await client.revision(), 2);
  await rejectsAsUnknown(client.unlock(""), etcdErrors.emptyKey);
  assert.equal((await client.call(unlock, { key: byteString("a") })).header?.revision, 3);
});

test("LOCK-27: keys that a client writes by itself share the queue with these calls", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 1n, 2n);
  // As Go's Mutex does it: its own key under the prefix, deleted to release.
  await client.put("n/beef", "", 1n);
  const queue = await watchQueue(client, "n");
  const waiting = client.lock("n", 2n);
  await queue.next();
  await client.put("n/0younger", "", 1n);
  await client.delete("n/beef");
  assert.equal(await waiting, "n/2");
});

test("I4b: at the revision of each answer, the key it names is the oldest of the name", async (t) => {
  const { client, server } = await start(t);
  const contenders = 40;
  const clients = await Promise.all([server.connect(), server.connect()]);
  const rounds = Array.from({ length: contenders }, async (_, i) => {
    const { header, key } = await clients[i % 2]!.call(lockService.methods.lock, { name: byteString("n"), lease: 0n });
    const oldest = await client.range("n/", {
      rangeEnd: byteString("n0"),
      revision: header!.revision,
      sortOrder: SortOrder.ASCEND,
      sortTarget: SortTarget.CREATE,
      limit: 1,
    });
    assert.equal(oldest.kvs[0]?.key, key);
    await client.unlock(key);
    return oldest.kvs[0]!.createRevision;
  });
  // I5: every holder has a token of its own.
  assert.equal(new Set(await Promise.all(rounds)).size, contenders);
});

test("LOCK-5: a watch of the name sees every holder come and go, each revision once", async (t) => {
  const { client } = await start(t);
  await grantAll(client, 1n, 2n);
  const queue = await watchQueue(client, "n");
  await client.lock("n", 1n);
  const waiting = client.lock("n", 2n);
  assert.deepEqual(await events(queue, 2), ["n/1=@2", "n/2=@3"]);
  await client.unlock("n/1");
  await client.unlock(await waiting);
  assert.deepEqual(await events(queue, 2), ["-n/1@4", "-n/2@5"]);
});
