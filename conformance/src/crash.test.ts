// What must hold when somebody dies: a lock holder's process, or the server, by SIGKILL and under load.
//
// CONFORMANCE_CRASH_CYCLES says how often the server is killed (50 by default), CONFORMANCE_CRASH_SEED repeats a run's
// choice of moments.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EtcdClient, revisionOf } from "./client/etcd-client.js";
import { HolderProcess } from "./crash/holder-process.js";
import { Ledger } from "./crash/ledger.js";
import { Observer } from "./crash/watcher.js";
import { LeaseWriter, LockContender, LockRecord, PairWriter, PutWriter, type Writer } from "./crash/writers.js";
import { freshName, skipWithout, untilKeys, useServer } from "./fixture.js";
import { startServer } from "./server-under-test.js";

const missing = skipWithout();
const secondNs = 1_000_000_000n;
/** A liveness bound, not a measurement: by then the next one must have it, however slow the machine. */
const graceSeconds = 3n;

describe("a lock holder dies", { skip: missing }, () => {
  const fixture = useServer();

  test("I6, I14, LEASE-9, LOCK-3: the next waiter gets the lock after the TTL, and not before", async () => {
    const name = freshName("killed-holder");
    const ttlSeconds = 3;
    const holder = new HolderProcess(fixture.server.endpoint, name, ttlSeconds);
    await holder.line("held");
    await holder.line("renewed");
    await holder.line("renewed");
    const waiter = fixture.client.lock(name, await fixture.client.grant(60));
    await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === 2);
    await holder.line("renewed");
    await holder.kill();
    const killedAt = process.hrtime.bigint();
    await waiter.response;
    const grantedAt = process.hrtime.bigint();
    const waited = grantedAt - holder.lastRenewalSentAtNs();
    assert.ok(waited >= BigInt(ttlSeconds) * secondNs, `the lock passed on ${waited} ns after the last renewal`);
    const late = grantedAt - killedAt;
    assert.ok(late <= (BigInt(ttlSeconds) + graceSeconds) * secondNs, `the lock passed on ${late} ns after the kill`);
  });

  test("I5: a holder that was frozen past its TTL cannot write under its old token", async () => {
    const name = freshName("frozen-holder");
    const key = freshName("fenced");
    const old = new HolderProcess(fixture.server.endpoint, name, 2);
    const { token: oldToken } = await old.line("held");
    assert.equal(await old.tryWrite(key, "old"), true);
    const waiter = new HolderProcess(fixture.server.endpoint, name, 60);
    await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === 2);
    old.pause();
    const { token: newToken } = await waiter.line("held");
    assert.ok(BigInt(newToken) > BigInt(oldToken), `${newToken} after ${oldToken}`);
    assert.equal(await waiter.tryWrite(key, "new"), true);
    old.resume();
    assert.equal(await old.tryWrite(key, "late"), false);
    assert.equal((await fixture.client.get(key))?.value.toString(), "new");
    await old.line("lost");
    await old.kill();
    await waiter.kill();
  });
});

describe("the server dies", { skip: missing }, () => {
  const fixture = useServer();

  test("F1, I6, LEASE-39: a lease gets its full TTL again", async () => {
    const prefix = `${freshName("full-ttl")}/`;
    const lease = await fixture.client.grant(3);
    await fixture.client.put(`${prefix}key`, "x", { lease });
    await fixture.server.kill("SIGKILL");
    const deadSince = process.hrtime.bigint();
    await fixture.server.restart();
    const client = fixture.newClient();
    await untilKeys(client, prefix, (kvs) => kvs.length === 0);
    const lived = process.hrtime.bigint() - deadSince;
    assert.ok(lived >= 3n * secondNs, `the lease ended ${lived} ns after the server's death`);
  });

  test("F1, I5: a lock is still held after the server's death, and an old tenure still cannot write", async () => {
    const name = freshName("server-death");
    const key = freshName("fenced");
    const client = fixture.newClient();
    const tenure = async (owner: EtcdClient) => {
      const lease = await owner.grant(60);
      const { key: lockKey } = await owner.lock(name, lease).response;
      const create_revision = (await owner.get(lockKey))?.create_revision ?? "0";
      const guard = { key: lockKey, target: "CREATE", create_revision } as const;
      const write = async (by: EtcdClient, value: string) => {
        const success = [{ request_put: { key: Buffer.from(key), value: Buffer.from(value) } }];
        return (await by.txn({ compare: [guard], success })).succeeded;
      };
      return { lease, lockKey, write };
    };
    const old = await tenure(client);
    await fixture.server.kill("SIGKILL");
    await fixture.server.restart();
    const next = fixture.newClient();
    assert.equal(await old.write(next, "old"), true);
    await next.revoke(old.lease);
    const present = await tenure(next);
    assert.equal(await old.write(next, "late"), false);
    assert.equal(await present.write(next, "new"), true);
    await fixture.server.kill("SIGKILL");
    await fixture.server.restart();
    const last = fixture.newClient();
    assert.equal(await old.write(last, "later"), false);
    assert.equal((await last.get(key))?.value.toString(), "new");
  });
});

