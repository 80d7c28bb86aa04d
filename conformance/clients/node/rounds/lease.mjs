// Leases: kept alive by the client, expired when it stops, revoked, lost.

import assert from "node:assert/strict";
import { once } from "node:events";
import { EtcdLeaseInvalidError } from "etcd3";
import { freshName, variable } from "../environment.mjs";

const ttlSeconds = 2;

/** The client sends a keepalive three times per TTL: so many of them span one TTL and a half. */
const keepalivesBeyondTtl = 6;

export async function leaseRound(checks) {
  const endpoint = variable("HOLDFAST_ENDPOINT");
  const run = (words, body) => checks.run(words, (open) => body(open(endpoint)));

  await run("lease: kept alive past its TTL, then stopped and expired with its key", keptAliveThenExpired);
  await run("lease: revoked with its keys, and the client told", revoked);
  await run("lease: time to live and the keys attached", timeToLive);
  await run("lease: one keepalive by hand, and none on a lease that is gone", keepaliveOnce);
}

async function keptAliveThenExpired(etcd) {
  const key = freshName("alive");
  const lease = etcd.lease(ttlSeconds);
  await lease.put(key).value("held");
  const watcher = await etcd.watch().key(key).only("delete").create();
  const deleted = once(watcher, "delete");
  const started = performance.now();
  for (let count = 0; count < keepalivesBeyondTtl; count += 1) {
    await once(lease, "keepaliveSucceeded");
  }
  assert.ok(performance.now() - started > ttlSeconds * 1000, "the keepalives did not span the TTL");
  assert.equal(await etcd.get(key).string(), "held");
  lease.release();
  await deleted;
  assert.equal(await etcd.get(key).exists(), false);
  await watcher.cancel();
}

async function revoked(etcd) {
  const key = freshName("revoked");
  const lease = etcd.lease(ttlSeconds);
  await lease.put(key).value("held");
  const lost = once(lease, "lost");
  await etcd.leaseClient.leaseRevoke({ ID: await lease.grant() });
  assert.equal(await etcd.get(key).exists(), false);
  const [error] = await lost;
  assert.ok(error instanceof EtcdLeaseInvalidError);
  await assert.rejects(lease.put(key).value("too late"), EtcdLeaseInvalidError);
}

async function timeToLive(etcd) {
  const key = freshName("ttl");
  const lease = etcd.lease(60, { autoKeepAlive: false });
  await lease.put(key).value("held");
  const answer = await etcd.leaseClient.leaseTimeToLive({ ID: await lease.grant(), keys: true });
  assert.equal(answer.grantedTTL, "60");
  assert.ok(Number(answer.TTL) > 0 && Number(answer.TTL) <= 60);
  assert.deepEqual(answer.keys.map(String), [key]);
  await lease.revoke();
}

async function keepaliveOnce(etcd) {
  const lease = etcd.lease(60, { autoKeepAlive: false });
  assert.equal((await lease.keepaliveOnce()).TTL, "60");
  await etcd.leaseClient.leaseRevoke({ ID: await lease.grant() });
  await assert.rejects(lease.keepaliveOnce(), EtcdLeaseInvalidError);
}
