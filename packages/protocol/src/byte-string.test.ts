/**
 * Byte strings: every byte, byte order, and the way to text and back.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteStringFromBytes, byteStringFromText, bytesFromByteString, textFromByteString } from "./byte-string.js";

test("a byte string holds every sequence of bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual([...bytesFromByteString(byteStringFromBytes(bytes))], [...bytes]);
    }),
  );
});

test("byte strings compare as their bytes do", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (left, right) => {
      const [a, b] = [byteStringFromBytes(left), byteStringFromBytes(right)];
      assert.equal(a < b ? -1 : a > b ? 1 : 0, Buffer.compare(left, right));
    }),
  );
});

test("text goes in as UTF-8 and comes out again", () => {
  assert.equal(byteStringFromText("é").length, 2);
  assert.equal(textFromByteString(byteStringFromText("ключ/é")), "ключ/é");
  assert.equal(textFromByteString(byteStringFromBytes(Uint8Array.of(0xff))), "\ufffd");
});

test("a view into a larger buffer becomes only its own bytes", () => {
  assert.equal(byteStringFromBytes(Buffer.from("abcdef").subarray(2, 4)), "cd");
});
