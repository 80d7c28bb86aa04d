// Watches: order, previous values, history, resuming after a lost connection, compaction.

import assert from "node:assert/strict";
import { on, once } from "node:events";
import { EtcdError } from "etcd3";
import { freshName, variable } from "../environment.mjs";

export async function watchRound(checks) {
  const endpoint = variable("HOLDFAST_ENDPOINT");
  const run = (words, body) => checks.run(words, (open) => body(open(endpoint), open));

  await run("watch: puts and deletions in order, with previous values", inOrder);
  await run("watch: from an older revision", fromHistory);
  await run("watch: only the kind of event asked for", onlyDeletions);
  await run("watch: resumes after a cut and delivers every event exactly once", resumes);
  await run("watch: a compacted start revision ends it with an error", compacted);
}

async function inOrder(etcd) {
  const prefix = freshName("order/");
  const watcher = await etcd.watch().prefix(prefix).withPreviousKV().create();
  const next = eventsOf(watcher);
  await etcd.put(`${prefix}a`).value("one");
  await etcd.put(`${prefix}a`).value("two");
  await etcd.delete().key(`${prefix}a`);
  assert.deepEqual(await next(), { type: "Put", key: `${prefix}a`, value: "one", previous: undefined });
  assert.deepEqual(await next(), { type: "Put", key: `${prefix}a`, value: "two", previous: "one" });
  assert.deepEqual(await next(), { type: "Delete", key: `${prefix}a`, value: "", previous: "two" });
  await watcher.cancel();
}

async function fromHistory(etcd) {
  const key = freshName("history");
  const { header } = await etcd.put(key).value("one");
  await etcd.put(key).value("two");
  const watcher = await etcd.watch().key(key).startRevision(header.revision).create();
  const next = eventsOf(watcher);
  await etcd.put(key).value("three");
  for (const value of ["one", "two", "three"]) {
    assert.equal((await next()).value, value);
  }
  await watcher.cancel();
}

async function onlyDeletions(etcd) {
  const key = freshName("deletions");
  const watcher = await etcd.watch().key(key).only("delete").create();
  const next = eventsOf(watcher);
  await etcd.put(key).value("one");
  await etcd.delete().key(key);
  assert.equal((await next()).type, "Delete");
  await watcher.cancel();
}

async function resumes(etcd, open) {
  const prefix = freshName("resume/");
  const watcher = await open(variable("HOLDFAST_PROXY_ENDPOINT")).watch().prefix(prefix).create();
  const next = eventsOf(watcher);
  const put = (value) => etcd.put(prefix + value).value(value);

  await put("before-1");
  await put("before-2");
  assert.equal((await next()).value, "before-1");
  const disconnected = once(watcher, "disconnected");
  const connected = once(watcher, "connected");
  await fetch(`${variable("HOLDFAST_CONTROL_URL")}/cut`, { method: "POST" });
  await put("while-cut");
  await disconnected;
  await connected;
  await put("after");
  await put("end");

  for (const value of ["before-2", "while-cut", "after", "end"]) {
    assert.equal((await next()).value, value);
  }
  await watcher.cancel();
}

async function compacted(etcd) {
  const key = freshName("compacted");
  const { header } = await etcd.put(key).value("one");
  const { header: kept } = await etcd.put(key).value("two");
  await etcd.kv.compact({ revision: kept.revision });
  // The watch is created before it is cancelled, so the error may come before or after `create` has resolved.
  const creation = etcd.watch().key(key).startRevision(header.revision).create();
  const ended = creation.then(async (watcher) => {
    throw (await once(watcher, "error"))[0];
  });
  await assert.rejects(ended, (error) => {
    // etcd gives no reason in words, and the client does not show the compacted revision.
    return error instanceof EtcdError && /^Watcher canceled/.test(error.message);
  });
}

/** The events of a watcher one by one, whenever they were delivered. */
function eventsOf(watcher) {
  const responses = on(watcher, "data");
  const events = [];
  return async () => {
    while (events.length === 0) {
      const { value } = await responses.next();
      events.push(...value[0].events);
    }
    const { type, kv, prev_kv: previous } = events.shift();
    return { type, key: kv.key.toString(), value: kv.value.toString(), previous: previous?.value.toString() };
  };
}
