import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CampaignResponse,
  createLeaderKey,
  createTxnRequest,
  electionService,
  etcdErrors,
  etcdTexts,
  kvService,
  type LeaderKey,
  leaseService,
  StatusCode,
} from "@holdfast/protocol";
import type { CallOptions } from "@holdfast/transport";
import { Services, until } from "../testing/services.js";
import { rejectsAs, rejectsAsUnknown, StatusError } from "../testing/status-error.js";
import { byteString, bytes, putOp, show, type TestClient, text } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { create, events, openWatch } from "../testing/watching.js";

const methods = electionService.methods;
const name = byteString("e");

function campaign(client: TestClient, lease: bigint, value: string, options?: CallOptions): Promise<CampaignResponse> {
  return client.call(methods.campaign, { name, lease, value: bytes(value) }, options);
}

async function proclaim(client: TestClient, leader: LeaderKey | undefined, value: string): Promise<number> {
  const { header } = await client.call(methods.proclaim, { leader, value: bytes(value) });
  return header!.revision;
}

async function resign(client: TestClient, leader: LeaderKey | undefined): Promise<number> {
  return (await client.call(methods.resign, { leader })).header!.revision;
}

/** The leader's value, or undefined if nobody leads. */
async function leaderValue(client: TestClient): Promise<string | undefined> {
  try {
    return text((await client.call(methods.leader, { name })).kv!.value);
  } catch (error) {
    if (error instanceof StatusError && error.text === etcdTexts.electionNoLeader.wireMessage) return undefined;
    throw error;
  }
}

async function startWithLeases(
  t: Parameters<typeof Services.start>[0],
): Promise<{ services: Services; client: TestClient }> {
  const services = await Services.start(t);
  const client = await services.connect();
  for (const id of [1n, 2n, 3n]) await client.grant(id, 60);
  return { services, client };
}

const waiting = (services: Services, count: number) => until(() => services.replica.locks.waiterCount === count);

test("ELECT-1, ELECT-5: the first candidate leads with its value, and is told key, revision and lease", async (t) => {
  const { client } = await startWithLeases(t);
  const { leader, header } = await campaign(client, 1n, "one");
  assert.deepEqual(leader, { name, key: byteString("e/1"), rev: 2, lease: 1n });
  assert.deepEqual(header, { clusterId: 7n, memberId: 8n, revision: 2, raftTerm: 1 });
  assert.deepEqual((await client.range("e/1")).kvs.map(show), ["e/1=one 2/2/1"]);
});

test("ELECT-1: candidates lead in create-revision order", async (t) => {
  const { services, client } = await startWithLeases(t);
  const first = await campaign(client, 3n, "three");
  const second = campaign(client, 1n, "one");
  await waiting(services, 1);
  const third = campaign(client, 2n, "two");
  await waiting(services, 2);
  assert.equal(await leaderValue(client), "three");
  await resign(client, first.leader);
  assert.equal((await second).leader?.key, "e/1");
  assert.equal(await leaderValue(client), "one");
  await client.revoke(1n);
  assert.equal((await third).leader?.key, "e/2");
});

test("ELECT-2: among keys of one transaction the byte-smallest leads", async (t) => {
  const { client } = await startWithLeases(t);
  const success = [putOp("e/z", "z"), putOp("e/a", "a")];
  await client.call(kvService.methods.txn, createTxnRequest({ success }));
  assert.equal(await leaderValue(client), "a");
});

test("ELECT-3: without a lease the server grants one of 60 s and returns it", async (t) => {
  const { client } = await start(t);
  const { leader } = await campaign(client, 0n, "v");
  const { grantedTtl, keys } = await client.call(leaseService.methods.leaseTimeToLive, {
    id: leader!.lease,
    keys: true,
  });
  assert.deepEqual([grantedTtl, keys], [60, [`e/${leader!.lease.toString(16)}`]]);
});

test("ELECT-4: an unknown lease, and what is too large, are UNKNOWN with the inner text, and leave nothing", async (t) => {
  const { client } = await start(t, { serviceLimits: { requestBytes: 1_000 } });
  await rejectsAsUnknown(campaign(client, 99n, "v"), etcdErrors.leaseNotFound);
  await client.grant(1n);
  await rejectsAsUnknown(campaign(client, 1n, "v".repeat(1_000)), etcdErrors.requestTooLarge);
  assert.equal(await client.revision(), 1);
});

test("ELECT-6: the header is that of joining, also after a wait", async (t) => {
  const { services, client } = await startWithLeases(t);
  const first = await campaign(client, 1n, "one");
  const second = campaign(client, 2n, "two");
  await waiting(services, 1);
  for (let i = 0; i < 5; i++) await client.put("elsewhere");
  await resign(client, first.leader);
  const { header, leader } = await second;
  assert.deepEqual([header?.revision, leader?.rev, await client.revision()], [3, 3, 9]);
});

