import assert from "node:assert/strict";
import { test } from "node:test";
import { HpackDecoder } from "../hpack/index.js";
import { block } from "../testing/raw-frames.js";
import { isTrailers, readRequest, readStatus } from "./header-rules.js";

type Fields = [string, string][];

const GET: Fields = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
];

function decode(fields: Fields) {
  const bytes = block(fields);
  return new HpackDecoder({ headerListBytesMax: 16_384, fieldsMax: 64 }).decode(bytes, 0, bytes.length);
}

test("a request is read", () => {
  const request = readRequest(
    decode([...GET, [":authority", "a"], ["content-type", "x/y"], ["content-length", "12"], ["te", "trailers"]]),
  );
  assert.equal(request?.method, "GET");
  assert.equal(request?.path, "/");
  assert.equal(request?.scheme, "http");
  assert.equal(request?.authority, "a");
  assert.equal(request?.contentType, "x/y");
  assert.equal(request?.contentLength, 12);
});

const MALFORMED: Record<string, Fields> = {
  "no method": GET.slice(1),
  "no scheme": [GET[0], GET[2]],
  "no path": GET.slice(0, 2),
  "empty path": [GET[0], GET[1], [":path", ""]],
  "method twice": [GET[0], ...GET],
  "path twice": [...GET, GET[2]],
  "scheme twice": [...GET, GET[1]],
  "authority twice": [...GET, [":authority", "a"], [":authority", "b"]],
  "unknown pseudo-header": [...GET, [":protocol", "x"]],
  "pseudo-header of a response": [...GET, [":status", "200"]],
  "pseudo-header after a field": [["a", "b"], ...GET],
  "pseudo-header at the end": [...GET, ["a", "b"], [":authority", "a"]],
  connection: [...GET, ["connection", "close"]],
  "keep-alive": [...GET, ["keep-alive", "1"]],
  "proxy-connection": [...GET, ["proxy-connection", "x"]],
  "transfer-encoding": [...GET, ["transfer-encoding", "chunked"]],
  upgrade: [...GET, ["upgrade", "h2c"]],
  "te other than trailers": [...GET, ["te", "gzip"]],
  "upper case": [...GET, ["Accept", "x"]],
  "line feed in a value": [...GET, ["a", "b\nc"]],
  "content-length that is no number": [...GET, ["content-length", "-1"]],
  "two content-lengths": [...GET, ["content-length", "1"], ["content-length", "2"]],
  "two hosts": [...GET, ["host", "a"], ["host", "b"]],
  "CONNECT with a path": [
    [":method", "CONNECT"],
    [":authority", "a"],
    [":path", "/"],
  ],
  "CONNECT without authority": [[":method", "CONNECT"]],
};

for (const [what, fields] of Object.entries(MALFORMED)) {
  test(`F42: a request is malformed with ${what}`, () => assert.equal(readRequest(decode(fields)), undefined));
}

test("a response needs :status first, of three digits", () => {
  assert.equal(readStatus(decode([[":status", "204"]])), 204);
  assert.equal(readStatus(decode([["a", "b"]])), undefined);
  assert.equal(readStatus(decode([[":status", "2000"]])), undefined);
  assert.equal(
    readStatus(
      decode([
        [":status", "200"],
        [":status", "200"],
      ]),
    ),
    undefined,
  );
});

test("trailers have no pseudo-headers", () => {
  assert.equal(isTrailers(decode([["grpc-status", "0"]])), true);
  assert.equal(isTrailers(decode([[":status", "200"]])), false);
});
