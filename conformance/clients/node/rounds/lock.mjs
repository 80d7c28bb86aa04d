// Locks. This client's lock is one key under a lease: whoever creates it holds it, and nobody queues.

import assert from "node:assert/strict";
import { once } from "node:events";
import { EtcdLockFailedError } from "etcd3";
import { freshName, variable } from "../environment.mjs";

export async function lockRound(checks) {
  const endpoint = variable("HOLDFAST_ENDPOINT");
  const run = (words, body) => checks.run(words, (open) => body(open(endpoint), open(endpoint)));

  await run("lock: a second contender is refused until the first releases", twoContenders);
  await run("lock: released when the protected function throws", released);
  await run("lock: lost with its lease, and free for the next", lostWithLease);
}

async function twoContenders(first, second) {
  const name = freshName("contenders");
  const held = await first.lock(name).ttl(10).acquire();
  await assert.rejects(second.lock(name).ttl(10).acquire(), EtcdLockFailedError);
  await held.release();
  const next = await second.lock(name).ttl(10).acquire();
  await assert.rejects(first.lock(name).ttl(10).acquire(), EtcdLockFailedError);
  await next.release();
}

async function released(first, second) {
  const name = freshName("throws");
  const failure = first.lock(name).do(() => Promise.reject(new Error("the protected function")));
  await assert.rejects(failure, /the protected function/);
  assert.equal(await second.lock(name).do(() => "entered"), "entered");
}

async function lostWithLease(first, second) {
  const name = freshName("lost");
  const held = await first.lock(name).ttl(10).acquire();
  const watcher = await second.watch().key(name).only("delete").create();
  const deleted = once(watcher, "delete");
  await second.leaseClient.leaseRevoke({ ID: await held.leaseId() });
  await deleted;
  const next = await second.lock(name).ttl(10).acquire();
  await next.release();
  await watcher.cancel();
}
