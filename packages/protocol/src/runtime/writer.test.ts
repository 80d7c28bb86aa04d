/**
 * The writer alone: ranges of numbers, primitives, growth of its buffer.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "../byte-string.js";
import { scratchBytesInitial, scratchBytesKeptMax } from "../limits.js";
import { Reader } from "./reader.js";
import { fieldTag, WireType } from "./wire-format.js";
import { Writer } from "./writer.js";

/** What `read` makes of the value behind a one-byte tag that `write` wrote. */
function roundTrip<T>(write: (writer: Writer) => void, read: (reader: Reader) => T): T {
  const writer = new Writer();
  write(writer);
  const reader = new Reader();
  reader.reset(writer.view(), 1, writer.length);
  const value = read(reader);
  assert.equal(reader.position, writer.length);
  return value;
}

test("numbers beyond int64 and uint64 are clamped, fractions cut off", () => {
  const int64 = (value: number) =>
    roundTrip(
      (writer) => writer.int64NumberField(8, value),
      (reader) => reader.int64BigInt(),
    );
  const uint64 = (value: number) =>
    roundTrip(
      (writer) => writer.uint64NumberField(8, value),
      (reader) => reader.uint64BigInt(),
    );
  assert.equal(int64(Number.POSITIVE_INFINITY), 2n ** 63n - 1n);
  assert.equal(int64(2 ** 63), 2n ** 63n - 1n);
  assert.equal(int64(-(2 ** 63)), -(2n ** 63n));
  assert.equal(int64(-1e300), -(2n ** 63n));
  assert.equal(int64(2 ** 63 - 1024), 2n ** 63n - 1024n);
  assert.equal(int64(-1.9), -1n);
  assert.equal(int64(-0.5), 0n);
  assert.equal(int64(2 ** 40 + 0.5), 2n ** 40n);
  assert.equal(int64(Number.NaN), 0n);
  assert.equal(uint64(-5), 0n);
  assert.equal(uint64(Number.NaN), 0n);
  assert.equal(uint64(2 ** 64), 2n ** 64n - 1n);
  assert.equal(uint64(2 ** 64 - 2048), 2n ** 64n - 2048n);
});

test("identities are never changed: a bigint that does not fit is refused", () => {
  const writer = new Writer();
  assert.throws(() => writer.int64BigIntField(8, 2n ** 63n), RangeError);
  assert.throws(() => writer.int64BigIntField(8, -(2n ** 63n) - 1n), RangeError);
  assert.throws(() => writer.uint64BigIntField(8, -1n), RangeError);
  assert.throws(() => writer.uint64BigIntField(8, 2n ** 64n), RangeError);
});

test("every power of two and its neighbours survive, in both representations", () => {
  for (let bit = 0n; bit < 64n; bit++) {
    for (const value of [2n ** bit - 1n, 2n ** bit, 2n ** bit + 1n]) {
      const read = roundTrip(
        (writer) => writer.uint64BigIntField(8, value),
        (reader) => reader.uint64BigInt(),
      );
      assert.equal(read, value);
      const signed = BigInt.asIntN(64, value);
      const readSigned = roundTrip(
        (writer) => writer.int64BigIntField(8, signed),
        (reader) => reader.int64BigInt(),
      );
      assert.equal(readSigned, signed);
      if (bit > 52n) continue;
      for (const quantity of [Number(value), -Number(value) + 0]) {
        const readQuantity = roundTrip(
          (writer) => writer.int64NumberField(8, quantity),
          (reader) => reader.int64Number(),
        );
        assert.equal(readQuantity, quantity);
      }
    }
  }
});

test("tags, varints and fixed integers are written as the format says", () => {
  const writer = new Writer(1);
  writer.tag(fieldTag(64, WireType.lengthDelimited));
  writer.varint32(300);
  writer.fixed32(0xfedcba98);
  writer.fixed64(-2n);
  writer.raw(Uint8Array.of(1, 2));
  const expected = [0x82, 0x04, 0xac, 0x02, 0x98, 0xba, 0xdc, 0xfe, 0xfe, ...new Array(7).fill(0xff), 1, 2];
  assert.deepEqual([...writer.view()], expected);
});

test("byte strings of all lengths around the thresholds keep every byte", () => {
  for (const length of [0, 1, 2, 15, 16, 17, 24, 25, 31, 32, 33, 64, 300]) {
    const value = Array.from({ length }, (_, index) => String.fromCharCode((index * 37) % 256)).join("") as ByteString;
    const read = roundTrip(
      (writer) => writer.byteStringField(10, value),
      (reader) => reader.byteString(),
    );
    assert.equal(read, value);
  }
});

test("text that is not well-formed UTF-16 becomes valid UTF-8", () => {
  const read = roundTrip(
    (writer) => writer.stringField(10, "a\ud800b"),
    (reader) => reader.string(),
  );
  assert.equal(read, "a\ufffdb");
});

test("the buffer grows without losing what was written", () => {
  const writer = new Writer(4);
  const expected: number[] = [];
  for (let index = 0; index < 5000; index++) {
    writer.raw(Uint8Array.of(index & 0xff, index >> 8));
    expected.push(index & 0xff, index >> 8);
  }
  assert.deepEqual([...writer.view()], expected);
});

test("a view shows what was written last, however long it is and whatever buffer it lies in", () => {
  const writer = new Writer(16);
  for (const length of [3, 3, 0, 3, 100, 3, 100, 16, 0, scratchBytesKeptMax + 1, 100, 3]) {
    const bytes = new Uint8Array(length).map((_, at) => at + length);
    writer.reset();
    writer.raw(bytes);
    assert.deepEqual(writer.view(), bytes);
    assert.deepEqual(writer.view(), bytes);
  }
});

test("a buffer that has grown very large is given up at the next reset", () => {
  const writer = new Writer();
  writer.raw(new Uint8Array(scratchBytesKeptMax + 1));
  const large = writer.view();
  writer.reset();
  writer.raw(Uint8Array.of(1));
  assert.ok(large.buffer.byteLength > scratchBytesKeptMax);
  assert.equal(writer.view().buffer.byteLength, scratchBytesInitial);
});

test("a length that needs more bytes than were reserved moves the body", () => {
  for (const [expected, actual] of [
    [0, 127],
    [0, 128],
    [0, 20_000],
    [128, 3],
    [20_000, 3],
    [20_000, 300],
  ] as const) {
    const writer = new Writer(8);
    const body = Uint8Array.from({ length: actual }, (_, index) => index);
    const start = writer.begin(0x12, expected);
    writer.raw(body);
    writer.end(start, expected);
    writer.raw(Uint8Array.of(0xee));
    const direct = new Writer();
    direct.bytesField(0x12, body);
    direct.raw(Uint8Array.of(0xee));
    assert.deepEqual(Buffer.from(writer.view()), Buffer.from(direct.view()));
  }
});
