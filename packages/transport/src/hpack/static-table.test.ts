/** RFC 7541 Appendix A. That the rest of the table is right too is proved against another HPACK: node-http2.test.ts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { STATIC_FIELDS, STATIC_LENGTH, STATIC_NAMES } from "./static-table.js";
import { decodeAll, linesOf, newDecoder } from "./test-kit.js";

test("Appendix A: 61 entries, of which 52 names differ", () => {
  assert.equal(STATIC_LENGTH, 61);
  assert.equal(STATIC_NAMES.size, 52);
});

test("Appendix A: entries by index", () => {
  const entries: readonly [number, string][] = [
    [1, ":authority: "],
    [2, ":method: GET"],
    [3, ":method: POST"],
    [4, ":path: /"],
    [5, ":path: /index.html"],
    [6, ":scheme: http"],
    [7, ":scheme: https"],
    [8, ":status: 200"],
    [14, ":status: 500"],
    [15, "accept-charset: "],
    [16, "accept-encoding: gzip, deflate"],
    [19, "accept: "],
    [23, "authorization: "],
    [28, "content-length: "],
    [31, "content-type: "],
    [32, "cookie: "],
    [38, "host: "],
    [54, "server: "],
    [57, "transfer-encoding: "],
    [58, "user-agent: "],
    [61, "www-authenticate: "],
  ];
  for (const [index, line] of entries) {
    assert.deepEqual(linesOf(decodeAll(newDecoder(), Uint8Array.of(0x80 | index))), [line]);
  }
});

test("Appendix A: only the pseudo-header fields and accept-encoding have values", () => {
  const withValue = STATIC_FIELDS.flatMap((field, at) => (field.value === "" ? [] : [at + 1]));
  assert.deepEqual(withValue, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16]);
});

test("looking up by content gives the index by which the entry is found", () => {
  STATIC_FIELDS.forEach((field, at) => {
    assert.equal(STATIC_NAMES.get(field.name)?.values.get(field.value), at + 1);
  });
});
