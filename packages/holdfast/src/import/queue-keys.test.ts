import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString, KeyValue } from "@holdfast/client";
import { isQueueKey, type QueueKey, queueSteps } from "./queue-keys.js";

function key(name: string, lease: bigint, createRevision: number, modRevision = createRevision): KeyValue {
  const value = new Uint8Array(0);
  return { key: name as ByteString, value, lease, createRevision, modRevision, version: 1 };
}

/** The key of the contender with this lease, at both ends. */
function contender(name: string, lease: bigint, atSource: number, atTarget: number | undefined): QueueKey {
  const full = `${name}/${lease.toString(16)}`;
  return {
    source: key(full, lease, atSource),
    target: atTarget === undefined ? undefined : key(full, lease, atTarget),
  };
}

function show(pairs: readonly QueueKey[], same = true): string[] {
  return queueSteps(pairs, () => same).map((step) =>
    step
      .map((write) => `${write.wanted === undefined ? "-" : "+"}${write.key}@${write.seenRevision}`)
      .sort()
      .join(" "),
  );
}

test("LOCK-1: keys that queue end with their lease's id", () => {
  assert.equal(isQueueKey(key("lock/1f", 0x1fn, 2)), true);
  assert.equal(isQueueKey(key("/1f", 0x1fn, 2)), true);
  assert.equal(isQueueKey(key("lock/-1f", -0x1fn, 2)), true);
  assert.equal(isQueueKey(key("lock/1f", 0x2fn, 2)), false);
  assert.equal(isQueueKey(key("lock1f", 0x1fn, 2)), false);
  assert.equal(isQueueKey(key("lock/0", 0n, 2)), false);
});

test("LOCK-3: contenders are written oldest first, each queue on its own", () => {
  const pairs = [
    contender("a", 1n, 9, undefined),
    contender("a", 2n, 5, undefined),
    contender("b", 3n, 7, undefined),
    contender("a", 4n, 7, undefined),
  ];
  assert.deepEqual(show(pairs), ["+a/2@0 +b/3@0", "+a/4@0", "+a/1@0"]);
});

test("LOCK-3: a queue in order is left alone, or put to without losing its place", () => {
  const pairs = [contender("a", 1n, 9, 101), contender("a", 2n, 5, 100)];
  assert.deepEqual(show(pairs), []);
  assert.deepEqual(show(pairs, false), ["+a/2@100", "+a/1@101"]);
});

test("LOCK-3: who queued again at the source goes behind the others at the target", () => {
  const pairs = [contender("a", 1n, 20, 100), contender("a", 2n, 9, 101), contender("a", 3n, 10, 102)];
  assert.deepEqual(show(pairs), ["-a/1@100", "+a/1@0"]);
});

test("LOCK-3: who is missing in the middle has all behind it queue anew", () => {
  const pairs = [contender("a", 1n, 5, 100), contender("a", 2n, 6, undefined), contender("a", 3n, 7, 101)];
  assert.deepEqual(show(pairs), ["+a/2@0", "-a/3@101", "+a/3@0"]);
});
