/** Messages of very many items (fault-model F45). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  authenticateRequestCodec,
  createPutRequest,
  leaseTimeToLiveResponseCodec,
  memberAddRequestCodec,
  putRequestCodec,
  rangeResponseCodec,
  txnRequestCodec,
  watchRequestCodec,
} from "../generated/index.js";
import { slabCopyBytesMax } from "../limits.js";
import { decodeBounded, decodeLent } from "./decode-bounded.js";
import type { MessageCodec } from "./descriptors.js";
import { TooManyItemsError } from "./malformed-message-error.js";

/** Far more than any test allows. */
const many = 10_000;

/** `bytes` so many times that they are as long as the tests need. */
function repeated(...bytes: number[]): Uint8Array {
  return Buffer.alloc(many * bytes.length, Buffer.from(bytes));
}

/** `inner` as field `number`. */
function field(number: number, inner: Uint8Array): Uint8Array {
  const { length } = inner;
  const lengthBytes = [(length & 0x7f) | 0x80, ((length >>> 7) & 0x7f) | 0x80, length >>> 14];
  return Buffer.concat([Buffer.from([number * 8 + 2, ...lengthBytes]), inner]);
}

/** `bytes` hold `items` items: so many may be read, and one less are too few. */
function holds(codec: MessageCodec<unknown>, bytes: Uint8Array, items: number): void {
  assert.deepEqual(decodeBounded(codec, bytes, items), codec.decode(bytes));
  assert.throws(() => decodeBounded(codec, bytes, items - 1), TooManyItemsError);
}

test("F45: nested messages are counted on all levels together, the same one as often as it is there", () => {
  holds(txnRequestCodec, repeated(0x12, 0), many);
  holds(txnRequestCodec, repeated(0x0a, 0), many);
  holds(txnRequestCodec, repeated(0x12, 2, 0x0a, 0), 2 * many);
  holds(txnRequestCodec, field(2, repeated(0x0a, 0)), many + 1);
  holds(txnRequestCodec, field(2, field(4, repeated(0x1a, 0))), many + 2);
});

test("F45: texts are counted, and the elements of lists, packed or not", () => {
  holds(authenticateRequestCodec, repeated(0x0a, 1, 0x61), many);
  holds(memberAddRequestCodec, repeated(0x0a, 0), many);
  holds(leaseTimeToLiveResponseCodec, repeated(0x2a, 0), many);
  holds(watchRequestCodec, field(1, repeated(0x28, 1)), many + 1);
  holds(watchRequestCodec, field(1, field(5, repeated(1))), many + 2);
});

test("F45: a bound is for one message, also when that one fails", () => {
  const bytes = repeated(0x12, 0);
  for (let round = 0; round < 3; round++) {
    assert.throws(() => decodeBounded(txnRequestCodec, bytes, 10), TooManyItemsError);
    assert.equal(rangeResponseCodec.decode(bytes).kvs.length, many);
  }
});

test("a message that may be kept lends its long values, for that one message; any other is copied", () => {
  const value = Buffer.alloc(slabCopyBytesMax + 1, 7);
  const bytes = Buffer.from(putRequestCodec.encode(createPutRequest({ value })));
  const isOfTheMessage = (isLasting?: boolean): boolean => {
    bytes.fill(7, bytes.length - value.length);
    const request = decodeBounded(putRequestCodec, bytes, 1_000, isLasting);
    assert.deepEqual(request.value, new Uint8Array(value));
    bytes.fill(8, bytes.length - value.length);
    return request.value[0] === 8;
  };
  assert.deepEqual([isOfTheMessage(true), isOfTheMessage(), isOfTheMessage(false)], [true, false, false]);
  assert.throws(() => decodeBounded(putRequestCodec, Buffer.alloc(2, 0xff), 1_000, true));
  assert.equal(isOfTheMessage(), false, "also when the one before was malformed");
});

test("a message that may be kept gives its short values away as copies: they are not to keep all of it alive", () => {
  const bytes = Buffer.from(putRequestCodec.encode(createPutRequest({ value: Buffer.alloc(slabCopyBytesMax, 7) })));
  const { value } = decodeBounded(putRequestCodec, bytes, 1_000, true);
  bytes.fill(8);
  assert.equal(value[0], 7);
});

test("a message that is lent gives its values away as views, for that one message", () => {
  const value = Buffer.alloc(100, 7);
  const bytes = Buffer.from([0, ...putRequestCodec.encode(createPutRequest({ value })), 0]);
  const first = (decode: () => { readonly value: Uint8Array }): number => {
    const request = decode();
    assert.deepEqual(request.value, new Uint8Array(value));
    bytes.fill(8, bytes.length - 1 - value.length);
    const now = request.value[0]!;
    bytes.fill(7, bytes.length - 1 - value.length);
    return now;
  };
  const lend = () => decodeLent(putRequestCodec, bytes, 1, bytes.length - 1);
  const copy = () => putRequestCodec.decode(bytes, 1, bytes.length - 1);
  assert.deepEqual([first(lend), first(copy)], [8, 7]);
  assert.throws(() => decodeLent(putRequestCodec, bytes, 1, bytes.length + 1), RangeError);
  assert.equal(first(copy), 7, "also when the one before was none");
});
