import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDeleteRangeRequest,
  createRequestOp,
  createTxnRequest,
  electionService,
  kvService,
  type LeaderRequest,
  type LeaderResponse,
} from "@holdfast/protocol";
import { Services, until } from "../testing/services.js";
import { byteString, putOp, type TestClient } from "../testing/test-client.js";
import type { TestStream } from "../testing/test-stream.js";
import { type FeedMember, LeaderFeeds, type LeaderNews } from "./leader-feed.js";

type Observing = TestStream<LeaderRequest, LeaderResponse>;

const prefix = byteString("e/");

async function observe(client: TestClient): Promise<Observing> {
  const stream = client.stream(electionService.methods.observe, { name: byteString("e") });
  await stream.opened();
  return stream;
}

async function told(stream: Observing): Promise<string> {
  const { kv, header } = await stream.next();
  return `${kv?.key}@${kv?.modRevision}, ${header?.revision}`;
}

/** A member that remembers what it was told, and stays as long as `isReading`. */
class Listener implements FeedMember {
  toldUpTo = 0;
  isReading = true;
  isOver = false;
  readonly revisions: number[] = [];

  tell({ nextRevision }: LeaderNews): boolean {
    if (this.isReading) this.revisions.push(nextRevision - 1);
    return this.isReading;
  }

  compacted(): void {
    this.isOver = true;
  }
}

test("ELECT-23, ELECT-25, ELECT-26: observers of one election are told the same by one watcher, each from where it came", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const waiting = await observe(client);
  await client.put("e/1");
  const first = await observe(await services.connect());
  await client.put("e/1");
  const second = await observe(await services.connect());
  assert.equal(services.replica.watches.watcherCount, 1);
  await client.put("e/2");
  await client.delete("e/1");
  assert.deepEqual(
    [await told(waiting), await told(waiting), await told(waiting)],
    ["e/1@2, 2", "e/1@3, 3", "e/2@4, 5"],
  );
  assert.deepEqual([await told(first), await told(first), await told(first)], ["e/1@2, 2", "e/1@3, 3", "e/2@4, 5"]);
  assert.deepEqual([await told(second), await told(second)], ["e/1@3, 3", "e/2@4, 5"]);
  assert.equal(services.replica.watches.watcherCount, 1);
});

test("ELECT-28: who comes later and finds another leader than those before is told apart, until they agree again", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const before = await observe(client);
  await client.call(kvService.methods.txn, createTxnRequest({ success: [putOp("e/z"), putOp("e/a")] }));
  const after = await observe(client);
  assert.deepEqual([await told(before), await told(after)], ["e/z@2, 2", "e/a@2, 2"]);
  assert.equal(services.replica.watches.watcherCount, 2);
  await client.put("e/a");
  assert.equal(await told(after), "e/a@3, 3");
  await client.delete("e/a");
  assert.equal(await told(after), "e/z@2, 4");
  assert.equal(services.replica.watches.watcherCount, 1);
  await client.put("e/z");
  assert.deepEqual([await told(before), await told(after)], ["e/z@5, 5", "e/z@5, 5"]);
});

test("ELECT-25: an observer that does not read keeps nothing for itself and is told all of its leader later; others go on", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const [reader, sleeper] = [await services.connect(), await services.connect()];
  const value = "x".repeat(1_000);
  await client.put("e/1", value);
  const [reading, sleeping] = [await observe(reader), await observe(sleeper)];
  sleeping.call.pause();
  while (services.replica.watches.watcherCount === 1) {
    await Promise.all(Array.from({ length: 100 }, () => client.put("e/1", value)));
  }
  await client.put("e/2", "two");
  await client.delete("e/1");
  const revision = await client.revision();
  for (let expected = 2; expected <= revision - 2; expected++) {
    assert.equal((await reading.next()).kv?.modRevision, expected);
  }
  assert.equal(await told(reading), `e/2@${revision - 1}, ${revision}`);
  sleeping.call.resume();
  for (let expected = 2; expected <= revision - 2; expected++) {
    assert.equal((await sleeping.next()).kv?.modRevision, expected);
  }
  assert.equal(await told(sleeping), `e/2@${revision - 1}, ${revision}`);
  // With the new leader it is told together with the others again.
  assert.equal(services.replica.watches.watcherCount, 1);
});

test("ELECT-26, TXN-11: who does not read between two pieces of news of one revision hears who leads next", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.put("e/1", "one");
  // In this order they are told: what the second has received, the first has been sent.
  const sleeping = await observe(await services.connect());
  const reading = await observe(client);
  assert.deepEqual([await told(sleeping), await told(reading)], ["e/1@2, 2", "e/1@2, 2"]);
  sleeping.call.pause();
  const requestDeleteRange = createDeleteRangeRequest({ key: byteString("e/1"), rangeEnd: byteString("\0") });
  const large = putOp("e/1", "x".repeat(1_000_000));
  const success = [large, createRequestOp({ requestDeleteRange }), putOp("e/0", "two")];
  await client.call(kvService.methods.txn, createTxnRequest({ success }));
  assert.deepEqual([await told(reading), await told(reading)], ["e/1@3, 3", "e/0@3, 3"]);
  sleeping.call.resume();
  assert.deepEqual([await told(sleeping), await told(sleeping)], ["e/1@3, 3", "e/0@3, 3"]);
  await client.put("e/0", "more");
  assert.equal(await told(sleeping), "e/0@4, 4");
});

