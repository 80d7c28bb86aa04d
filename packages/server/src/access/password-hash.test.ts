import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatPasswordHash,
  parsePasswordHash,
  passwordCostMax,
  passwordCostMin,
  scryptMemoryBytes,
  scryptParameters,
} from "./password-hash.js";

test("AUTH-14: one more of cost doubles the work, over the whole range of etcd's", () => {
  for (let cost = passwordCostMin; cost < passwordCostMax; cost++) {
    const work = ({ logN, rounds }: { logN: number; rounds: number }): number => 2 ** logN * rounds;
    assert.equal(work(scryptParameters(cost + 1)), 2 * work(scryptParameters(cost)));
  }
  for (const cost of [3, 32, 10.5, Number.NaN]) assert.throws(() => scryptParameters(cost), RangeError);
});

test("AUTH-14: a hash needs 32 MiB at the default cost, and little more than 128 MiB at twenty", () => {
  assert.equal(scryptMemoryBytes(scryptParameters(10)) >> 20, 32);
  assert.equal(scryptMemoryBytes(scryptParameters(20)) >> 20, 128);
});

test("a hash is read back as it was written", () => {
  const hash = { ...scryptParameters(10), salt: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) };
  assert.deepEqual(parsePasswordHash(formatPasswordHash(hash)), hash);
});

test("what is no hash of ours is none", () => {
  const salt = "A".repeat(22);
  const key = "B".repeat(43);
  assert.notEqual(parsePasswordHash(`$scrypt$ln=9,r=8,p=1$${salt}$${key}`), undefined);
  const wrong = [
    "",
    "x",
    `$scrypt$ln=0,r=8,p=1$${salt}$${key}`,
    `$scrypt$ln=9,r=8,p=0$${salt}$${key}`,
    `$scrypt$ln=9,r=8,p=1$${salt}`,
    `$scrypt$ln=9,r=8,p=1$${salt}$B`,
    `$scrypt$ln=9,r=8,p=1$${salt}$${key}\n`,
    "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
  ];
  for (const text of wrong) assert.equal(parsePasswordHash(text), undefined, text);
});
