/**
 * Copies of byte ranges: right, and independent of their source and of each other.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { slabBytes, slabCopyBytesMax } from "../limits.js";
import { ByteCopier } from "./byte-copies.js";
import { emptyBytes } from "./wire-format.js";

const lengths = [1, 15, 16, 17, 63, 64, 65, 128, 700, slabCopyBytesMax, slabCopyBytesMax + 1, slabBytes, slabBytes + 1];

/** `length` bytes that begin with `seed`, as a `Buffer` inside a larger one when `surroundings` is not 0. */
function source(length: number, seed: number, surroundings: number): Buffer {
  const memory = Buffer.alloc(length + 2 * surroundings, 0xee);
  for (let index = 0; index < length; index++) memory[surroundings + index] = (seed + index * 31) & 0xff;
  return memory.subarray(surroundings, surroundings + length);
}

test("a copy holds the bytes of its range, whatever its length and wherever it lies", () => {
  const copier = new ByteCopier();
  for (const length of lengths) {
    for (const around of [0, 1, length, 3 * length]) {
      for (const bytes of [source(length + 2 * around, length, 7), new Uint8Array(source(length + 2 * around, 1, 0))]) {
        const copy = copier.copy(bytes, around, around + length);
        assert.deepEqual([...copy], [...bytes.subarray(around, around + length)]);
        assert.equal(Object.getPrototypeOf(copy), Uint8Array.prototype);
      }
    }
  }
});

test("copies stay as they are when their source and all other copies change", () => {
  const copier = new ByteCopier();
  const copies: { copy: Uint8Array; mark: number }[] = [];
  for (let round = 0; round < 200; round++) {
    const length = lengths[round % lengths.length]!;
    const bytes = source(length, round, round % 3 === 0 ? 0 : 2000);
    copies.push({ copy: copier.copy(bytes, 0, length), mark: round & 0xff });
    bytes.fill(0xdd);
  }
  for (const { copy, mark } of copies) copy.fill(mark);
  for (const { copy, mark } of copies) assert.ok(copy.every((byte) => byte === mark));
});

test("parts of one message after the other are copies, whether they are cut from a copy of all of it or not", () => {
  const copier = new ByteCopier();
  const copies: { copy: Uint8Array; bytes: number[] }[] = [];
  const [short, long] = [source(4_000, 1, 0), source(40_000, 2, 100)];
  for (let round = 0; round < 300; round++) {
    const message = round % 3 === 0 ? long : short;
    for (let index = 0; index < message.length; index++) message[index] = (round + index * 31) & 0xff;
    copier.begin();
    const length = lengths[1 + (round % 8)]!;
    for (let start = round % 7, part = 0; part < 12 && start + length <= message.length; part++) {
      const copy = copier.copyPart(message, start, start + length);
      assert.equal(Object.getPrototypeOf(copy), Uint8Array.prototype);
      copies.push({ copy, bytes: [...message.subarray(start, start + length)] });
      start += length + 3;
    }
    message.fill(0xdd);
  }
  for (const { copy, bytes } of copies) assert.deepEqual([...copy], bytes);
  for (const [at, { copy }] of copies.entries()) copy.fill(at & 0xff);
  for (const [at, { copy }] of copies.entries()) assert.ok(copy.every((byte) => byte === (at & 0xff)));
});

test("an empty range costs nothing: it is always the same array", () => {
  assert.equal(new ByteCopier().copy(Buffer.from("abc"), 1, 1), emptyBytes);
});