describe("the server dies again and again under load", { skip: missing }, () => {
  const cycles = Number(process.env.CONFORMANCE_CRASH_CYCLES ?? 50);
  const seed = Number(process.env.CONFORMANCE_CRASH_SEED ?? Date.now() % 2 ** 32);

  test(`F1, I1, I2, I5, I8: ${cycles} kills lose nothing that was acknowledged or seen`, async (t) => {
    t.diagnostic(`CONFORMANCE_CRASH_SEED=${seed}`);
    const random = randomNumbers(seed);
    const ledger = new Ledger();
    const observer = new Observer(ledger);
    const writers = workload(ledger, observer);
    const server = await startServer();
    try {
      for (let cycle = 0; cycle < cycles; cycle += 1) {
        // Zero kills a server that has only just started.
        await workUntilKilled(server, writers, ledger, Math.floor(random() * 300));
        await server.restart();
        await verifyAll(server.endpoint, writers, ledger);
      }
      const client = new EtcdClient(server.endpoint);
      await observer.replay(client);
      client.close();
    } finally {
      await server.dispose();
    }
    t.diagnostic(
      `${ledger.acknowledged} operations acknowledged, ${ledger.unknown} of unknown outcome, ${observer.seen} events seen`,
    );
  });
});

type Server = Awaited<ReturnType<typeof startServer>>;

function workload(ledger: Ledger, observer: Observer): readonly Writer[] {
  const lock = new LockRecord("crash/lock");
  return [
    observer,
    ...[1, 2, 3, 4].map((n) => new PutWriter(`crash/put/${n}`, ledger)),
    ...[1, 2, 3, 4].map((n) => new PairWriter(`crash/pair/${n}`, ledger)),
    ...[1, 2].map((n) => new LeaseWriter(`crash/lease/${n}`, ledger)),
    ...[1, 2, 3].map(() => new LockContender(lock, ledger)),
  ];
}

/** Lets everybody work, kills the server once that many further operations were acknowledged, and waits for all. */
async function workUntilKilled(
  server: Server,
  writers: readonly Writer[],
  ledger: Ledger,
  operations: number,
): Promise<void> {
  const clients = writers.map(() => new EtcdClient(server.endpoint));
  const killAt = ledger.acknowledged + operations;
  let killed = operations === 0 ? server.kill("SIGKILL") : undefined;
  ledger.whenAcknowledged((acknowledged) => {
    if (acknowledged >= killAt) {
      killed ??= server.kill("SIGKILL");
    }
  });
  await Promise.all(writers.map((writer, index) => writer.work(clients[index]!)));
  await killed;
  for (const client of clients) {
    client.close();
  }
}

async function verifyAll(endpoint: string, writers: readonly Writer[], ledger: Ledger): Promise<void> {
  const client = new EtcdClient(endpoint);
  const revision = revisionOf(await client.range("\0"));
  assert.ok(revision >= ledger.highestRevision, `revision ${revision} after ${ledger.highestRevision} had been seen`);
  for (const writer of writers) {
    await writer.verify(client);
  }
  client.close();
}

/** A small seeded generator (mulberry32) of numbers in [0, 1): a run can be repeated by its seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
