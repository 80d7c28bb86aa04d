import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferPool } from "./buffer-pool.js";
import { Output } from "./output.js";

const KiB = 1024;

test("a buffer given back is handed out again, to whoever asks for its size", () => {
  const pool = new BufferPool();
  const [small, medium, large] = [pool.acquire(1), pool.acquire(2 * KiB + 1), pool.acquire(64 * KiB + 1)];
  assert.deepEqual([small.length, medium.length, large.length], [2 * KiB, 64 * KiB, 288 * KiB]);
  for (const buffer of [small, medium, large]) pool.release(buffer);
  assert.equal(pool.acquire(288 * KiB), large);
  assert.equal(pool.acquire(64 * KiB), medium);
  assert.equal(pool.acquire(2 * KiB), small);
  assert.notEqual(pool.acquire(2 * KiB), small);
});

test("a larger buffer is made for the one who asks, and not kept", () => {
  const pool = new BufferPool();
  const huge = pool.acquire(288 * KiB + 1);
  assert.equal(huge.length, 288 * KiB + 1);
  pool.release(huge);
  assert.notEqual(pool.acquire(288 * KiB + 1), huge);
});

test("of large buffers only a few are kept", () => {
  const pool = new BufferPool();
  const buffers = Array.from({ length: 100 }, () => pool.acquire(288 * KiB));
  for (const buffer of buffers) pool.release(buffer);
  const kept = Array.from({ length: 100 }, () => pool.acquire(288 * KiB)).filter((buffer) => buffers.includes(buffer));
  assert.ok(kept.length >= 1 && kept.length <= 8, `${kept.length} kept`);
});

test("F36: a thousand connections with a small answer each hold a small buffer each", () => {
  const pool = new BufferPool();
  const outputs = Array.from({ length: 1_000 }, () => new Output(pool));
  for (const output of outputs) output.append(Buffer.alloc(100));
  const held = outputs.reduce((bytes, output) => bytes + output.bytes.length, 0);
  assert.ok(held <= 2 * KiB * KiB, `${held} bytes held for 100,000`);
});

test("an output that outgrows its buffer keeps what was written, and gives the old one back", () => {
  const pool = new BufferPool();
  const output = new Output(pool);
  const written = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251));
  output.append(written.subarray(0, 1_500));
  const first = output.bytes;
  output.append(written.subarray(1_500));
  assert.deepEqual(output.bytes.subarray(0, output.length), written);
  assert.equal(pool.acquire(1), first);
});
