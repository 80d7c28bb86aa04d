/**
 * Packed pairs against the codec of plain ones.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ByteString, byteStringFromBytes } from "../byte-string.js";
import { decodeKeyValue, encodeEvent, encodeKeyValue, type KeyValue } from "../generated/index.js";
import {
  comparePackedKey,
  equalsPackedKey,
  PackedKeyValue,
  PackedMemory,
  packDeletion,
  packedBytesMax,
  packKeyValue,
  readPackedLife,
} from "./packed-key-value.js";

const byteString = (maxLength: number) => fc.uint8Array({ maxLength }).map(byteStringFromBytes);

/** Numbers at the ends of every length of varint, small ones most often. */
const number = fc.oneof(
  fc.nat(300),
  fc.integer({ min: 0, max: 53 }).chain((bits) => fc.constantFrom(2 ** bits - 1, Math.min(2 ** bits, 2 ** 53 - 1))),
  fc.maxSafeNat(),
);

const pair: fc.Arbitrary<KeyValue> = fc.record({
  key: fc.oneof(byteString(40), byteString(300)),
  createRevision: number,
  modRevision: number,
  version: number,
  value: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 2000 })),
  lease: fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
});

/** Packs the pairs one behind the other into memory that was used before. */
function packAll(pairs: readonly KeyValue[]): PackedKeyValue[] {
  const room = pairs.reduce((sum, { key, value }) => sum + packedBytesMax(key.length, value.length), 0);
  const memory = new PackedMemory(room);
  memory.bytes.fill(0xff);
  let position = 0;
  return pairs.map(({ key, createRevision, modRevision, version, value, lease }) => {
    const start = position;
    const length = packKeyValue(memory, start, key, createRevision, modRevision, version, value, lease);
    assert.ok(length + 1 <= packedBytesMax(key.length, value.length));
    position = start + length + 1;
    return new PackedKeyValue(memory, start, length);
  });
}

function fieldsOf(pair: KeyValue): KeyValue {
  return pair instanceof PackedKeyValue ? pair.unpacked() : { ...pair };
}

test("a packed pair has the fields that were packed, whatever lies beside it", () => {
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
      const packed = packAll(pairs);
      assert.deepEqual(packed.map(fieldsOf), pairs.map(fieldsOf));
      for (const [index, { memory, start }] of packed.entries()) {
        const { createRevision, version } = pairs[index]!;
        const life = { createRevision: 5, version: 5 };
        readPackedLife(memory.bytes, start, life);
        assert.deepEqual(life, { createRevision, version });
      }
    }),
  );
});

test("a packed pair is encoded as the plain one, by itself and in another message", () => {
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
      for (const [index, packed] of packAll(pairs).entries()) {
        const plain = pairs[index]!;
        assert.deepEqual(encodeKeyValue(packed), encodeKeyValue(plain));
        assert.deepEqual(fieldsOf(decodeKeyValue(encodeKeyValue(packed))), fieldsOf(plain));
        const [event, plainEvent] = [packed, plain].map((kv) => encodeEvent({ type: 1, kv, prevKv: kv }));
        assert.deepEqual(event, plainEvent);
      }
    }),
  );
});

test("a deletion packed from a pair is that of its key", () => {
  fc.assert(
    fc.property(
      pair,
      number.map((any) => Math.max(any, 1)),
      (plain, modRevision) => {
        const [packed] = packAll([plain]);
        const memory = new PackedMemory(packedBytesMax(plain.key.length, 0));
        memory.bytes.fill(0xff);
        const length = packDeletion(memory, 0, packed!.memory, packed!.start, modRevision);
        const expected: KeyValue = { ...emptyPair, key: plain.key, modRevision };
        assert.deepEqual(fieldsOf(new PackedKeyValue(memory, 0, length)), expected);
        assert.deepEqual(memory.bytes.slice(0, length), encodeKeyValue(expected));
      },
    ),
  );
});

test("packed keys compare as byte strings do", () => {
  const key = fc.oneof(byteString(3), byteString(40));
  fc.assert(
    fc.property(key, key, (left, right) => {
      const [packed] = packAll([{ ...emptyPair, key: left }]);
      const { memory, start } = packed!;
      const expected = left < right ? -1 : left > right ? 1 : 0;
      assert.equal(Math.sign(comparePackedKey(memory.bytes, start, right)), expected);
      assert.equal(equalsPackedKey(memory.bytes, start, right), expected === 0);
      assert.equal(equalsPackedKey(memory.bytes, start, left), true);
    }),
  );
});

const emptyPair: KeyValue = {
  key: "" as ByteString,
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: new Uint8Array(0),
  lease: 0n,
};