test("ELECT-7: the same lease with the same value writes nothing; it leads at once, or waits", async (t) => {
  const { services, client } = await startWithLeases(t);
  const { leader } = await campaign(client, 1n, "one");
  const again = await campaign(client, 1n, "one");
  assert.deepEqual([again.leader, await client.revision()], [leader, 2]);
  const both = [campaign(client, 2n, "two")];
  await waiting(services, 1);
  both.push(campaign(client, 2n, "two"));
  await waiting(services, 2);
  assert.equal(await client.revision(), 3);
  await resign(client, leader);
  assert.deepEqual(
    (await Promise.all(both)).map(({ leader: won }) => won?.rev),
    [3, 3],
  );
});

test("ELECT-8: the same lease with another value replaces it at once, leading or waiting", async (t) => {
  const { services, client } = await startWithLeases(t);
  const { leader } = await campaign(client, 1n, "one");
  const again = await campaign(client, 1n, "other");
  assert.deepEqual([again.leader, await leaderValue(client)], [leader, "other"]);
  assert.deepEqual((await client.range("e/1")).kvs.map(show), ["e/1=other 2/3/2"]);
  const first = campaign(client, 2n, "two");
  await waiting(services, 1);
  const second = campaign(client, 2n, "zwei");
  await waiting(services, 2);
  assert.deepEqual((await client.range("e/2")).kvs.map(show), ["e/2=zwei 4/5/2"]);
  await resign(client, leader);
  assert.deepEqual(
    (await Promise.all([first, second])).map(({ leader: won }) => won?.rev),
    [4, 4],
  );
});

test("ELECT-9: when the value cannot be replaced, the candidate's key goes", async (t) => {
  const { client } = await start(t, { serviceLimits: { requestBytes: 1_000 } });
  await client.grant(1n);
  // The key is there with another lease, so joining reads it and replacing fails on the unknown lease.
  await client.put("e/63", "old", 1n);
  await rejectsAsUnknown(campaign(client, 0x63n, "new"), etcdErrors.leaseNotFound);
  // It has gone when the refusal arrives.
  assert.equal(await client.revision(), 3);
  const gone = openWatch(client);
  await create(gone, "e/63", { startRevision: 2 });
  assert.deepEqual(await events(gone, 2), ["e/63=old@2", "-e/63@3"]);
});

test("F24, ELECT-10: a candidate that cancels, times out or loses its connection while it waits is removed", async (t) => {
  const { services, client } = await startWithLeases(t);
  await client.grant(4n, 60);
  await campaign(client, 1n, "one");
  const watch = openWatch(client);
  await create(watch, "e/", { rangeEnd: "e0" });
  const cancel = new AbortController();
  const dropped = await services.connect();
  const cancelled = campaign(client, 2n, "two", { signal: cancel.signal });
  const late = campaign(client, 3n, "three", { deadlineMs: 50 });
  const lost = campaign(dropped, 4n, "four");
  const codes = Promise.all([cancelled, late, lost].map((call) => call.catch((error: StatusError) => error.code)));
  await events(watch, 3);
  cancel.abort();
  dropped.grpc.destroy();
  assert.deepEqual(await codes, [StatusCode.cancelled, StatusCode.deadlineExceeded, StatusCode.unavailable]);
  const removed = (await events(watch, 3)).map((event) => event.replace(/@.*/, ""));
  assert.deepEqual(removed.sort(), ["-e/2", "-e/3", "-e/4"]);
  assert.deepEqual([services.replica.locks.waiterCount, await leaderValue(client)], [0, "one"]);
});

test("ELECT-11: a candidate whose lease ends while it waits is never crowned: it fails at once", async (t) => {
  const { services, client } = await startWithLeases(t);
  const { leader } = await campaign(client, 1n, "one");
  const dead = campaign(client, 2n, "two");
  await waiting(services, 1);
  await client.revoke(2n);
  await rejectsAs(dead, etcdTexts.mutexSessionExpired);
  await resign(client, leader);
  assert.equal(await leaderValue(client), undefined);
});

test("ELECT-12: an ordinary key under the prefix leads as well, and candidates wait for it", async (t) => {
  const { services, client } = await startWithLeases(t);
  await client.put("e/config", "by hand");
  const candidate = campaign(client, 1n, "one");
  await waiting(services, 1);
  assert.equal(await leaderValue(client), "by hand");
  await client.delete("e/config");
  assert.equal((await candidate).leader?.key, "e/1");
});

