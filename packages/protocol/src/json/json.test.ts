/**
 * The JSON mapping of etcd-v3-wire.md 4.2. Cases marked "as etcd" were put to etcd 3.7.1 and are answered alike.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ByteString, byteStringFromBytes, byteStringFromText } from "../byte-string.js";
import {
  createCompare,
  createHashKVResponse,
  createHealthListResponse,
  createLeaseGrantResponse,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createResponseOp,
  createStatusResponse,
  createWatchResponse,
  messageCodecs,
  type PutRequest,
  putRequestCodec,
  type TxnRequest,
} from "../generated/index.js";
import { jsonDepthMax, jsonItemsMax, messageDepthMax } from "../limits.js";
import type { MessageCodec } from "../runtime/descriptors.js";
import { messageArbitrary } from "../testing/arbitraries.test.support.js";
import { referenceJson } from "../testing/reference-codec.test.support.js";
import { JsonError } from "./json-error.js";
import { JsonMessages, messageFromJson } from "./read-message.js";
import { messageToJson } from "./write-message.js";

function codecOf(typeName: string): MessageCodec<unknown> {
  const codec = messageCodecs.get(typeName);
  assert.ok(codec, typeName);
  return codec;
}

const put = codecOf("etcdserverpb.PutRequest");
const range = codecOf("etcdserverpb.RangeRequest");
const txn = codecOf("etcdserverpb.TxnRequest");
const compare = codecOf("etcdserverpb.Compare");
const grant = codecOf("etcdserverpb.LeaseGrantRequest");
const watchCreate = codecOf("etcdserverpb.WatchCreateRequest");
const healthList = codecOf("grpc.health.v1.HealthListResponse");

/** What JSON is read as, for comparisons. */
function read(codec: MessageCodec<unknown>, text: string): unknown {
  return messageFromJson(codec, text);
}

function assertRefused(codec: MessageCodec<unknown>, text: string, detail: RegExp): void {
  assert.throws(
    () => messageFromJson(codec, text),
    (error) => error instanceof JsonError && detail.test(error.message),
    text,
  );
}

test("every message comes back from JSON as it was, and is what protobufjs makes of it", () => {
  for (const codec of messageCodecs.values()) {
    const property = fc.property(messageArbitrary(codec), (message) => {
      const json = messageToJson(codec, message);
      assert.deepStrictEqual(messageFromJson(codec, json), message);
      const wide = JSON.stringify(JSON.parse(json), undefined, "\t").replaceAll("\n", "\r\n ");
      assert.deepStrictEqual(messageFromJson(codec, wide), message);
      assert.deepEqual(JSON.parse(json), referenceJson(codec, codec.encode(message)));
    });
    fc.assert(property, { numRuns: 50 });
  }
});

test("output: names as in the .proto file, 64 bits as strings, bytes as base64, defaults left out", () => {
  const status = createStatusResponse({ version: "3.7.1", dbSize: 5, leader: 2n ** 64n - 1n, isLearner: false });
  assert.equal(
    messageToJson(codecOf("etcdserverpb.StatusResponse"), status),
    '{"version":"3.7.1","dbSize":"5","leader":"18446744073709551615"}',
  );
  const granted = createLeaseGrantResponse({ id: -(2n ** 63n), ttl: 2 ** 63 });
  assert.equal(
    messageToJson(codecOf("etcdserverpb.LeaseGrantResponse"), granted),
    '{"ID":"-9223372036854775808","TTL":"9223372036854775807"}',
  );
  assert.equal(
    messageToJson(codecOf("etcdserverpb.HashKVResponse"), createHashKVResponse({ hash: 7, compactRevision: -1 })),
    '{"hash":7,"compact_revision":"-1"}',
  );
  const request = createPutRequest({ key: "\u00ff\u00ee" as ByteString, value: Uint8Array.of(0xfb, 0xff) });
  assert.equal(messageToJson(putRequestCodec, request), '{"key":"/+4=","value":"+/8="}');
});

