/** Which octets the encoder chooses. That others understand them is proved in round-trip.test.ts and node-http2.test.ts. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { constantBlock, HeaderBlockWriter, HpackEncoder, RepeatedHeaderBlock } from "./index.js";
import { decodeAll, encodeAll, fieldsOf, hex, linesOf, newDecoder } from "./test-kit.js";

const OK_HEADERS = fieldsOf(":status: 200", "content-type: application/grpc");
const OK_TRAILERS = fieldsOf("grpc-status: 0");

/** The block of one field for an encoder that is new, or has encoded the same before. */
function blockOf(line: string, encoder = new HpackEncoder()): string {
  return hex(encodeAll(encoder, fieldsOf(line)));
}

describe("representations", () => {
  test("RFC 7541 6.1: a field of the static table is one octet", () => {
    assert.equal(blockOf(":method: POST"), "83");
  });

  test("RFC 7541 6.2.1: an ordinary field is inserted once and then one octet", () => {
    const encoder = new HpackEncoder();
    assert.equal(blockOf("x: 0", encoder), "4001780130");
    assert.equal(blockOf("x: 0", encoder), "be");
  });

  test("RFC 7541 6.2.1: another value takes the name from the newest entry", () => {
    const encoder = new HpackEncoder();
    blockOf("x: 0", encoder);
    assert.equal(blockOf("x: 1", encoder), "7e0131");
    assert.equal(blockOf("x: 0", encoder), "bf");
  });

  test("RFC 7541 4.4: evicting one value of a name leaves the others and the name", () => {
    const encoder = new HpackEncoder({ tableBytesMax: 104 }); // Room for three entries of 34.
    for (const value of ["0", "1", "2", "3"]) blockOf(`x: ${value}`, encoder);
    assert.equal(blockOf("x: 1", encoder), "c0");
    assert.equal(blockOf("x: 3", encoder), "be");
    assert.equal(blockOf("x: 0", encoder), "7e0130");
    for (const value of ["4", "5", "6"]) blockOf(`y: ${value}`, encoder);
    assert.equal(blockOf("x: 0", encoder), "4001780130");
  });

  test("RFC 7541 7.1.3: a field that is to be never indexed is a literal even if a table has it", () => {
    const encoder = new HpackEncoder();
    blockOf("x: 0", encoder);
    assert.equal(hex(encodeAll(encoder, fieldsOf("x: 0"), "never")), "1f2f0130");
  });

  for (const name of ["authorization", "proxy-authorization", "cookie", "set-cookie", "token"]) {
    test(`RFC 7541 7.1.3: ${name} is never indexed, however often it is sent`, () => {
      const encoder = new HpackEncoder();
      const first = encodeAll(encoder, fieldsOf(`${name}: secret`));
      assert.equal(first[0] & 0xf0, 0x10);
      assert.equal(blockOf(`${name}: secret`, encoder), hex(first));
    });
  }

  test("RFC 7541 7.1.3: secrets are marked also in a block that is to leave the table alone", () => {
    const encoder = new HpackEncoder();
    const block = (line: string): string => hex(encodeAll(encoder, fieldsOf(line), "none"));
    assert.equal(block("token: 1")[0], "1");
    assert.deepEqual([block("x: 1"), block("x: 1")], ["0001780131", "0001780131"]);
  });

  for (const name of ["grpc-timeout", "grpc-message", "grpc-status-details-bin", "content-length", "traceparent"]) {
    test(`${name} changes with each call and is not indexed`, () => {
      const encoder = new HpackEncoder();
      const first = encodeAll(encoder, fieldsOf(`${name}: 1`));
      assert.equal(first[0] & 0xf0, 0x00);
      assert.equal(blockOf(`${name}: 1`, encoder), hex(first));
    });
  }

  test("a field that would fill more than half of the table is not indexed", () => {
    const encoder = new HpackEncoder({ tableBytesMax: 100 });
    assert.equal(blockOf(`x: ${"0".repeat(17)}`, encoder).slice(0, 10), "3f45400178");
    assert.equal(blockOf(`x: ${"0".repeat(18)}`, encoder).slice(0, 4), "0f2f");
    assert.equal(blockOf(`x: ${"0".repeat(17)}`, encoder), "be");
  });

  test("RFC 7541 5.2: Huffman only where it is shorter", () => {
    assert.equal(blockOf("grpc-timeout: 1"), "00899acac8b24d494f6a7f0131");
    assert.equal(blockOf("content-length: 000"), "0f0d820001");
    assert.equal(blockOf("content-length: \\\\"), "0f0d025c5c");
  });

  test("a long value has its length in several octets, and the buffer grows", () => {
    const value = "\u00ff".repeat(70_000);
    const list = decodeAll(newDecoder(), encodeAll(new HpackEncoder(), fieldsOf(`x: ${value}`)));
    assert.equal(list.get("x"), value);
  });

  test("blocks are appended to what the buffer holds", () => {
    const out = new HeaderBlockWriter();
    const encoder = new HpackEncoder();
    encoder.encode(fieldsOf(":method: GET"), out);
    encoder.encode(fieldsOf(":method: POST"), out);
    assert.equal(hex(out.bytes.subarray(0, out.length)), "8283");
    out.reset();
    assert.equal(out.length, 0);
  });
});

