// The npm package `etcd3`, a client written by others long before Holdfast, against the server under test: keys, watches,
// leases, locks, elections, transactions, namespaces.

import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import { after, before, describe, test } from "node:test";
import {
  Etcd3,
  EtcdLeaseInvalidError,
  EtcdLockFailedError,
  type IKeyValue,
  type IResponseHeader,
  type Watcher,
} from "etcd3";
import { freshName, skipWithout, untilKeys, useServer } from "./fixture.js";

/** The events that an emitter has emitted under this name and that nobody has taken yet, to be awaited one by one. */
class EventQueue<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  constructor(emitter: EventEmitter, name: string) {
    emitter.on(name, (value: T) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) {
        this.#values.push(value);
      } else {
        waiting(value);
      }
    });
  }

  next(): Promise<T> {
    const value = this.#values.shift();
    return value === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(value);
  }
}

describe("etcd3 (npm)", { skip: skipWithout() }, () => {
  const fixture = useServer();
  let etcd: Etcd3;

  before(() => {
    etcd = new Etcd3({ hosts: fixture.server.endpoint });
  });
  after(() => etcd.close());

  test("put and get: text, numbers, JSON, buffers, what is missing", async () => {
    const key = freshName("get");
    await etcd.put(key).value("text");
    assert.equal(await etcd.get(key).string(), "text");
    assert.equal(await etcd.get(key).exists(), true);
    await etcd.put(key).value(42);
    assert.equal(await etcd.get(key).number(), 42);
    await etcd.put(key).value(JSON.stringify({ a: [1] }));
    assert.deepEqual(await etcd.get(key).json(), { a: [1] });
    await etcd.put(key).value(Buffer.from([0, 255, 128]));
    assert.deepEqual(await etcd.get(key).buffer(), Buffer.from([0, 255, 128]));
    assert.equal(await etcd.get(freshName("missing")), null);
  });

  test("put: previous value and touch", async () => {
    const key = freshName("previous");
    await etcd.put(key).value("one");
    const previous = await etcd.put(key).value("two").getPrevious();
    assert.equal(previous.value.toString(), "one");
    await etcd.put(key).touch();
    assert.equal(await etcd.get(key).string(), "two");
  });

  test("getAll: prefix, keys, count, sort, limit, an old revision", async () => {
    const prefix = `${freshName("all")}/`;
    const { header } = await etcd.put(`${prefix}a`).value("2");
    await etcd.put(`${prefix}b`).value("1");
    assert.deepEqual(await etcd.getAll().prefix(prefix).strings(), { [`${prefix}a`]: "2", [`${prefix}b`]: "1" });
    assert.deepEqual(await etcd.getAll().prefix(prefix).keys(), [`${prefix}a`, `${prefix}b`]);
    assert.equal(await etcd.getAll().prefix(prefix).count(), 2);
    assert.deepEqual(await etcd.getAll().prefix(prefix).sort("Value", "Ascend").limit(1).keys(), [`${prefix}b`]);
    assert.deepEqual(await etcd.getAll().prefix(prefix).revision(header.revision).keys(), [`${prefix}a`]);
    assert.deepEqual(
      await etcd
        .getAll()
        .inRange({ start: `${prefix}b`, end: `${prefix}c` })
        .keys(),
      [`${prefix}b`],
    );
  });

  test("delete: a key, a prefix, previous values", async () => {
    const prefix = `${freshName("delete")}/`;
    for (const letter of ["a", "b", "c"]) {
      await etcd.put(prefix + letter).value(letter);
    }
    const previous = await etcd.delete().key(`${prefix}a`).getPrevious();
    assert.deepEqual(
      previous.map((kv) => kv.value.toString()),
      ["a"],
    );
    assert.equal((await etcd.delete().prefix(prefix)).deleted, "2");
    assert.equal((await etcd.delete().prefix(prefix)).deleted, "0");
  });

  test("if, then, else", async () => {
    const key = freshName("if");
    const claim = (value: string) =>
      etcd.if(key, "Create", "==", 0).then(etcd.put(key).value(value)).else(etcd.get(key)).commit();
    assert.equal((await claim("first")).succeeded, true);
    const second = await claim("second");
    assert.equal(second.succeeded, false);
    assert.equal(second.responses[0]?.response_range.kvs[0]?.value.toString(), "first");
    assert.equal((await etcd.if(key, "Value", "==", "first").and(key, "Version", "==", 1).commit()).succeeded, true);
  });

  test("stm: concurrent increments are each counted once", async () => {
    const key = freshName("stm");
    await etcd.put(key).value(0);
    const increment = () =>
      etcd.stm({ retries: 100 }).transact(async (transaction) => {
        const value = (await transaction.get(key).number()) ?? 0;
        await transaction.put(key).value(value + 1);
      });
    await Promise.all(Array.from({ length: 10 }, increment));
    assert.equal(await etcd.get(key).number(), 10);
  });

  test("namespace: keys, watches and locks stay under the prefix", async () => {
    const prefix = `${freshName("namespace")}/`;
    const inner = etcd.namespace(prefix);
    const watcher = await inner.watch().prefix("").create();
    const puts = new EventQueue<IKeyValue>(watcher, "put");
    await inner.put("key").value("x");
    assert.equal(await etcd.get(`${prefix}key`).string(), "x");
    assert.equal((await puts.next()).key.toString(), "key");
    assert.deepEqual(await inner.getAll().keys(), ["key"]);
    await inner.lock("lock").do(async () => {
      assert.equal(await etcd.get(`${prefix}lock`).exists(), true);
    });
    await watcher.cancel();
  });

  test("watch: puts and deletes with previous values, on a key and on a prefix, and the end", async () => {
    const prefix = `${freshName("watch")}/`;
    const byKey = await etcd.watch().key(`${prefix}a`).create();
    const byPrefix = await etcd.watch().prefix(prefix).withPreviousKV().create();
    const keyPuts = new EventQueue<IKeyValue>(byKey, "put");
    const prefixPuts = new EventQueue<IKeyValue>(byPrefix, "put");
    await etcd.put(`${prefix}b`).value("1");
    await etcd.put(`${prefix}a`).value("2");
    assert.equal((await keyPuts.next()).value.toString(), "2");
    assert.deepEqual(
      [(await prefixPuts.next()).value.toString(), (await prefixPuts.next()).value.toString()],
      ["1", "2"],
    );
    const deleted = once(byPrefix, "delete");
    await etcd.delete().key(`${prefix}a`);
    const [gone, previous] = await deleted;
    assert.equal(gone.key.toString(), `${prefix}a`);
    assert.equal(previous.value.toString(), "2");
    const ended = once(byKey, "end");
    await byKey.cancel();
    await ended;
    await byPrefix.cancel();
  });

  test("watch: a start revision replays history; filters", async () => {
    const key = freshName("history");
    const { header } = await etcd.put(key).value("one");
    await etcd.put(key).value("two");
    const replay = etcd.watch().key(key).startRevision(header.revision).watcher();
    const puts = new EventQueue<IKeyValue>(replay, "put");
    assert.deepEqual([(await puts.next()).value.toString(), (await puts.next()).value.toString()], ["one", "two"]);
    await replay.cancel();
    const deletesOnly = await etcd.watch().key(key).only("delete").create();
    const seen: string[] = [];
    deletesOnly.on("data", ({ events }) => seen.push(...events.map((event) => event.type)));
    const deleted = once(deletesOnly, "delete");
    await etcd.put(key).value("three");
    await etcd.delete().key(key);
    await deleted;
    assert.deepEqual(seen, ["Delete"]);
    await deletesOnly.cancel();
  });

  test("lease: grant, attach, keep alive, revoke", async () => {
    const key = freshName("lease");
    const lease = etcd.lease(2);
    const id = await lease.grant();
    await lease.put(key).value("x");
    assert.equal((await fixture.client.get(key))?.lease, id);
    assert.equal((await lease.keepaliveOnce()).TTL, "2");
    // Two renewals by the client's own timer, a third of the TTL apart.
    await once(lease, "keepaliveSucceeded");
    await once(lease, "keepaliveSucceeded");
    assert.equal(await etcd.get(key).string(), "x");
    await lease.revoke();
    assert.equal(await etcd.get(key).exists(), false);
    assert.equal(lease.revoked(), true);
  });

  test("lease: kept alive well past its TTL, gone once it is released", async () => {
    const prefix = `${freshName("kept")}/`;
    const lease = etcd.lease(2);
    await lease.put(`${prefix}key`).value("x");
    const granted = process.hrtime.bigint();
    while (process.hrtime.bigint() - granted < 4_000_000_000n) {
      await once(lease, "keepaliveSucceeded");
    }
    assert.equal(await etcd.get(`${prefix}key`).string(), "x");
    lease.release();
    await untilKeys(fixture.client, prefix, (kvs) => kvs.length === 0);
  });

  test("lease: a lease revoked by somebody else is reported lost", async () => {
    const lease = etcd.lease(2);
    const id = await lease.grant();
    const lost = once(lease, "lost");
    await fixture.client.revoke(id);
    const [error] = await lost;
    assert.match(error.message, /lease/i);
    assert.equal(lease.revoked(), true);
  });

  test("lock: one holder at a time; a taken lock is refused at once", async () => {
    const name = freshName("lock");
    const lock = await etcd.lock(name).ttl(10).acquire();
    await assert.rejects(etcd.lock(name).acquire(), EtcdLockFailedError);
    await lock.release();
    const ran = await etcd.lock(name).do(async () => "ran");
    assert.equal(ran, "ran");
  });

  test("election: campaign, leader, proclaim, resign, and the next candidate", async () => {
    const election = etcd.election(freshName("election"), 10);
    const first = election.campaign("one");
    await first.wait();
    assert.equal(await election.leader(), "one");
    const second = election.campaign("two");
    const elected = second.wait();
    await untilKeys(fixture.client, `election/${election.name}/`, (kvs) => kvs.length === 2);
    assert.equal(await election.leader(), "one");
    await first.proclaim("uno");
    assert.equal(await election.leader(), "uno");
    await first.resign();
    await elected;
    assert.equal(await election.leader(), "two");
    await second.resign();
    assert.equal(await election.leader(), undefined);
  });

  test("election: an observer is told of leaders and of their absence", async () => {
    const election = etcd.election(freshName("observed"), 10);
    const observer = await election.observe();
    const changes = new EventQueue<string | undefined>(observer, "change");
    const reads = async (expected: string | undefined): Promise<void> => {
      while ((await changes.next()) !== expected) {
        // The observer may repeat a state before it reaches the expected one.
      }
    };
    const first = election.campaign("one");
    await first.wait();
    await reads("one");
    await first.proclaim("uno");
    await reads("uno");
    const second = election.campaign("two");
    await untilKeys(fixture.client, `election/${election.name}/`, (kvs) => kvs.length === 2);
    await first.resign();
    await reads("two");
    assert.equal(observer.leader(), "two");
    await second.resign();
    await observer.cancel();
  });

  test("NODE-1: an etcd3 candidate and one of the Election service share a queue", async () => {
    const election = etcd.election(freshName("shared"), 10);
    const first = election.campaign("node");
    await first.wait();
    const lease = await fixture.client.grant(60);
    const rpc = fixture.client.campaign(`election/${election.name}`, lease, "rpc");
    await untilKeys(fixture.client, `election/${election.name}/`, (kvs) => kvs.length === 2);
    assert.equal(rpc.settled, false);
    await first.resign();
    await rpc.response;
    assert.equal(await election.leader(), "rpc");
  });

  test("refusals arrive as the package's own errors", async () => {
    const unknown = etcd.put(freshName("refused")).value("x").lease("123456789");
    await assert.rejects(Promise.resolve(unknown), EtcdLeaseInvalidError);
    await assert.rejects(etcd.getAll().all().revision(999_999_999).keys(), /future revision/);
  });

  test("status and members through the package's maintenance clients", async () => {
    const status = await etcd.maintenance.status();
    assert.match(status.version, /^\d+\.\d+/);
    const { members } = await etcd.cluster.memberList({ linearizable: true });
    assert.equal(members.length, 1);
  });

  test("watch: goes on after the server was killed and restarted, without gap or repeat", async () => {
    const key = freshName("resume");
    const watcher: Watcher = await etcd.watch().key(key).create();
    const puts = new EventQueue<IKeyValue>(watcher, "put");
    await fixture.client.put(key, "before");
    assert.equal((await puts.next()).value.toString(), "before");
    const disconnected = once(watcher, "disconnected");
    const connected = once(watcher, "connected");
    await fixture.server.kill("SIGKILL");
    await disconnected;
    await fixture.server.restart();
    const client = fixture.newClient();
    const header: IResponseHeader | null = (await client.put(key, "while away")).header;
    await connected;
    await client.put(key, "after");
    const [away, later] = [await puts.next(), await puts.next()];
    assert.deepEqual([away.value.toString(), away.mod_revision], ["while away", header?.revision]);
    assert.equal(later.value.toString(), "after");
    await watcher.cancel();
  });
});
