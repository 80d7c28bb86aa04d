import assert from "node:assert/strict";
import { test } from "node:test";
import { pairs, put, SmallWorld } from "../testing/small-world.js";
import { noDiskFaults } from "./disk.js";

async function withClient(it: SmallWorld, name = "client") {
  return it.client(it.world.party(name));
}

test("F1, F2: what was acknowledged is there after a kill and after a power cut", async () => {
  for (const [seed, how] of [
    [1, "killed"],
    [2, "power-cut"],
  ] as const) {
    const it = new SmallWorld(seed);
    await it.serve();
    const client = await withClient(it);
    assert.equal(await it.settled(put(client, "a", "1")), 0);
    it.node.kill(how);
    assert.equal(it.node.state, "down");
    it.node.recoverDisk(how === "killed" ? "kind" : "strict");
    await it.serve();
    assert.deepEqual(await it.settled(pairs(await withClient(it, "reader"))), ["a=1"]);
    const [first, second] = it.node.lives;
    assert.equal(first?.how, how);
    assert.equal(second?.how, undefined);
    assert.ok(second?.serving !== undefined && second.serving.order > (first?.ended?.order ?? Number.NaN));
  }
});

test("F7, I11: a failed sync stops the server; nothing is acknowledged, and the next life serves", async () => {
  const it = new SmallWorld();
  await it.serve();
  const client = await withClient(it);
  it.disk.faults = { ...noDiskFaults, syncError: 1 };
  assert.equal(await it.settled(put(client, "a", "1")), 14);
  await it.until(() => it.node.state === "down");
  assert.equal(it.node.lives[0]?.how, "stopped");
  assert.match(it.node.lives[0]?.reason ?? "", /EIO/);
  it.disk.faults = noDiskFaults;
  it.node.recoverDisk("kind");
  await it.serve();
  assert.equal(await it.settled(put(await withClient(it, "next"), "b", "2")), 0);
});

test("F1: a process that dies within a disk operation says nothing any more", async () => {
  const it = new SmallWorld();
  await it.serve();
  const client = await withClient(it);
  it.disk.faults = { ...noDiskFaults, appendCrash: 1 };
  // Connection lost, or the deadline: never OK.
  assert.ok([4, 14].includes(await it.settled(put(client, "a", "1"))));
  assert.equal(it.node.state, "down");
});

test("F8: a slow disk takes virtual time", async () => {
  const it = new SmallWorld();
  await it.serve();
  const client = await withClient(it);
  it.disk.slowUntilMs = it.scheduler.nowMs + 1_000;
  const startedMs = it.scheduler.nowMs;
  assert.equal(await it.settled(put(client, "a", "1")), 0);
  assert.ok(it.scheduler.nowMs - startedMs >= 100);
});

test("F63: a server that is asked to close lets its calls end and is gone", async () => {
  const it = new SmallWorld();
  await it.serve();
  const client = await withClient(it);
  const answer = put(client, "a", "1");
  await it.pass(3);
  it.node.close();
  assert.equal(await it.settled(answer), 0);
  await it.until(() => it.node.state === "down");
  assert.equal(it.node.lives[0]?.how, "closed");
});

test("I10: the same entries give the same digest in every life; the log tells what it has", async () => {
  const it = new SmallWorld();
  await it.serve();
  const client = await withClient(it);
  for (const key of ["a", "b", "c"]) assert.equal(await it.settled(put(client, key, "x")), 0);
  it.node.sampleState();
  const before = it.node.digests.at(-1)?.digest;
  it.node.kill("killed");
  it.node.recoverDisk("kind");
  await it.serve();
  assert.equal(it.node.digests.at(-1)?.digest, before);
  const read = await it.settled(it.node.readLog());
  assert.deepEqual(
    read.entries.map(({ index, payload }) => [index, payload]),
    it.node.book.entries().map(({ index, payload }) => [index, payload]),
  );
  assert.deepEqual(it.node.book.contradictions, []);
});

test("I1: an entry that is read with other bytes than it was stored with is a contradiction", () => {
  const { book } = new SmallWorld().node;
  book.add({ index: 1, epoch: 1, payload: Buffer.from("a") }, "stored");
  book.add({ index: 1, epoch: 1, payload: Buffer.from("a") }, "read");
  assert.deepEqual(book.contradictions, []);
  book.add({ index: 1, epoch: 1, payload: Buffer.from("b") }, "read");
  assert.equal(book.contradictions.length, 1);
});

test("F12, I6: parties have clocks of their own, and a killed one does nothing any more", async () => {
  const it = new SmallWorld();
  await it.serve();
  const rates = Array.from({ length: 20 }, (_, n) => it.world.party(`p${n}`)).map(({ clock }) => clock);
  await it.pass(100_000);
  const shown = rates.map((clock) => clock.nowMs());
  assert.ok(new Set(shown).size > 10);
  assert.ok(shown.every((ms) => ms >= 99_400 && ms <= 100_600));
  const party = it.world.party("mortal");
  let told = false;
  let woken = false;
  party.onKilled(() => {
    told = true;
  });
  void party.sleep(10).then(() => {
    woken = true;
  });
  party.kill();
  await it.pass(100);
  assert.deepEqual([told, woken, party.alive], [true, false, false]);
  assert.equal(it.world.party("mortal").alive, true);
});