describe("table size", () => {
  test("RFC 7541 4.2: a lower limit of the peer is announced once, in the next block", () => {
    const encoder = new HpackEncoder();
    encoder.setPeerTableBytesMax(100);
    assert.equal(encoder.sizeUpdateDue, true);
    assert.equal(blockOf(":method: GET", encoder), "3f4582");
    assert.equal(encoder.sizeUpdateDue, false);
    assert.equal(blockOf(":method: GET", encoder), "82");
  });

  test("RFC 7541 4.2: lowered and raised between two blocks, both are announced", () => {
    const encoder = new HpackEncoder();
    blockOf("x: 0", encoder);
    encoder.setPeerTableBytesMax(10);
    encoder.setPeerTableBytesMax(0);
    encoder.setPeerTableBytesMax(4096);
    assert.equal(blockOf("x: 0", encoder), "203fe11f4001780130");
  });

  test("a limit at or above the size in use changes nothing", () => {
    const encoder = new HpackEncoder();
    encoder.setPeerTableBytesMax(4096);
    encoder.setPeerTableBytesMax(2 ** 32 - 1);
    assert.equal(blockOf(":method: GET", encoder), "82");
  });

  test("with no table, nothing is inserted", () => {
    const encoder = new HpackEncoder();
    encoder.setPeerTableBytesMax(0);
    assert.equal(blockOf("x: 0", encoder), "200001780130");
    assert.equal(blockOf("x: 0", encoder), "0001780130");
  });

  test("our own bound on memory is announced with the first block", () => {
    const encoder = new HpackEncoder({ tableBytesMax: 100 });
    assert.equal(blockOf(":method: GET", encoder), "3f4582");
  });

  test("more memory is used only after the peer has allowed it", () => {
    const encoder = new HpackEncoder({ tableBytesMax: 65_536 });
    assert.equal(blockOf(":method: GET", encoder), "82");
    encoder.setPeerTableBytesMax(2 ** 32 - 1);
    assert.equal(blockOf(":method: GET", encoder), "3fe1ff0382");
  });
});

describe("chars above 255", () => {
  const bad = fieldsOf("good: 1", "bad: \u0100");

  test("the block is refused and nothing of it is appended", () => {
    const out = new HeaderBlockWriter();
    const encoder = new HpackEncoder();
    encoder.encode(fieldsOf(":method: GET"), out);
    assert.throws(() => encoder.encode(bad, out), RangeError);
    assert.equal(hex(out.copy()), "82");
  });

  test("both ends agree on the table afterwards", () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    const send = (line: string): string[] => linesOf(decodeAll(decoder, encodeAll(encoder, fieldsOf(line))));
    assert.deepEqual(send("before: 1"), ["before: 1"]);
    assert.throws(() => encodeAll(encoder, bad), RangeError);
    assert.deepEqual(send("good: 1"), ["good: 1"]);
    assert.deepEqual(send("before: 1"), ["before: 1"]);
    assert.deepEqual(send("good: 1"), ["good: 1"]);
    assert.equal(decoder.tableLength, 2);
  });

  test("a size update that the refused block would have carried is not lost", () => {
    const encoder = new HpackEncoder();
    encoder.setPeerTableBytesMax(100);
    assert.throws(() => encodeAll(encoder, bad), RangeError);
    assert.equal(blockOf(":method: GET", encoder), "203f4582");
  });
});

describe("prebuilt blocks", () => {
  test("a constant block neither needs nor changes a table", () => {
    const decoder = newDecoder();
    for (const fields of [OK_HEADERS, OK_TRAILERS, fieldsOf("token: secret")]) {
      const block = constantBlock(fields);
      for (let i = 0; i < 2; i++) assert.deepEqual(linesOf(decodeAll(decoder, block)), linesOf(fields));
    }
    assert.equal(decoder.tableLength, 0);
  });

  test("RFC 7541 7.1.3: secrets are marked in constant blocks too", () => {
    assert.equal(constantBlock(fieldsOf("token: secret"))[0], 0x10);
    assert.equal(constantBlock(OK_TRAILERS)[0], 0x00);
  });

  test("a constant block refuses chars above 255", () => {
    assert.throws(() => constantBlock(fieldsOf("x: \u0100")), RangeError);
  });

  test("a repeated block inserts its fields, then takes one octet per field", () => {
    const encoder = new HpackEncoder();
    const headers = new RepeatedHeaderBlock(encoder, OK_HEADERS);
    const trailers = new RepeatedHeaderBlock(encoder, OK_TRAILERS);
    assert.deepEqual([hex(headers.next()).slice(0, 4), hex(trailers.next()).slice(0, 2)], ["885f", "40"]);
    for (let i = 0; i < 3; i++) assert.deepEqual([hex(headers.next()), hex(trailers.next())], ["88bf", "be"]);
    assert.equal(trailers.next(), trailers.next());
  });

  test("a repeated block follows what other blocks and the peer do to the table", () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    const repeated = new RepeatedHeaderBlock(encoder, OK_HEADERS);
    const sizes = [4096, 0, 4096, 100, 4096];
    for (let i = 0; i < 300; i++) {
      if (i % 60 === 0) encoder.setPeerTableBytesMax(sizes[i / 60]);
      if (i % 3 === 0) decodeAll(decoder, encodeAll(encoder, fieldsOf(`x: ${i}`)));
      assert.deepEqual(linesOf(decodeAll(decoder, repeated.next())), linesOf(OK_HEADERS));
    }
  });

  test("a peer without a table gets literals", () => {
    const encoder = new HpackEncoder();
    encoder.setPeerTableBytesMax(0);
    const trailers = new RepeatedHeaderBlock(encoder, OK_TRAILERS);
    const literal = hex(constantBlock(OK_TRAILERS));
    assert.deepEqual([hex(trailers.next()), hex(trailers.next())], [`20${literal}`, literal]);
  });
});