test("ELECT-13, ELECT-17, ELECT-19: a proclaim or resign without leader, or without its key, is refused", async (t) => {
  const { client } = await startWithLeases(t);
  await rejectsAs(proclaim(client, undefined, "v"), etcdTexts.electionLeaderMissing);
  await rejectsAs(resign(client, undefined), etcdTexts.electionLeaderMissing);
  const keyless = createLeaderKey({ name, rev: 2, lease: 1n });
  await rejectsAsUnknown(proclaim(client, keyless, "v"), etcdErrors.emptyKey);
  await rejectsAsUnknown(resign(client, keyless), etcdErrors.emptyKey);
});

test("ELECT-14, ELECT-18: a proclaim writes the value in the leader's life of the key alone", async (t) => {
  const { client } = await startWithLeases(t);
  const { leader } = await campaign(client, 1n, "one");
  assert.equal(await proclaim(client, leader, "uno"), 3);
  assert.equal(await leaderValue(client), "uno");
  await rejectsAs(proclaim(client, { ...leader!, rev: 99 }, "v"), etcdTexts.electionNotLeader);
  await resign(client, leader);
  await campaign(client, 1n, "again");
  await rejectsAs(proclaim(client, leader, "late"), etcdTexts.electionNotLeader);
  assert.equal(await leaderValue(client), "again");
});

test("ELECT-15: a candidate that waits may change its own value", async (t) => {
  const { services, client } = await startWithLeases(t);
  await campaign(client, 1n, "one");
  const second = campaign(client, 2n, "two");
  second.catch(() => {});
  await waiting(services, 1);
  const leader = createLeaderKey({ name, key: byteString("e/2"), rev: 3, lease: 2n });
  assert.equal(await proclaim(client, leader, "zwei"), 4);
  assert.equal(await leaderValue(client), "one");
});

test("ELECT-16: a proclaim without lease moves the key to a new one of 60 s; with an unknown lease it is refused", async (t) => {
  const { client } = await startWithLeases(t);
  const { leader } = await campaign(client, 1n, "one");
  await rejectsAsUnknown(proclaim(client, { ...leader!, lease: 99n }, "v"), etcdErrors.leaseNotFound);
  await rejectsAs(proclaim(client, { ...leader!, lease: 99n, rev: 7 }, "v"), etcdTexts.electionNotLeader);
  await proclaim(client, { ...leader!, lease: 0n }, "moved");
  const kv = await client.get("e/1");
  assert.notEqual(kv?.lease, 1n);
  assert.equal((await client.call(leaseService.methods.leaseTimeToLive, { id: kv!.lease })).grantedTtl, 60);
  await client.revoke(1n);
  assert.equal(await leaderValue(client), "moved");
});

test("ELECT-20: a resign ends the life it names; any other is answered well and changes nothing", async (t) => {
  const { client } = await startWithLeases(t);
  const { leader } = await campaign(client, 1n, "one");
  assert.equal(await resign(client, { ...leader!, rev: 99 }), 2);
  assert.equal(await leaderValue(client), "one");
  assert.equal(await resign(client, leader), 3);
  assert.equal(await resign(client, leader), 3);
  assert.equal(await leaderValue(client), undefined);
});

test("ELECT-21: a candidate that waits may resign; no lease is revoked, and none is granted", async (t) => {
  const { services, client } = await startWithLeases(t);
  await campaign(client, 1n, "one");
  const second = campaign(client, 2n, "two");
  await waiting(services, 1);
  const leader = createLeaderKey({ name, key: byteString("e/2"), rev: 3, lease: 0n });
  await resign(client, leader);
  await rejectsAs(second, etcdTexts.mutexSessionExpired);
  assert.deepEqual([services.replica.machine.leaseCount, await leaderValue(client)], [3, "one"]);
});

test("ELECT-22: the leader is told with its pair and a full header; without one there is an error", async (t) => {
  const { client } = await startWithLeases(t);
  await rejectsAs(client.call(methods.leader, { name }), etcdTexts.electionNoLeader);
  await campaign(client, 1n, "one");
  await client.put("elsewhere");
  const { kv, header } = await client.call(methods.leader, { name });
  assert.deepEqual([show(kv!), kv?.lease], ["e/1=one 2/2/1", 1n]);
  assert.deepEqual(header, { clusterId: 7n, memberId: 8n, revision: 3, raftTerm: 1 });
});

test("ELECT-1, LOCK-5: elections with names that nest, and locks of the same name, share what they share in etcd", async (t) => {
  const { services, client } = await startWithLeases(t);
  await client.lock("e", 1n);
  const candidate = campaign(client, 2n, "two");
  await waiting(services, 1);
  await client.unlock("e/1");
  assert.equal((await candidate).leader?.key, "e/2");
});
