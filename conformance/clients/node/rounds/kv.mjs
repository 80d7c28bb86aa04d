// Keys: values, ranges, history, deletion, compaction, transactions.

import assert from "node:assert/strict";
import { GRPCOutOfRangeError } from "etcd3";
import { freshName, variable } from "../environment.mjs";

export async function kvRound(checks) {
  const endpoint = variable("HOLDFAST_ENDPOINT");
  const run = (words, body) => checks.run(words, (open) => body(open(endpoint), open));

  await run("kv: put and get bytes as they are", putAndGet);
  await run("kv: a prefix in key order, and its count", prefix);
  await run("kv: get at an older revision", history);
  await run("kv: delete a key and a prefix", deletion);
  await run("kv: a compacted revision is refused as out of range", compaction);
  await run("txn: the then branch and the else branch", branches);
  await run("txn: of four clients that create one key, one wins", race);
}

async function putAndGet(etcd) {
  const key = freshName("bytes");
  const value = Buffer.from([0, 255, 128, 10]);
  await etcd.put(key).value(value);
  assert.deepEqual(await etcd.get(key).buffer(), value);
  assert.equal(await etcd.get(freshName("missing")), null);
  await etcd.put(key).value("");
  assert.equal(await etcd.get(key).string(), "");
}

async function prefix(etcd) {
  const start = freshName("prefix/");
  for (const letter of ["b", "a", "c"]) {
    await etcd.put(start + letter).value(letter.toUpperCase());
  }
  const all = await etcd.getAll().prefix(start).strings();
  assert.deepEqual(Object.entries(all), [
    [`${start}a`, "A"],
    [`${start}b`, "B"],
    [`${start}c`, "C"],
  ]);
  assert.equal(await etcd.getAll().prefix(start).count(), 3);
  assert.deepEqual(await etcd.getAll().prefix(start).sort("Key", "Descend").limit(2).keys(), [
    `${start}c`,
    `${start}b`,
  ]);
}

async function history(etcd) {
  const key = freshName("history");
  const first = await etcd.put(key).value("one");
  const second = await etcd.put(key).value("two");
  const third = await etcd.delete().key(key);
  assert.equal(await etcd.get(key).revision(first.header.revision).string(), "one");
  assert.equal(await etcd.get(key).revision(second.header.revision).string(), "two");
  assert.equal(await etcd.get(key).revision(third.header.revision).string(), null);
}

async function deletion(etcd) {
  const start = freshName("delete/");
  for (const letter of ["a", "b", "c"]) {
    await etcd.put(start + letter).value(letter);
  }
  const [deleted] = await etcd.delete().key(`${start}a`).getPrevious();
  assert.equal(deleted.value.toString(), "a");
  assert.equal((await etcd.delete().prefix(start)).deleted, "2");
  assert.equal((await etcd.delete().prefix(start)).deleted, "0");
}

async function compaction(etcd) {
  const key = freshName("compaction");
  const { header } = await etcd.put(key).value("one");
  const { header: kept } = await etcd.put(key).value("two");
  await etcd.kv.compact({ revision: kept.revision, physical: true });
  await assert.rejects(etcd.get(key).revision(header.revision).string(), GRPCOutOfRangeError);
  assert.equal(await etcd.get(key).revision(kept.revision).string(), "two");
}

async function branches(etcd) {
  const key = freshName("branches");
  const claim = (value) =>
    etcd.if(key, "Create", "==", 0).then(etcd.put(key).value(value)).else(etcd.get(key)).commit();
  assert.equal((await claim("first")).succeeded, true);
  const refused = await claim("second");
  assert.equal(refused.succeeded, false);
  assert.equal(refused.responses[0].response_range.kvs[0].value.toString(), "first");
}

async function race(etcd, open) {
  const key = freshName("race");
  const clients = Array.from({ length: 4 }, () => open(variable("HOLDFAST_ENDPOINT")));
  const outcomes = await Promise.all(
    clients.map((client, index) => client.if(key, "Version", "==", 0).then(client.put(key).value(index)).commit()),
  );
  const winners = outcomes.flatMap(({ succeeded }, index) => (succeeded ? [index] : []));
  assert.equal(winners.length, 1);
  assert.equal(await etcd.get(key).number(), winners[0]);
}