test("ELECT-26: members are told a thousand in a turn; what comes meanwhile follows in order; who leaves is told no more", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.put("e/1");
  const members = Array.from({ length: 2_500 }, () => new Listener());
  const feeds = new LeaderFeeds(services.context);
  const [feed] = members.map((member) => feeds.join(prefix, byteString("e/1"), member)!);
  const kv = services.replica.machine.get(byteString("e/1"))!;
  const toldOnce = (): number => members.filter(({ revisions }) => revisions.length > 0).length;
  feed!.put(kv, 10);
  assert.equal(toldOnce(), 0);
  await until(() => toldOnce() > 0);
  assert.equal(toldOnce(), 1_000);
  feed!.put(kv, 11);
  feed!.leave(members[1_500]!);
  members[1_600]!.isReading = false;
  await until(() => members.at(-1)!.revisions.length === 2);
  const isGone = (at: number): boolean => at === 1_500 || at === 1_600;
  members.forEach(({ revisions }, at) => {
    assert.deepEqual(revisions, isGone(at) ? [] : [10, 11]);
  });
});

test("ELECT-25: with megabytes to tell no more is taken in until they are told, four of them in a turn", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.put("e/1", "x".repeat(1_000_000));
  const members = Array.from({ length: 3 }, () => new Listener());
  const feeds = new LeaderFeeds(services.context);
  const [feed] = members.map((member) => feeds.join(prefix, byteString("e/1"), member)!);
  const kv = services.replica.machine.get(byteString("e/1"))!;
  for (let revision = 10; revision < 15; revision++) {
    assert.equal(feed!.congested, false);
    feed!.put(kv, revision);
  }
  assert.equal(feed!.congested, true);
  const told = (): number[] => members.map(({ revisions }) => revisions.length);
  for (let turn = 0; turn < 3; turn++) {
    assert.deepEqual(
      told(),
      [0, 1, 2].map((at) => (at < turn ? 5 : 0)),
    );
    await until(() => told()[turn] !== 0);
  }
  for (const { revisions } of members) assert.deepEqual(revisions, [10, 11, 12, 13, 14]);
  await until(() => !feed!.congested);
  for (const member of members) feed!.leave(member);
  assert.equal(services.replica.watches.watcherCount, 0);
});

test("ELECT-25: what happens while there is much to tell is read from the history then", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.put("e/1", "x".repeat(1_000_000));
  // As many turns pass before all of them are told.
  const members = Array.from({ length: 300 }, () => new Listener());
  const feeds = new LeaderFeeds(services.context);
  const [feed] = members.map((member) => feeds.join(prefix, byteString("e/1"), member)!);
  const kv = services.replica.machine.get(byteString("e/1"))!;
  for (let number = 0; number < 5; number++) feed!.put(kv, 2);
  await client.put("e/1", "later");
  assert.deepEqual([feed!.congested, services.replica.watches.behindCount], [true, 1]);
  await until(() => members.at(-1)!.revisions.length === 6);
  for (const { revisions } of members) assert.deepEqual(revisions, [2, 2, 2, 2, 2, 3]);
  assert.deepEqual([feed!.congested, services.replica.watches.behindCount], [false, 0]);
});

test("ELECT-30: when the history of those who are told together is gone, it is over for all of them", async (t) => {
  const services = await Services.start(t);
  const members = [new Listener(), new Listener()];
  const feeds = new LeaderFeeds(services.context);
  const [feed] = members.map((member) => feeds.join(prefix, undefined, member));
  assert.deepEqual([feeds.size, services.replica.watches.watcherCount], [1, 1]);
  feed?.compacted();
  assert.deepEqual(
    members.map(({ isOver }) => isOver),
    [true, true],
  );
  assert.deepEqual([feeds.size, services.replica.watches.watcherCount], [0, 0]);
});

test("ELECT-30: what was before the history that is gone is told to all first, and whoever comes then is told elsewhere", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.put("e/1");
  const members = Array.from({ length: 1_500 }, () => new Listener());
  const feeds = new LeaderFeeds(services.context);
  const [feed] = members.map((member) => feeds.join(prefix, byteString("e/1"), member)!);
  const kv = services.replica.machine.get(byteString("e/1"))!;
  feed!.put(kv, 10);
  feed!.put(kv, 11);
  feed!.compacted();
  assert.equal(services.replica.watches.watcherCount, 0);
  const later = new Listener();
  assert.notEqual(feeds.join(prefix, byteString("e/1"), later), feed);
  await until(() => members[0]!.revisions.length > 0);
  // Some are told in a later turn than others, and none is ended before all are told.
  assert.equal(members.at(-1)!.isOver, false);
  members[1_200]!.isReading = false;
  await until(() => members[0]!.isOver);
  members.forEach(({ revisions, isOver }, at) => {
    assert.deepEqual([revisions, isOver], at === 1_200 ? [[], false] : [[10, 11], true]);
  });
  assert.deepEqual([later.revisions, later.isOver, feeds.size], [[], false, 1]);
});
