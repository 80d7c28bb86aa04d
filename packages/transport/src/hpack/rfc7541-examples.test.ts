/** The examples of RFC 7541 Appendix C. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DynamicTable } from "./dynamic-table.js";
import { HeaderBlockReader } from "./header-block-reader.js";
import { HeaderBlockWriter, HpackEncoder } from "./index.js";
import { decodeAll, encodeAll, fieldsOf, hex, linesOf, newDecoder, octets } from "./test-kit.js";

/** Consecutive blocks of one connection, and the table's entries and octets after each. */
interface Example {
  readonly name: string;
  readonly lines: readonly string[];
  readonly plain: string;
  readonly huffman: string;
  readonly tableLength: number;
  readonly tableBytes: number;
}

const WEB = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const REQUESTS: readonly Example[] = [
  {
    name: "1",
    lines: WEB,
    plain: "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    huffman: "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    tableLength: 1,
    tableBytes: 57,
  },
  {
    name: "2",
    lines: [...WEB, "cache-control: no-cache"],
    plain: "8286 84be 5808 6e6f 2d63 6163 6865",
    huffman: "8286 84be 5886 a8eb 1064 9cbf",
    tableLength: 2,
    tableBytes: 110,
  },
  {
    name: "3",
    lines: [
      ...[":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com"],
      "custom-key: custom-value",
    ],
    plain: "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    huffman: "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    tableLength: 3,
    tableBytes: 164,
  },
];

const REDIRECT = ["cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"];
const RESPONSES: readonly Example[] = [
  {
    name: "1",
    lines: [":status: 302", ...REDIRECT],
    plain: `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
      2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    huffman: `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
      2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
    tableLength: 4,
    tableBytes: 222,
  },
  {
    name: "2",
    lines: [":status: 307", ...REDIRECT],
    plain: "4803 3330 37c1 c0bf",
    huffman: "4883 640e ffc1 c0bf",
    tableLength: 4,
    tableBytes: 222,
  },
  {
    name: "3",
    lines: [
      ...[":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT"],
      ...["location: https://www.example.com", "content-encoding: gzip"],
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
    plain: `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
      54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
      5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
    huffman: `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
      77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
      9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    tableLength: 3,
    tableBytes: 215,
  },
];

/** A size update to the 256 octets that C.5 and C.6 assume. */
const SIZE_UPDATE_256 = "3f e101";

function readInteger(bytes: Uint8Array, mask: number): number {
  const reader = new HeaderBlockReader();
  reader.open(bytes, 0, bytes.length);
  return reader.readInteger(reader.takeOctet(), mask);
}

function writeInteger(flags: number, mask: number, value: number): string {
  const out = new HeaderBlockWriter();
  out.writeInteger(flags, mask, value);
  return hex(out.copy());
}

describe("RFC 7541 C.1: integers", () => {
  const cases: readonly [string, string, number, number][] = [
    ["C.1.1: 10 with a 5-bit prefix", "0a", 0x1f, 10],
    ["C.1.2: 1337 with a 5-bit prefix", "1f9a0a", 0x1f, 1337],
    ["C.1.3: 42 at an octet boundary", "2a", 0xff, 42],
  ];
  for (const [name, text, mask, value] of cases) {
    test(name, () => {
      assert.equal(readInteger(octets(text), mask), value);
      assert.equal(writeInteger(0, mask, value), text);
    });
  }

  test("the bits above the prefix are no part of the integer", () => {
    assert.equal(readInteger(octets("ff9a0a"), 0x1f), 1337);
    assert.equal(writeInteger(0xe0, 0x1f, 1337), "ff9a0a");
  });
});

describe("RFC 7541 C.2: representations", () => {
  const cases: readonly [string, string, string, number][] = [
    [
      "C.2.1: literal with indexing",
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      "custom-key: custom-header",
      55,
    ],
    ["C.2.2: literal without indexing", "040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path", 0],
    ["C.2.3: literal never indexed", "1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret", 0],
    ["C.2.4: indexed", "82", ":method: GET", 0],
  ];
  for (const [name, text, line, tableBytes] of cases) {
    test(name, () => {
      const decoder = newDecoder();
      assert.deepEqual(linesOf(decodeAll(decoder, octets(text))), [line]);
      assert.equal(decoder.tableBytes, tableBytes);
    });
  }
});

describe("RFC 7541 C.3 and C.4: requests", () => {
  for (const form of ["plain", "huffman"] as const) {
    test(`decoded, ${form}`, () => {
      const decoder = newDecoder();
      for (const example of REQUESTS) {
        assert.deepEqual(linesOf(decodeAll(decoder, octets(example[form]))), example.lines, example.name);
        assert.equal(decoder.tableLength, example.tableLength);
        assert.equal(decoder.tableBytes, example.tableBytes);
      }
    });
  }

  test("C.4 encoded, octet by octet", () => {
    const encoder = new HpackEncoder();
    for (const example of REQUESTS) {
      const block = encodeAll(encoder, fieldsOf(...example.lines));
      assert.equal(hex(block), hex(octets(example.huffman)), example.name);
    }
  });
});

describe("RFC 7541 C.5 and C.6: responses, with eviction", () => {
  for (const form of ["plain", "huffman"] as const) {
    test(`decoded, ${form}`, () => {
      const decoder = newDecoder();
      decodeAll(decoder, octets(SIZE_UPDATE_256));
      for (const example of RESPONSES) {
        assert.deepEqual(linesOf(decodeAll(decoder, octets(example[form]))), example.lines, example.name);
        assert.equal(decoder.tableLength, example.tableLength);
        assert.equal(decoder.tableBytes, example.tableBytes);
      }
    });
  }

  test("C.6 encoded; 307 is not shorter when Huffman-coded and stays plain as in C.5", () => {
    const encoder = new HpackEncoder({ indexingFor: () => "incremental" });
    encoder.setPeerTableBytesMax(256);
    const expected = [SIZE_UPDATE_256 + RESPONSES[0].huffman, RESPONSES[1].plain, RESPONSES[2].huffman];
    RESPONSES.forEach((example, i) => {
      const block = encodeAll(encoder, fieldsOf(...example.lines));
      assert.equal(hex(block), hex(octets(expected[i])), example.name);
    });
  });
});

test("RFC 7541 2.3.2: an empty dynamic table has no entry, no size and 4096 octets of room", () => {
  const table = new DynamicTable();
  assert.equal(table.get(0), undefined);
  assert.equal(table.evictOldest(), undefined);
  assert.deepEqual([table.length, table.bytes, table.bytesMax], [0, 0, 4096]);
});
