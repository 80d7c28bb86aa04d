/**
 * What a scan tells of encoded pairs, against the codec.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteStringFromBytes } from "../byte-string.js";
import { decodeKeyValue, encodeKeyValue, type KeyValue } from "../generated/index.js";
import { PackedMemory, packedBytesMax, packKeyValue } from "./packed-key-value.js";
import { PackedScan } from "./packed-scan.js";

const number = fc.oneof(
  fc.nat(300),
  fc.integer({ min: 0, max: 53 }).chain((bits) => fc.constantFrom(2 ** bits - 1, Math.min(2 ** bits, 2 ** 53 - 1))),
  fc.maxSafeNat(),
);

const pair: fc.Arbitrary<KeyValue> = fc.record({
  key: fc.uint8Array({ maxLength: 200 }).map(byteStringFromBytes),
  createRevision: number,
  modRevision: number,
  version: number,
  value: fc.uint8Array({ maxLength: 300 }),
  lease: fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
});

function packed({ key, createRevision, modRevision, version, value, lease }: KeyValue): Uint8Array {
  const memory = new PackedMemory(packedBytesMax(key.length, value.length));
  const length = packKeyValue(memory, 0, key, createRevision, modRevision, version, value, lease);
  return memory.bytes.subarray(0, length);
}

/** The bytes with others around them. */
function embedded(bytes: Uint8Array): { memory: PackedMemory; start: number; end: number } {
  const start = 3;
  const memory = new PackedMemory(bytes.length + 2 * start);
  memory.bytes.fill(0x22).set(bytes, start);
  return { memory, start, end: start + bytes.length };
}

test("what was packed is recognized, and says what was packed", () => {
  const scan = new PackedScan();
  fc.assert(
    fc.property(pair, (expected) => {
      const { memory, start, end } = embedded(packed(expected));
      assert.ok(scan.look(memory, start, end));
      const { key, createRevision, modRevision, version, lease } = scan;
      const { value, ...others } = expected;
      assert.deepEqual({ key, createRevision, modRevision, version, lease }, others);
      assert.deepEqual([scan.keyLength, scan.valueLength], [others.key.length, value.length]);
      assert.equal(scan.hasLease, lease !== 0n);
      assert.deepEqual([scan.memory, scan.start, scan.length], [memory, start, end - start]);
    }),
  );
});

test("nothing else is recognized: what is, is byte by byte what packing makes of it", () => {
  const scan = new PackedScan();
  let recognized = 0;
  let passedOver = 0;
  const damage = fc.record({ at: fc.nat(30), cut: fc.nat(2), put: fc.uint8Array({ maxLength: 2 }) });
  fc.assert(
    fc.property(pair, damage, (before, { at, cut, put }) => {
      const whole = packed(before);
      const place = Math.min(at, whole.length);
      const bytes = Uint8Array.from([...whole.subarray(0, place), ...put, ...whole.subarray(place + cut)]);
      const { memory, start, end } = embedded(bytes);
      if (!scan.look(memory, start, end)) {
        passedOver += 1;
        return;
      }
      recognized += 1;
      assert.deepEqual(packed(decodeKeyValue(bytes)), bytes);
    }),
    { numRuns: 2000 },
  );
  assert.ok(recognized > 100 && passedOver > 100);
});

test("fields that are zero, twice there, in another order or encoded at length are not what packing makes", () => {
  const scan = new PackedScan();
  const whole = [...encodeKeyValue({ ...empty, key: byteStringFromBytes(Uint8Array.of(97)), modRevision: 5 })];
  assert.deepEqual(whole, [10, 1, 97, 24, 5]);
  const looks = (...bytes: number[]): boolean =>
    scan.look(embedded(Uint8Array.from(bytes)).memory, 3, 3 + bytes.length);
  assert.ok(looks(...whole));
  const others: number[][] = [
    [10, 1, 97, 24, 5, 32, 0],
    [10, 1, 97, 24, 5, 24, 5],
    [24, 5, 10, 1, 97],
    [10, 1, 97, 24, 0x85, 0],
    [10, 0x81, 0, 97, 24, 5],
    [10, 1, 97, 24, 5, 48, 0],
    [10, 1, 97, 24, 5, 48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
    [10, 1, 97, 24, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [10, 1, 97, 24, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20],
    [10, 1, 97, 24, 5, 56, 1],
    [10, 5, 97, 24, 5],
    [10, 1, 97, 24],
    [10],
  ];
  for (const bytes of others) assert.ok(!looks(...bytes), bytes.join());
});

const empty: KeyValue = {
  key: byteStringFromBytes(new Uint8Array(0)),
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: new Uint8Array(0),
  lease: 0n,
};
