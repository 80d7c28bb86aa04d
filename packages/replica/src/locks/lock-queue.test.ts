import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "@holdfast/protocol";
import { type Contender, LockQueue } from "./lock-queue.js";

const key = (text: string): ByteString => text as ByteString;

function inOrder(queue: LockQueue): string[] {
  const keys: string[] = [];
  for (let contender: Contender | undefined = queue.oldest; contender !== undefined; contender = contender.newer) {
    keys.push(contender.key);
  }
  return keys;
}

test("LOCK-3: contenders stand in the order of their create revisions", () => {
  const queue = new LockQueue(key("n/"));
  queue.add(key("n/b"), 2);
  queue.add(key("n/a"), 3);
  queue.add(key("n/c"), 5);
  assert.deepEqual(inOrder(queue), ["n/b", "n/a", "n/c"]);
});

test("ELECT-2: keys made by one transaction stand in byte order", () => {
  const queue = new LockQueue(key("n/"));
  queue.add(key("n/x"), 2);
  for (const name of ["n/c", "n/a", "n/b"]) queue.add(key(name), 7);
  assert.deepEqual(inOrder(queue), ["n/x", "n/a", "n/b", "n/c"]);
});

test("a contender can leave from the front, the middle and the end", () => {
  const queue = new LockQueue(key("n/"));
  for (let i = 0; i < 5; i++) queue.add(key(`n/${i}`), i + 1);
  assert.equal(queue.remove(key("n/0"))?.createRevision, 1);
  assert.equal(queue.remove(key("n/2"))?.createRevision, 3);
  assert.equal(queue.remove(key("n/4"))?.createRevision, 5);
  assert.equal(queue.remove(key("n/4")), undefined);
  assert.deepEqual(inOrder(queue), ["n/1", "n/3"]);
  queue.remove(key("n/1"));
  queue.remove(key("n/3"));
  assert.equal(queue.oldest, undefined);
  queue.add(key("n/9"), 9);
  assert.deepEqual(inOrder(queue), ["n/9"]);
});
