/**
 * Bad input: every decoder answers it with `MalformedMessageError`, and with nothing else.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteStringFromText } from "./byte-string.js";
import {
  createPutRequest,
  decodeAuthenticateRequest,
  decodeHealthListResponse,
  decodePutRequest,
  decodeRangeResponse,
  decodeTxnRequest,
  decodeWatchCreateRequest,
  encodePutRequest,
  messageCodecs,
} from "./generated/index.js";
import { messageDepthMax } from "./limits.js";
import { MalformedMessageError } from "./runtime/malformed-message-error.js";
import { Writer } from "./runtime/writer.js";
import { messageArbitrary } from "./testing/arbitraries.test.support.js";
import { malformedStreamMessage, malformedUnaryRequest } from "./transport-errors.js";

function assertMalformed(decode: (bytes: Uint8Array) => unknown, bytes: readonly number[], detail: RegExp): void {
  assert.throws(
    () => decode(Uint8Array.from(bytes)),
    (error) => error instanceof MalformedMessageError && detail.test(error.message),
  );
}

/** Whether the bytes can be decoded. Anything thrown but `MalformedMessageError` fails the test. */
function isDecodable(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch (error) {
    assert.ok(error instanceof MalformedMessageError, String(error));
    return false;
  }
}

const beyondEnd = /beyond the end/;

test("a message that ends inside a field is malformed", () => {
  for (const cut of [[0x18], [0x18, 0x80], [0x0a], [0x0a, 0x80], [0x0a, 2, 1], [0xf8], [0xf9, 0x07, 1], [0xfd, 0x07]]) {
    assertMalformed(decodePutRequest, cut, beyondEnd);
  }
});

test("a field that ends behind the message around it is malformed, even if there are more bytes", () => {
  // kvs of length 3, with a key of length 5 inside
  assertMalformed(decodeRangeResponse, [0x12, 3, 0x0a, 5, 1, 1, 1, 1, 1], beyondEnd);
  assertMalformed(decodeRangeResponse, [0x12, 2, 0x10, 0x80, 0x01], beyondEnd);
  assertMalformed(decodeWatchCreateRequest, [0x2a, 1, 0x80, 0x01], beyondEnd);
  assert.throws(() => decodePutRequest(Uint8Array.of(0x0a, 2, 1, 1), 0, 3), MalformedMessageError);
});

test("a length up to 2^64 - 1 is malformed when there are not so many bytes", () => {
  for (const length of [
    [0xff, 0x01],
    [0xff, 0xff, 0xff, 0xff, 0x0f],
    [0x80, 0x80, 0x80, 0x80, 0x10],
  ]) {
    assertMalformed(decodePutRequest, [0x0a, ...length, 1], beyondEnd);
    assertMalformed(decodePutRequest, [0xfa, 0x07, ...length, 1], beyondEnd);
  }
  const longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
  assertMalformed(decodePutRequest, [0x12, ...longest, 1], beyondEnd);
  assertMalformed(decodeRangeResponse, [0x12, ...longest, 1], beyondEnd);
});

test("a varint of more than 64 bits or ten bytes is malformed", () => {
  const nine = new Array(9).fill(0x80);
  assertMalformed(decodePutRequest, [0x18, ...nine, 0x02], /64 bits/);
  assertMalformed(decodePutRequest, [0x18, ...nine, 0x80, 0x01], /64 bits/);
  assertMalformed(decodePutRequest, [0xf8, 0x07, ...nine, 0x80, 0x00], /64 bits/);
  assert.equal(decodePutRequest(Uint8Array.of(0x18, ...nine, 0x01)).lease, -(2n ** 63n));
});

test("field numbers 0 and above 2^29 - 1 are malformed", () => {
  assertMalformed(decodePutRequest, [0x00, 0], /field number/);
  assertMalformed(decodePutRequest, [0x02, 0], /field number/);
  assertMalformed(decodePutRequest, [0x80, 0x80, 0x80, 0x80, 0x10, 0], /field number/);
  assertMalformed(decodePutRequest, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], /field number/);
  // 2^29 - 1 itself is a field like any other.
  assert.deepStrictEqual(decodePutRequest(Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x0f, 1)), createPutRequest());
});

test("wire types 6 and 7 are malformed", () => {
  assertMalformed(decodePutRequest, [0x0e, 0], /wire type/);
  assertMalformed(decodePutRequest, [0xff, 0x07, 0], /wire type/);
});

test("a group has to end, with its own number", () => {
  assertMalformed(decodePutRequest, [0x0c], /not begun/);
  assertMalformed(decodePutRequest, [0xfb, 0x07], beyondEnd);
  assertMalformed(decodePutRequest, [0xfb, 0x07, 0x0c], /not begun/);
});

