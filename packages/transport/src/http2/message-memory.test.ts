import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageMemory } from "./message-memory.js";

const KIB = 1024;

test("memory given back is handed out again, whole, for a message of its size", () => {
  const memory = new MessageMemory();
  const length = memory.lengthFor(1024 * KIB + 20);
  assert.equal(length, 1028 * KIB);
  const taken = memory.take(length);
  memory.giveBack(taken.subarray(0, 1024 * KIB + 20));
  const again = memory.take(length);
  assert.deepEqual([again.buffer === taken.buffer, again.length], [true, length]);
  assert.notEqual(memory.take(length).buffer, taken.buffer, "handed out twice");
});

test("short messages and very long ones get memory of just their length, which is not kept", () => {
  const memory = new MessageMemory();
  for (const bytes of [1, 32 * KIB - 1, 3000 * KIB]) {
    assert.equal(memory.lengthFor(bytes), bytes);
    const taken = memory.take(bytes);
    assert.equal(taken.length, bytes);
    memory.giveBack(taken);
    assert.notEqual(memory.take(bytes).buffer, taken.buffer);
  }
});

test("the middle of some memory is not taken for the whole", () => {
  const memory = new MessageMemory();
  const length = memory.lengthFor(64 * KIB);
  const taken = memory.take(length);
  memory.giveBack(taken.subarray(1));
  assert.notEqual(memory.take(length).buffer, taken.buffer);
});

test("no more is kept than a few large messages take", () => {
  const memory = new MessageMemory();
  const length = memory.lengthFor(2048 * KIB);
  const all = new Set(Array.from({ length: 20 }, () => memory.take(length)));
  for (const taken of all) memory.giveBack(taken);
  const buffers = new Set([...all].map((taken) => taken.buffer));
  const again = Array.from({ length: 20 }, () => memory.take(length)).filter((taken) => buffers.has(taken.buffer));
  assert.equal(again.length, 7);
});
