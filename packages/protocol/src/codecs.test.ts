/**
 * All generated codecs: round trips, agreement with an independent implementation, and the rules of proto3.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteStringFromText } from "./byte-string.js";
import {
  createCompare,
  createKeyValue,
  createPutRequest,
  createRangeRequest,
  createRangeResponse,
  createRequestOp,
  createResponseHeader,
  createTxnRequest,
  createWatchCreateRequest,
  createWatchResponse,
  decodeCompare,
  decodeHealthListResponse,
  decodeLeaseGrantRequest,
  decodePutRequest,
  decodePutResponse,
  decodeRangeRequest,
  decodeRangeStreamResponse,
  decodeRequestOp,
  decodeWatchCreateRequest,
  decodeWatchResponse,
  encodeCompare,
  encodeEvent,
  encodeHealthCheckResponse,
  encodeKeyValue,
  encodePutRequest,
  encodeRangeRequest,
  encodeRangeResponse,
  encodeRequestOp,
  encodeResponseHeader,
  encodeSharedPutRequest,
  encodeWatchCreateRequest,
  messageCodecs,
  ServingStatus,
  SortOrder,
  writeWatchResponse,
} from "./generated/index.js";
import type { MessageCodec } from "./runtime/descriptors.js";
import { fieldTag, WireType } from "./runtime/wire-format.js";
import { Writer } from "./runtime/writer.js";
import { messageArbitrary } from "./testing/arbitraries.test.support.js";
import { referenceDecode, referenceEncode, referenceTypeNames } from "./testing/reference-codec.test.support.js";

const runsPerType = 60;

function forEveryType(check: (codec: MessageCodec<unknown>, message: unknown) => void): void {
  for (const codec of messageCodecs.values()) {
    fc.assert(
      fc.property(messageArbitrary(codec), (message) => check(codec, message)),
      { numRuns: runsPerType },
    );
  }
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

test("every message type of the .proto files has a codec", () => {
  assert.deepEqual([...messageCodecs.keys()].sort(), referenceTypeNames());
});

test("every message survives encoding and decoding", () => {
  forEveryType((codec, message) => {
    assert.deepStrictEqual(codec.decode(codec.encode(message)), message);
  });
});

test("an independent decoder reads every message as it was", () => {
  forEveryType((codec, message) => {
    assert.deepStrictEqual(referenceDecode(codec, codec.encode(message)), message);
  });
});

test("every message of an independent encoder, explicit defaults included, is read as it was", () => {
  forEveryType((codec, message) => {
    assert.deepStrictEqual(codec.decode(referenceEncode(codec, message)), message);
  });
});

test("the shared and the own encoding are the same bytes", () => {
  forEveryType((codec, message) => {
    const own = codec.encode(message);
    assert.deepEqual(Buffer.from(codec.encodeShared(message)), Buffer.from(own));
    const writer = new Writer(1);
    codec.write(writer, message);
    assert.deepEqual(Buffer.from(writer.view()), Buffer.from(own));
  });
});

test("a message is read from the middle of a larger buffer", () => {
  forEveryType((codec, message) => {
    const bytes = codec.encode(message);
    const framed = Buffer.concat([Buffer.of(0xff, 0xff, 0xff), bytes, Buffer.of(0xff, 0xff)]);
    assert.deepStrictEqual(codec.decode(framed, 3, 3 + bytes.length), message);
    assert.deepStrictEqual(codec.decode(framed.subarray(3, 3 + bytes.length)), message);
  });
});

test("a decoded message shares no memory with its input", () => {
  forEveryType((codec, message) => {
    const bytes = codec.encode(message);
    const decoded = codec.decode(bytes);
    bytes.fill(0xff);
    assert.deepStrictEqual(decoded, message);
  });
});

test("an encoding of its own outlives the next one; a shared one is overwritten", () => {
  const first = createPutRequest({ key: byteStringFromText("first") });
  const second = createPutRequest({ key: byteStringFromText("other") });
  const own = encodePutRequest(first);
  const shared = encodeSharedPutRequest(first);
  encodePutRequest(second);
  assert.deepStrictEqual(decodePutRequest(own), first);
  assert.deepStrictEqual(decodePutRequest(shared), second);
});

test("proto3: defaults are not encoded", () => {
  for (const codec of messageCodecs.values()) assert.equal(codec.encode(codec.create()).length, 0);
});

test("proto3: an arm of a oneof is encoded even when it holds its default", () => {
  for (const arm of [{ version: 0 }, { lease: 0n }, { value: new Uint8Array() }]) {
    const compare = createCompare(arm);
    assert.equal(encodeCompare(compare).length, 2);
    assert.deepStrictEqual(decodeCompare(encodeCompare(compare)), compare);
  }
});

test("a oneof with several arms set is encoded as its first", () => {
  const both = createCompare({ version: 1, modRevision: 2 });
  assert.deepStrictEqual(decodeCompare(encodeCompare(both)), createCompare({ version: 1 }));
});

test("proto3: the last arm of a oneof wins, also over a message", () => {
  const version = encodeCompare(createCompare({ version: 7 }));
  const lease = encodeCompare(createCompare({ lease: 9n }));
  assert.deepStrictEqual(decodeCompare(concat(version, lease)), createCompare({ lease: 9n }));
  const put = encodeRequestOp(createRequestOp({ requestPut: createPutRequest({ prevKv: true }) }));
  const txn = encodeRequestOp(createRequestOp({ requestTxn: createTxnRequest() }));
  assert.deepStrictEqual(decodeRequestOp(concat(put, txn, put)).requestTxn, undefined);
  assert.deepStrictEqual(decodeRequestOp(concat(put, txn)), createRequestOp({ requestTxn: createTxnRequest() }));
});

test("proto3: repeated occurrences of a oneof arm that is a message are merged", () => {
  const key = createRangeRequest({ key: byteStringFromText("k") });
  const limit = createRangeRequest({ limit: 3 });
  const [first, second] = [key, limit].map((requestRange) => encodeRequestOp(createRequestOp({ requestRange })));
  const merged = createRangeRequest({ key: byteStringFromText("k"), limit: 3 });
  assert.deepStrictEqual(decodeRequestOp(concat(first!, second!)), createRequestOp({ requestRange: merged }));
});

test("proto3: the last occurrence of a scalar wins, an explicit default included", () => {
  const put = encodePutRequest(createPutRequest({ lease: 5n, prevKv: true }));
  const explicitDefaults = Uint8Array.of(0x18, 0, 0x20, 0);
  assert.deepStrictEqual(decodePutRequest(concat(put, explicitDefaults)), createPutRequest());
});

test("proto3: the chunks of a RangeStream, one after the other, are the answer of Range", () => {
  const header = createResponseHeader({ clusterId: 1n, revision: 9 });
  const kvs = ["a", "b", "c"].map((key) => createKeyValue({ key: byteStringFromText(key), version: 1 }));
  const chunks = [
    createRangeResponse({ kvs: kvs.slice(0, 2) }),
    createRangeResponse({ kvs: kvs.slice(2) }),
    createRangeResponse({ header, count: 3, more: true }),
  ];
  const writer = new Writer();
  for (const chunk of chunks) writer.bytesField(fieldTag(1, WireType.lengthDelimited), encodeRangeResponse(chunk));
  assert.deepStrictEqual(decodeRangeStreamResponse(writer.view()), {
    rangeResponse: createRangeResponse({ header, kvs, count: 3, more: true }),
  });
});

test("proto3: an explicit default inside a repeated sub-message overrides the earlier value", () => {
  const writer = new Writer();
  writer.bytesField(10, encodeResponseHeader(createResponseHeader({ clusterId: 3n, revision: 4 })));
  writer.bytesField(10, Uint8Array.of(0x18, 0));
  assert.deepStrictEqual(decodePutResponse(writer.view()).header, createResponseHeader({ clusterId: 3n }));
});

test("proto3: repeated enums are read packed, unpacked and mixed, and written packed", () => {
  const request = createWatchCreateRequest({ filters: [1, 0, 300] });
  assert.deepEqual([...encodeWatchCreateRequest(request)], [0x2a, 4, 1, 0, 0xac, 2]);
  assert.deepStrictEqual(decodeWatchCreateRequest(Uint8Array.of(0x28, 1, 0x28, 0, 0x28, 0xac, 2)), request);
  assert.deepStrictEqual(decodeWatchCreateRequest(Uint8Array.of(0x2a, 1, 1, 0x28, 0, 0x2a, 2, 0xac, 2)), request);
  assert.deepStrictEqual(decodeWatchCreateRequest(Uint8Array.of(0x2a, 0)), createWatchCreateRequest());
});

test("proto3: enums are open; a number without a name is kept", () => {
  const request = createRangeRequest({ sortOrder: 77 });
  assert.deepStrictEqual(decodeRangeRequest(encodeRangeRequest(request)), request);
  const negative = createRangeRequest({ sortOrder: -1 });
  assert.deepStrictEqual(decodeRangeRequest(encodeRangeRequest(negative)), negative);
  assert.equal(SortOrder.DESCEND, 2);
});

test("proto3: unknown fields of every wire type are skipped", () => {
  const put = createPutRequest({ key: byteStringFromText("k"), lease: 1n });
  const unknown = Uint8Array.of(
    ...[0xf8, 0x07, 0xff, 0x01], // field 127, varint
    ...[0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8], // 64 bits
    ...[0xfa, 0x07, 2, 0xff, 0xff], // bytes
    ...[0xfb, 0x07, 0x0a, 1, 0xff, 0x13, 0x14, 0xfc, 0x07], // group with a field and a group inside
    ...[0xfd, 0x07, 1, 2, 3, 4], // 32 bits
  );
  const [first, second] = [createPutRequest({ key: put.key }), createPutRequest({ lease: 1n })].map(encodePutRequest);
  assert.deepStrictEqual(decodePutRequest(concat(unknown, first!, unknown, second!, unknown)), put);
});

test("a known field with another wire type is an unknown field, as for Go's proto.Unmarshal", () => {
  const bytes = Uint8Array.of(
    ...[0x08, 5], // key as a varint
    ...[0x11, 1, 2, 3, 4, 5, 6, 7, 8], // value as 64 bits
    ...[0x1a, 1, 0xff], // lease as bytes
    ...[0x23, 0x24], // prev_kv as a group
    ...[0x2d, 1, 2, 3, 4], // ignore_value as 32 bits
  );
  assert.deepStrictEqual(decodePutRequest(bytes), createPutRequest());
});

test("a tag and a length may be longer varints than they need to be", () => {
  const put = createPutRequest({ key: byteStringFromText("k") });
  assert.deepStrictEqual(decodePutRequest(Uint8Array.of(0x8a, 0x80, 0x00, 0x81, 0x80, 0x00, 0x6b)), put);
});

test("maps: a later entry replaces an earlier one; missing key and value are defaults", () => {
  const serving = encodeHealthCheckResponse({ status: ServingStatus.SERVING });
  const writer = new Writer();
  for (const entry of [Uint8Array.of(), concat(Uint8Array.of(0x0a, 1, 0x61, 0x12, serving.length), serving)]) {
    writer.bytesField(10, entry);
  }
  writer.bytesField(10, Uint8Array.of(0x0a, 1, 0x61));
  const expected = new Map([
    ["", { status: ServingStatus.UNKNOWN }],
    ["a", { status: ServingStatus.UNKNOWN }],
  ]);
  assert.deepStrictEqual(decodeHealthListResponse(writer.view()).statuses, expected);
});

test("64-bit quantities that a double cannot hold are read as the nearest double", () => {
  const max = Uint8Array.of(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
  const min = Uint8Array.of(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01);
  assert.equal(decodeLeaseGrantRequest(max).ttl, 2 ** 63);
  assert.equal(decodeLeaseGrantRequest(min).ttl, -(2 ** 63));
});

test("an encoded event is spliced into a WatchResponse as raw bytes", () => {
  const event = { type: 0, kv: createKeyValue({ key: byteStringFromText("k"), modRevision: 4 }), prevKv: undefined };
  const encoded = new Writer();
  encoded.bytesField(fieldTag(11, WireType.lengthDelimited), encodeEvent(event));
  const response = createWatchResponse({ watchId: 3n });
  const writer = new Writer();
  writeWatchResponse(writer, response);
  writer.raw(encoded.view());
  assert.deepStrictEqual(decodeWatchResponse(writer.view()), createWatchResponse({ watchId: 3n, events: [event] }));
});

test("a sub-message whose size was guessed wrongly is still framed exactly", () => {
  for (let length = 90; length < 140; length++) {
    const kv = createKeyValue({ value: new Uint8Array(length), version: 2 ** 60, lease: -1n, modRevision: -1 });
    const response = createRangeResponse({ kvs: [kv] });
    const kvBytes = encodeKeyValue(kv).length;
    assert.equal(encodeRangeResponse(response).length, 1 + (kvBytes < 128 ? 1 : 2) + kvBytes);
    assert.deepStrictEqual(
      referenceDecode(messageCodecs.get("etcdserverpb.RangeResponse")!, encodeRangeResponse(response)),
      response,
    );
  }
});
