import assert from "node:assert/strict";
import { test } from "node:test";
import { allOf, bytesOf, decodeMessage, encodeMessage, envelope, numberOf, unwrap } from "./messages.js";
import { encodeExists, encodePut, encodeRange, encodeTxn, endOfPrefix } from "./requests.js";

test("a message is encoded as the protobuf specification says", () => {
  // Field 1, length-delimited, "k"; field 2 likewise, "vv"; 300 is the specification's own example of a varint.
  assert.equal(encodePut("k", "vv").toString("hex"), "0a016b12027676");
  assert.equal(encodeMessage([[1, 300]]).toString("hex"), "08ac02");
});

test("what was encoded is decoded, numbers above 32 bits and repeated fields included", () => {
  const fields = decodeMessage(
    encodeMessage([
      [1, 2 ** 50 + 1],
      [16, "a"],
      [16, "b"],
    ]),
  );
  assert.equal(numberOf(fields, 1), 2 ** 50 + 1);
  assert.deepEqual(allOf(fields, 16).map(String), ["a", "b"]);
  assert.equal(numberOf(fields, 2), 0);
  assert.equal(bytesOf(fields, 2).length, 0);
});

test("a wire type that the etcd API does not use is refused", () => {
  assert.throws(() => decodeMessage(Buffer.from([0x0d, 0, 0, 0, 0])), /wire type 5/);
});

test("the envelope says: not compressed, and how long", () => {
  assert.equal(envelope(Buffer.from("abc")).toString("hex"), "0000000003616263");
});

test("the messages of an answer are taken out of their envelopes; a piece of one is refused", () => {
  const answer = Buffer.concat([envelope(Buffer.from("abc")), envelope(Buffer.from("d"))]);
  assert.deepEqual(unwrap(answer).map(String), ["abc", "d"]);
  assert.deepEqual(unwrap(Buffer.alloc(0)), []);
  for (const end of [3, 5, 7, 10]) assert.throws(() => unwrap(answer.subarray(0, end)), /in the middle/);
});

test("a range says what it asks for, and nothing else", () => {
  assert.equal(encodeRange("k").toString("hex"), "0a016b");
  const all = { rangeEnd: "l", isSerializable: true, isCountOnly: true };
  assert.equal(encodeRange("k", all).toString("hex"), "0a016b12016c38014801");
  assert.equal(endOfPrefix("folder/"), "folder0");
});

test("a transaction compares, then puts", () => {
  const fields = decodeMessage(encodeTxn([encodeExists("k")], [encodePut("k", "v"), encodePut("l", "v")]));
  const compare = decodeMessage(bytesOf(fields, 1));
  assert.deepEqual([numberOf(compare, 1), numberOf(compare, 2), bytesOf(compare, 3).toString()], [1, 0, "k"]);
  const puts = allOf(fields, 2).map((operation) => bytesOf(decodeMessage(operation), 2));
  assert.deepEqual(
    puts.map((put) => bytesOf(decodeMessage(put), 1).toString()),
    ["k", "l"],
  );
});
