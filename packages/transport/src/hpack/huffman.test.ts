import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { huffmanDecode, huffmanDecodedBytesMax, huffmanEncode, huffmanEncodedBytes } from "./huffman.js";
import { HUFFMAN_CODE_LENGTHS } from "./huffman-code-lengths.js";
import { HpackError } from "./index.js";
import { hex, octets } from "./test-kit.js";

function encode(text: string): Uint8Array {
  const target = new Uint8Array(huffmanEncodedBytes(text));
  assert.equal(huffmanEncode(text, target, 0), target.length);
  return target;
}

function decode(coded: Uint8Array): string {
  const target = Buffer.alloc(huffmanDecodedBytesMax(coded.length));
  return target.toString("latin1", 0, huffmanDecode(coded, 0, coded.length, target));
}

function failure(coded: Uint8Array): string {
  try {
    return `decoded ${decode(coded)}`;
  } catch (error) {
    return error instanceof HpackError ? error.code : String(error);
  }
}

test("RFC 7541 Appendix B: the code lengths fill the code space exactly", () => {
  assert.equal(HUFFMAN_CODE_LENGTHS.length, 257);
  assert.equal(
    HUFFMAN_CODE_LENGTHS.reduce((sum, bits) => sum + 2 ** -bits, 0),
    1,
  );
});

test("RFC 7541 Appendix B: codes of chosen symbols, padded with ones", () => {
  const cases: readonly [number, string][] = [
    [0x00, "ffc7"], // 13 bits 1ff8
    [0x01, "ffffb1"], // 23 bits 7fffd8
    [0x0a, "fffffff3"], // 30 bits 3ffffffc
    [0x16, "fffffffb"], // 30 bits 3ffffffe
    [0x20, "53"], // 6 bits 14
    [0x30, "07"], // 5 bits 0
    [0x5c, "fffe1f"], // 19 bits 7fff0
    [0x61, "1f"], // 5 bits 3
    [0x7a, "f7"], // 7 bits 7b
    [0x7f, "ffffffcf"], // 28 bits ffffffc
    [0x80, "fffe6f"], // 20 bits fffe6
    [0xf9, "ffffffef"], // 28 bits ffffffe
    [0xff, "fffffbbf"], // 26 bits 3ffffee
  ];
  for (const [symbol, coded] of cases) assert.equal(hex(encode(String.fromCharCode(symbol))), coded, `${symbol}`);
});

test("RFC 7541 5.2: every text of octets survives coding", () => {
  const text = fc.array(fc.integer({ min: 0, max: 255 })).map((chars) => String.fromCharCode(...chars));
  fc.assert(
    fc.property(text, (original) => {
      assert.equal(decode(encode(original)), original);
    }),
  );
});

test("RFC 7541 5.2: every pair of symbols survives coding, at any alignment", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const original = String.fromCharCode(first, second);
      assert.equal(decode(encode(original)), original);
    }
  }
});

test("RFC 7541 5.2: padding of more than seven bits is an error", () => {
  assert.equal(failure(octets("ff")), "huffman-padding");
  assert.equal(failure(octets("07ff")), "huffman-padding");
  assert.equal(failure(octets("07ffff")), "huffman-padding");
});

test("RFC 7541 5.2: padding with other bits than ones is an error", () => {
  assert.equal(failure(octets("00")), "huffman-padding"); // '0', then 000
  assert.equal(failure(octets("06")), "huffman-padding"); // '0', then 110
});

test("RFC 7541 5.2: the EOS symbol is an error wherever it stands", () => {
  assert.equal(failure(octets("ffffffff")), "huffman-eos");
  assert.equal(failure(octets("07ffffffff")), "huffman-eos");
  assert.equal(failure(octets("fffffffc07")), "huffman-eos");
});

test("every coded string that is accepted is the one coding of its text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (coded) => {
      const outcome = failure(coded);
      if (outcome.startsWith("decoded ")) assert.equal(hex(encode(outcome.slice(8))), hex(coded));
      else assert.match(outcome, /^huffman-(eos|padding)$/);
    }),
    { numRuns: 2000 },
  );
});

test("a char that is no octet is refused", () => {
  assert.throws(() => huffmanEncodedBytes("a\u0100"), RangeError);
});