test("text has to be UTF-8", () => {
  const invalid = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]];
  for (const bytes of invalid) {
    assertMalformed(decodeAuthenticateRequest, [0x0a, bytes.length, ...bytes], /UTF-8/);
    assertMalformed(decodeHealthListResponse, [0x0a, bytes.length + 2, 0x0a, bytes.length, ...bytes], /UTF-8/);
  }
  // A byte order mark is text.
  assert.equal(decodeAuthenticateRequest(Uint8Array.of(0x0a, 3, 0xef, 0xbb, 0xbf)).name, "\ufeff");
});

/** A transaction with `levels` messages nested inside it. */
function nestedTransaction(levels: number): Uint8Array {
  let bytes = new Uint8Array();
  for (let level = levels; level > 0; level--) {
    const writer = new Writer();
    // Odd levels are operations inside a transaction (field 2), even ones transactions inside an operation (field 4).
    writer.bytesField(level % 2 === 1 ? 0x12 : 0x22, bytes);
    bytes = new Uint8Array(writer.view());
  }
  return bytes;
}

test("messages nested deeper than the limit are malformed", () => {
  assert.ok(isDecodable(decodeTxnRequest, nestedTransaction(messageDepthMax)));
  assertMalformed(decodeTxnRequest, [...nestedTransaction(messageDepthMax + 1)], /levels deep/);
  assertMalformed(decodeTxnRequest, [...nestedTransaction(10_000)], /levels deep/);
});

test("the levels of one operation do not count for the next", () => {
  const writer = new Writer();
  for (let count = 0; count < 3; count++) writer.raw(nestedTransaction(messageDepthMax));
  assert.ok(isDecodable(decodeTxnRequest, writer.view()));
});

test("groups nested deeper than the limit are malformed", () => {
  const groups = (levels: number) => [...new Array(levels).fill(0xf3), ...new Array(levels).fill(0xf4)];
  const twoByteTags = (tags: number[]) => tags.flatMap((tag) => [tag, 0x07]);
  assert.ok(isDecodable(decodePutRequest, Uint8Array.from(twoByteTags(groups(messageDepthMax)))));
  const oneAfterAnother = new Array(messageDepthMax + 1).fill(groups(1)).flat();
  assert.ok(isDecodable(decodePutRequest, Uint8Array.from(twoByteTags(oneAfterAnother))));
  assertMalformed(decodePutRequest, twoByteTags(groups(messageDepthMax + 1)), /levels deep/);
  assertMalformed(decodePutRequest, twoByteTags(groups(100_000)), /levels deep/);
});

test("after a failure the next message is read as if nothing had happened", () => {
  assertMalformed(decodeTxnRequest, [...nestedTransaction(messageDepthMax + 1)], /levels deep/);
  assert.ok(isDecodable(decodeTxnRequest, nestedTransaction(messageDepthMax)));
});

test("a message cut at any byte decodes exactly when the cut falls between two fields", () => {
  const fields = [
    { key: byteStringFromText("some key") },
    { value: new Uint8Array(200) },
    { lease: 2n ** 62n },
    { prevKv: true },
  ];
  const parts = fields.map((field) => encodePutRequest(createPutRequest(field)));
  const whole = Buffer.concat(parts);
  const boundaries = new Set([0, ...parts.map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length)]);
  for (let end = 0; end <= whole.length; end++) {
    assert.equal(isDecodable(decodePutRequest, whole.subarray(0, end)), boundaries.has(end), `cut at ${end}`);
  }
});

test("any message of any type, cut at any byte, decodes or is malformed", () => {
  for (const codec of messageCodecs.values()) {
    fc.assert(
      fc.property(messageArbitrary(codec, 1), (message) => {
        const bytes = codec.encode(message);
        for (let end = 0; end < bytes.length; end++) isDecodable(codec.decode, bytes.subarray(0, end));
      }),
      { numRuns: 5 },
    );
  }
});

test("random bytes decode or are malformed, for every type", () => {
  for (const codec of messageCodecs.values()) {
    const check = fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void isDecodable(codec.decode, bytes));
    fc.assert(check, { numRuns: 300 });
  }
});

test("damaged messages decode or are malformed, for every type", () => {
  for (const codec of messageCodecs.values()) {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    const check = fc.property(messageArbitrary(codec), damage, (message, changes) => {
      const bytes = codec.encode(message);
      if (bytes.length === 0) return;
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      isDecodable(codec.decode, bytes);
    });
    fc.assert(check, { numRuns: 50 });
  }
});

test("a range that does not lie in the bytes is the caller's mistake", () => {
  for (const [start, end] of [
    [-1, 2],
    [0, 5],
    [3, 2],
  ]) {
    assert.throws(() => decodePutRequest(new Uint8Array(4), start, end), RangeError);
  }
});

test("a malformed message is told to clients as a Go server tells it", () => {
  const error = new MalformedMessageError("reason");
  assert.deepEqual(malformedUnaryRequest(error), { code: 13, message: "grpc: error unmarshalling request: reason" });
  assert.deepEqual(malformedStreamMessage(error), {
    code: 13,
    message: "grpc: failed to unmarshal the received message: reason",
  });
});