test("output: a zero in an arm of a oneof that is set appears, an empty message is {}, a number without a name stays", () => {
  const version = createCompare({ version: 0, key: byteStringFromText("k") });
  assert.equal(messageToJson(compare, version), '{"key":"aw==","version":"0"}');
  assert.equal(messageToJson(compare, createCompare({ value: new Uint8Array(0) })), '{"value":""}');
  const op = createResponseOp({ responsePut: codecOf("etcdserverpb.PutResponse").create() as never });
  assert.equal(messageToJson(codecOf("etcdserverpb.ResponseOp"), op), '{"response_put":{}}');
  assert.equal(
    messageToJson(range, createRangeRequest({ sortOrder: 77, sortTarget: 1 })),
    '{"sort_order":77,"sort_target":"VERSION"}',
  );
  const cancelled = createWatchResponse({ watchId: -1n, cancelReason: 'a "<&>"\n\u0001é' });
  assert.equal(
    messageToJson(codecOf("etcdserverpb.WatchResponse"), cancelled),
    '{"watch_id":"-1","cancel_reason":"a \\"<&>\\"\\n\\u0001é"}',
  );
});

test("maps are objects, in the order of their keys", () => {
  const list = createHealthListResponse({
    statuses: new Map([
      ["b", { status: 1 }],
      ["", { status: 0 }],
    ]),
  });
  const json = '{"statuses":{"":{},"b":{"status":"SERVING"}}}';
  assert.equal(messageToJson(healthList, list), json);
  assert.deepStrictEqual(read(healthList, json), list);
  assertRefused(healthList, '{"statuses":{"a":{},"a":{}}}', /duplicate map key "a"/);
  assertRefused(healthList, '{"statuses":{"a":null}}', /unexpected token null/);
  assertRefused(healthList, '{"statuses":[]}', /unexpected token \[/);
});

test("input: both names of a field, but only one of them, and only once; as etcd", () => {
  const expected = createPutRequest({ prevKv: true });
  for (const text of ['{"prev_kv":true}', '{"prevKv":true}', '{"prev\\u005fkv":true}']) {
    assert.deepStrictEqual(messageFromJson(putRequestCodec, text), expected);
  }
  assertRefused(put, '{"prev_kv":true,"prevKv":true}', /^proto: \(line 1:17\): duplicate field "prevKv"$/);
  assertRefused(put, '{"key":"Zm9v",\n"key":null}', /^proto: \(line 2:1\): duplicate field "key"$/);
  assertRefused(put, '{"key":null,"key":"Zm9v"}', /duplicate field "key"/);
});

test("input: unknown members of any kind are passed over, also several of one name; as etcd", () => {
  const extras = '"x":{"a":[1,{"b":null}],"a":-1.5e+7},"x":[],"":"\\u00e9","KEY":true,"@type":false,"[e]":{}';
  assert.deepStrictEqual(read(put, `{${extras},"key":"aw=="}`), createPutRequest({ key: byteStringFromText("k") }));
});

test("input: null and absence are the default; as etcd", () => {
  for (const text of ["", " \t\r\n", "{}", '{"key":null,"lease":null,"prev_kv":null}']) {
    assert.deepStrictEqual(read(put, text), createPutRequest());
  }
  assert.deepStrictEqual(read(txn, '{"compare":null,"success":[]}'), txn.create());
  assertRefused(txn, '{"success":[null]}', /^proto: syntax error \(line 1:13\): unexpected token null$/);
});

test("input: base64 of either alphabet, padded or not; as etcd", () => {
  const good: [string, string][] = [
    ["Zm8", "fo"],
    ["Zm8=", "fo"],
    ["Zm9v", "foo"],
    ["-_-_", "\u00fb\u00ff\u00bf"],
    ["+/+/", "\u00fb\u00ff\u00bf"],
    ["Zm9v\\n", "foo"],
    ["Zm9", "fo"],
    ["Zn==", "f"],
    ["Zm\\u00394", "fox"],
    ["", ""],
  ];
  for (const [text, key] of good) assert.equal((read(put, `{"key":"${text}"}`) as PutRequest).key, key, text);
  const bad = ["Zm8==", "Zm9v=", "Z", "-/+_", "Zm 9v", "Zm9*", "=Zm9v", "Zm=v", "Zm9vZg=\\n=", "Zm\\n\\n", "====", "é"];
  for (const text of bad)
    assertRefused(put, `{"key":"${text}"}`, /^proto: \(line 1:8\): invalid value for bytes field key: "/);
  for (const text of ["123", "[]", "true", "{}"])
    assertRefused(put, `{"key":${text}}`, /invalid value for bytes field key/);
});

test("input: integers keep every digit, as number or string, also with fraction and exponent; as etcd", () => {
  const good: [string, bigint][] = [
    ["9223372036854775807", 2n ** 63n - 1n],
    ['"-9223372036854775808"', -(2n ** 63n)],
    ["9223372036854775806.0", 2n ** 63n - 2n],
    ['"92233720368547758.05e2"', 2n ** 63n - 3n],
    ["0.1e1", 1n],
    ["10e-1", 1n],
    ["1e0000000000000000000001", 10n],
    ["0e99999999999", 0n],
    ['"1e2"', 100n],
    ["-0", 0n],
    ['"0.0"', 0n],
    ['"\\u0030"', 0n],
    ["9007199254740993", 9007199254740993n],
  ];
  for (const [text, id] of good) assert.equal((read(grant, `{"ID":${text}}`) as { id: bigint }).id, id, text);
  const bad = ['""', '" 0"', '"0 "', '"+0"', "1e400", '"00"', '"0x0"', "true", "{}", "1.5", '"1.5"', "1e-1", '"NaN"'];
  const outside = ["9223372036854775808", '"9223372036854775808"', "-9223372036854775809", "1e99999999999999999999"];
  for (const text of [...bad, ...outside])
    assertRefused(grant, `{"ID":${text}}`, /^proto: \(line 1:7\): invalid value for int64 field ID: /);
  assert.ok(Object.is((read(range, '{"limit":-0}') as { limit: number }).limit, 0));
});

test("input: 32 bits have their own range", () => {
  const hash = codecOf("etcdserverpb.HashKVResponse");
  assert.deepStrictEqual(read(hash, '{"hash":"4294967295"}'), createHashKVResponse({ hash: 4294967295 }));
  for (const text of ["4294967296", "-1"]) assertRefused(hash, `{"hash":${text}}`, /uint32 field hash/);
});

test("input: enums by name or number; unknown names are passed over; as etcd", () => {
  const good: [string, number][] = [
    ['"DESCEND"', 2],
    ["2", 2],
    ["1.0", 1],
    ["77", 77],
    ["-1", -1],
    ['"descend"', 0],
    ['"2"', 0],
    ['""', 0],
    ["null", 0],
    ['"toString"', 0],
  ];
  for (const [text, order] of good) {
    assert.deepStrictEqual(read(range, `{"sort_order":${text}}`), createRangeRequest({ sortOrder: order }), text);
  }
  for (const text of ["1.5", "true", "9999999999"])
    assertRefused(range, `{"sort_order":${text}}`, /enum field sortOrder/);
  assert.deepStrictEqual(
    (read(watchCreate, '{"filters":["NODELETE","BOGUS",0]}') as { filters: number[] }).filters,
    [1, 0],
  );
});

test("input: booleans and strings are nothing else; as etcd", () => {
  for (const text of ['"true"', "1", "0", "[]"])
    assertRefused(range, `{"serializable":${text}}`, /invalid value for bool field serializable/);
  const userAdd = codecOf("etcdserverpb.AuthUserAddRequest");
  assertRefused(userAdd, '{"name":1}', /^proto: \(line 1:9\): invalid value for string field name: 1$/);
  assert.equal((read(userAdd, '{"name":"\\ud83d\\ude00\\u0000/\\/"}') as { name: string }).name, "\u{1f600}\u0000//");
  for (const text of ["\\ud800", "\\ude00\\ud83d", "\\x", "\\u12g4", "\t", "\\"])
    assert.throws(() => read(userAdd, `{"name":"${text}"}`), JsonError);
});

test("input: one arm of a oneof; null is none; as etcd", () => {
  const op = codecOf("etcdserverpb.RequestOp");
  assertRefused(
    op,
    '{"request_put":{},"request_range":{}}',
    /error parsing "request_range", oneof etcdserverpb.RequestOp.request is already set/,
  );
  assertRefused(compare, '{"version":0,"value":""}', /oneof etcdserverpb.Compare.target_union is already set/);
  assertRefused(compare, '{"version":0,"version":0}', /duplicate field "version"/);
  assert.deepStrictEqual(read(compare, '{"version":"0","lease":null}'), createCompare({ version: 0 }));
  const range0 = createRequestOp({ requestRange: createRangeRequest() });
  assert.deepStrictEqual(read(op, '{"request_put":null,"request_range":{}}'), range0);
});

test("what is no JSON is refused in the words of Go's parser; as etcd", () => {
  const cases: [string, RegExp][] = [
    ['{"key":', /^unexpected EOF$/],
    ['{"key":"Zm9', /^unexpected EOF$/],
    ['{"key":"Zm9v"', /^unexpected EOF$/],
    ["[]", /^proto: syntax error \(line 1:1\): unexpected token \[$/],
    ["null", /^proto: syntax error \(line 1:1\): unexpected token null$/],
    ['"x"', /^proto: syntax error \(line 1:1\): unexpected token "x"$/],
    ["true", /unexpected token true$/],
    ["nul", /^unexpected EOF$/],
    ['{"key":"Zm9v",}', /^invalid character '}' looking for beginning of object key string$/],
    ["{'key':1}", /^invalid character '\\'' looking for beginning of object key string$/],
    ['{"key" "Zm9v"}', /^invalid character '"' after object key$/],
    ['{"key":"Zm9v" "x"}', /^invalid character '"' after object key:value pair$/],
    ['{"x":01}', /^invalid character '1' after object key:value pair$/],
    ['{"x":1.}', /^invalid character '.' after object key:value pair$/],
    ['{"x":-}', /^invalid character '}' in numeric literal$/],
    ['{"x":+1}', /^invalid character '\+' looking for beginning of value$/],
    ['{"x":NaN}', /^invalid character 'N' looking for beginning of value$/],
    ['{"x":[1,]}', /^invalid character ']' looking for beginning of value$/],
    ['{"x":[1}', /^invalid character '}' after array element$/],
    ['{"x":[1 2]}', /^invalid character '2' after array element$/],
    ['{"x":{"a":1]}', /^invalid character ']' after object key:value pair$/],
    ["\ufeff{}", /looking for beginning of value$/],
    ["}", /looking for beginning of value$/],
    ["/* c */{}", /^invalid character '\/' looking for beginning of value$/],
    ['{"x":"\t"}', /^invalid character '\\t' in string literal$/],
    ['{"x":tru}', /^invalid character '}' in literal true$/],
  ];
  for (const [text, detail] of cases) assertRefused(put, text, detail);
});

test("only the first value is read; as etcd", () => {
  for (const rest of [" garbage", "}", ',{"key":1}', '{"key":1}']) {
    assert.deepStrictEqual(
      read(put, `{"key":"aw=="}${rest}`),
      createPutRequest({ key: byteStringFromText("k") }),
      rest,
    );
  }
});

test("messages in sequence are read one by one, up to what is none; as etcd", () => {
  const messages = new JsonMessages(putRequestCodec, ' {"lease":1}{"lease":"2"}\n\n{ } ,{}');
  assert.deepEqual(
    [1, 2, 3].map(() => messages.next()?.lease),
    [1n, 2n, 0n],
  );
  assert.throws(() => messages.next(), JsonError);
  const whole = new JsonMessages(putRequestCodec, "{}\n");
  assert.deepStrictEqual(whole.next(), createPutRequest());
  assert.equal(whole.next(), undefined);
  assert.equal(whole.next(), undefined);
});

test("depth: values that nobody wants may be as deep as etcd has them, messages as deep as in the binary form", () => {
  const nested = (depth: number): string => `{"x":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  assert.deepStrictEqual(read(put, nested(jsonDepthMax)), createPutRequest());
  assertRefused(put, nested(jsonDepthMax + 1), /exceeded max depth/);
  assertRefused(put, "[".repeat(1_000_000), /exceeded max depth/);
  const transaction = (depth: number): string =>
    depth === 0 ? "{}" : `{"success":[{"request_txn":${transaction(depth - 1)}}]}`;
  const deepest = (messageDepthMax - 2) / 2;
  const message = read(txn, transaction(deepest));
  assert.deepStrictEqual(txn.decode(txn.encode(message)), message);
  assertRefused(txn, transaction(deepest + 1), /exceeded max depth/);
});

test("F44, LIMIT jsonItemsMax: a value has at most so many members and elements, wanted or not; each value in sequence has its own", () => {
  const list = (elements: number): string => `{"compare":[${Array(elements).fill("{}").join()}]}`;
  assert.equal((read(txn, list(jsonItemsMax - 1)) as TxnRequest).compare.length, jsonItemsMax - 1);
  assertRefused(txn, list(jsonItemsMax), /more than 65536 members and elements/);
  assertRefused(
    txn,
    `{"success":[${Array(jsonItemsMax / 2 + 1)
      .fill('{"request_put":{}}')
      .join()}]}`,
    /more than 65536/,
  );
  assertRefused(txn, `{"x":[${Array(jsonItemsMax).fill("0").join()}]}`, /more than 65536/);
  assertRefused(
    txn,
    `{${Array(jsonItemsMax + 1)
      .fill('"x":0')
      .join()}}`,
    /more than 65536/,
  );
  const values = new JsonMessages(txn, list(jsonItemsMax - 1).repeat(2));
  assert.ok(values.next());
  assert.equal(values.position, list(jsonItemsMax - 1).length);
  assert.ok(values.next());
  assert.equal(values.next(), undefined);
});

test("an error tells its line and its place there", () => {
  assertRefused(put, '{"key":1}', /\(line 1:8\)/);
  assertRefused(put, `${"\n".repeat(1_000_000)}{"key":1}`, /\(line 1000001:8\)/);
  assertRefused(put, '\r\n{\n "key":\n\n 1}', /\(line 5:2\)/);
});

test("output: bytes of any length are base64, whether they are held as text or as bytes", () => {
  for (const length of [0, 1, 2, 3, 4, 62, 63, 64, 65, 100, 20_000]) {
    const value = Buffer.from(Array.from({ length }, (_, at) => (at * 7 + 251) % 256));
    const message = createPutRequest({ key: byteStringFromBytes(value), value });
    const json = JSON.parse(messageToJson(putRequestCodec, message));
    const expected = length === 0 ? {} : { key: value.toString("base64"), value: value.toString("base64") };
    assert.deepEqual(json, expected, String(length));
  }
});

test("an error repeats no more of a value than can be read", () => {
  assert.throws(
    () => read(range, `{"limit":"${"9".repeat(100_000)}"}`),
    (error: Error) => error.message.length < 200,
  );
  assert.throws(
    () => read(range, `{"limit":${"9".repeat(100_000)}}`),
    (error: Error) => error.message.length < 200,
  );
});

test("time grows with the length of the text only, whatever it is", () => {
  const length = 1_000_000;
  const texts = [
    `{"ID":1${"0".repeat(length)}1}`,
    `{"ID":0.${"01".repeat(length / 2)}e-1}`,
    `{"ID":"${"=".repeat(length)}"}`,
    `{"x":"${"\\n".repeat(length / 2)}"}`,
    `{"x":"${"\\".repeat(length)}"}`,
    " ".repeat(length),
    `{${'"x":1,'.repeat(length / 6)}"x":1}`,
  ];
  for (const text of texts) assertJsonErrorOrMessage(grant, text);
  assertJsonErrorOrMessage(put, `{"key":"${"A".repeat(length)}*"}`);
  assertJsonErrorOrMessage(put, `{"key":"${"A".repeat(length)}=-="}`);
});

function assertJsonErrorOrMessage(codec: MessageCodec<unknown>, text: string): void {
  try {
    messageFromJson(codec, text);
  } catch (error) {
    assert.ok(error instanceof JsonError, String(error));
  }
}

test("broken JSON of every message is read or refused, never anything else", () => {
  const piece = fc.constantFrom(
    "",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "null",
    "1e9",
    "-",
    "\\ud800",
    "\u0000",
    "é",
  );
  for (const codec of messageCodecs.values()) {
    const property = fc.property(
      messageArbitrary(codec),
      fc.nat(),
      fc.nat({ max: 5 }),
      piece,
      (message, at, cut, inserted) => {
        const json = messageToJson(codec, message);
        const start = at % (json.length + 1);
        assertJsonErrorOrMessage(codec, json.slice(0, start) + inserted + json.slice(start + cut));
      },
    );
    fc.assert(property, { numRuns: 100 });
  }
});

test("JSON of any shape is read or refused by every message, and passed over where nobody wants it", () => {
  const texts = fc.oneof(fc.json(), fc.string({ unit: "grapheme" }));
  for (const codec of [put, txn, range, healthList]) {
    fc.assert(fc.property(texts, (text) => assertJsonErrorOrMessage(codec, text)));
  }
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepStrictEqual(read(put, `{"nobody's":${text},"lease":5}`), createPutRequest({ lease: 5n }));
    }),
  );
});
