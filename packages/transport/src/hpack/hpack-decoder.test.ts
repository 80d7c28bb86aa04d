/** What the decoder refuses, and what it holds on to. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { type HpackDecoder, HpackEncoder, HpackError } from "./index.js";
import { decodeAll, encodeAll, fieldsOf, linesOf, newDecoder, octets } from "./test-kit.js";

function failure(decoder: HpackDecoder, block: Uint8Array): string {
  try {
    return `decoded ${linesOf(decodeAll(decoder, block)).join(", ")}`;
  } catch (error) {
    assert.ok(error instanceof HpackError, String(error));
    return error.code;
  }
}

/** A literal with incremental indexing: name and value each plain, shorter than 127 octets. */
function inserted(name: string, value: string): Uint8Array {
  const text = (part: string): number[] => [part.length, ...Buffer.from(part, "latin1")];
  return Uint8Array.from([0x40, ...text(name), ...text(value)]);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

describe("malformed blocks", () => {
  const cases: readonly [string, string, string][] = [
    ["RFC 7541 6.1: index 0", "80", "bad-index"],
    ["RFC 7541 2.3.3: indexed field behind both tables", "be", "bad-index"],
    ["RFC 7541 2.3.3: far behind both tables", "ffffff7f", "bad-index"],
    ["RFC 7541 2.3.3: name index behind both tables", "7e00", "bad-index"],
    ["RFC 7541 2.3.3: name index behind both tables, without indexing", "0f2f00", "bad-index"],
    ["RFC 7541 5.1: index with a fifth continuation octet", "ff8080808001", "integer-overflow"],
    ["RFC 7541 5.1: length with a fifth continuation octet", "047fffffffff7f", "integer-overflow"],
    ["RFC 7541 5.1: the value is small, but the encoding is long", "ff8080808000", "integer-overflow"],
    ["RFC 7541 5.1: index cut", "ff", "truncated"],
    ["RFC 7541 5.2: no value", "04", "truncated"],
    ["RFC 7541 5.2: no name", "40", "truncated"],
    ["RFC 7541 5.2: length cut", "047f", "truncated"],
    ["RFC 7541 5.2: string longer than the block", "04026f", "truncated"],
    ["RFC 7541 5.2: length near the end of the integers", "047fffffff7f6f", "truncated"],
    ["RFC 7541 5.2: padding of eight bits", "0481ff", "huffman-padding"],
    ["RFC 7541 5.2: padding of zeros", "048100", "huffman-padding"],
    ["RFC 7541 5.2: EOS", "0484ffffffff", "huffman-eos"],
    ["RFC 7541 6.3: size update above the limit", "3fe21f", "size-update-too-large"],
    ["RFC 7541 4.2: size update behind a field", "8220", "size-update-misplaced"],
  ];
  for (const [name, block, code] of cases) {
    test(name, () => assert.equal(failure(newDecoder(), octets(block)), code));
  }

  test("RFC 7541 5.2: the empty string may be Huffman-coded", () => {
    assert.equal(failure(newDecoder(), octets("0480")), "decoded :path: ");
  });

  test("an error in a field that is only discarded is an error all the same", () => {
    for (const rest of ["80", "047f", "0481ff", "20"]) {
      const block = octets("8282", rest);
      assert.equal(failure(newDecoder(), block), failure(newDecoder({ fieldsMax: 1 }), block));
      assert.throws(() => decodeAll(newDecoder({ fieldsMax: 1 }), block), HpackError);
    }
  });

  test("a block cut at any octet is an error, or the fields before the cut", () => {
    const fields = fieldsOf(
      ":method: POST",
      ":path: /etcdserverpb.KV/Put",
      "te: trailers",
      "x: \u0080\u00ff",
      "token: t",
    );
    const whole = linesOf(fields);
    const block = encodeAll(new HpackEncoder(), fields);
    for (let end = 0; end < block.length; end++) {
      const outcome = failure(newDecoder(), block.subarray(0, end));
      const prefixes = whole.map((_, i) => `decoded ${whole.slice(0, i).join(", ")}`);
      assert.ok(outcome === "truncated" || prefixes.includes(outcome), `${end}: ${outcome}`);
    }
  });

  test("nothing outside of the block is read", () => {
    const block = octets("ff 82 047f ff");
    assert.deepEqual(linesOf(newDecoder().decode(block, 1, 2)), [":method: GET"]);
    assert.throws(() => newDecoder().decode(block, 2, 4), HpackError);
  });
});

describe("arbitrary octets", () => {
  /** Whole representations, most of them valid, among plain noise. */
  const fragment = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("82", "87", "be", "bf", "c0", "0401 61", "0f2f 0162", "4001 61 0162") },
    { weight: 3, arbitrary: fc.constantFrom("7e01 63", "4101 64", "0f10 8b1d75d0620d263d4c4d6564", "00 0178 0179") },
    { weight: 1, arbitrary: fc.constantFrom("20", "3f45", "3fe11f", "80", "ff", "047f", "0481ff") },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }).map((noise) => Buffer.from(noise).toString("hex")) },
  );
  const blocks = fc.array(
    fc.array(fragment, { maxLength: 8 }).map((fragments) => octets(...fragments)),
    { maxLength: 8 },
  );

  test("only HpackError is ever thrown, and the table keeps to its size", () => {
    fc.assert(
      fc.property(blocks, (sequence) => {
        const decoder = newDecoder({ headerListBytesMax: 300, fieldsMax: 5 });
        for (const block of sequence) {
          const outcome = failure(decoder, block);
          assert.ok(decoder.tableBytes <= 4096);
          if (!outcome.startsWith("decoded")) return;
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("a decoder that knows the blocks by heart says the same as one that does not", () => {
    fc.assert(
      fc.property(blocks, fc.array(fc.nat(), { maxLength: 40 }), (pool, choices) => {
        const withoutResize = pool.filter((block) => block.length > 0 && (block[0] & 0xe0) !== 0x20);
        if (withoutResize.length === 0) return;
        const decoder = newDecoder();
        const history: Uint8Array[] = [];
        for (const choice of choices) {
          const block = withoutResize[choice % withoutResize.length];
          const fresh = newDecoder();
          // A size update to 4096 in front changes nothing but keeps the fresh decoder from remembering.
          for (const earlier of history) decodeAll(fresh, joined(octets("3fe11f"), earlier));
          const outcome = failure(decoder, block);
          assert.equal(outcome, failure(fresh, joined(octets("3fe11f"), block)));
          if (!outcome.startsWith("decoded")) return;
          history.push(block);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("table size updates", () => {
  test("RFC 7541 4.3: a smaller size evicts, and 0 empties the table", () => {
    const decoder = newDecoder();
    decodeAll(decoder, joined(inserted("a", "1"), inserted("b", "2")));
    assert.equal(decoder.tableBytes, 68);
    assert.equal(failure(decoder, octets("3f03be")), "decoded b: 2"); // 34 octets
    assert.equal(decoder.tableLength, 1);
    assert.equal(failure(decoder, octets("20")), "decoded ");
    assert.equal(decoder.tableLength, 0);
  });

  test("RFC 7541 4.2: two updates in one block, the lower first", () => {
    const decoder = newDecoder();
    decodeAll(decoder, inserted("a", "1"));
    assert.equal(failure(decoder, octets("203fe11f82")), "decoded :method: GET");
    assert.equal(decoder.tableLength, 0);
  });

  test("RFC 7541 4.2: after we lowered the limit, the next block must begin with an update", () => {
    const decoder = newDecoder();
    decoder.setTableBytesMax(100);
    assert.equal(failure(decoder, octets("82")), "size-update-missing");
  });

  test("RFC 9113 4.3.1: nor may a block without fields lack it", () => {
    const decoder = newDecoder();
    decoder.setTableBytesMax(100);
    assert.equal(failure(decoder, octets("")), "size-update-missing");
  });

  test("RFC 7541 4.2: a block known by heart must begin with it too", () => {
    const decoder = newDecoder();
    for (let i = 0; i < 3; i++) decodeAll(decoder, octets("82"));
    decoder.setTableBytesMax(100);
    assert.equal(failure(decoder, octets("82")), "size-update-missing");
  });

  test("RFC 7541 4.2: the update must not be above the lowered limit", () => {
    const decoder = newDecoder();
    decoder.setTableBytesMax(100);
    assert.equal(failure(decoder, octets("3f4682")), "size-update-too-large"); // 101
  });

  test("RFC 7541 4.2: one update answers; later blocks need none", () => {
    const decoder = newDecoder();
    decoder.setTableBytesMax(100);
    assert.equal(failure(decoder, octets("3f4582")), "decoded :method: GET");
    assert.equal(failure(decoder, octets("82")), "decoded :method: GET");
  });

  test("RFC 7541 4.2: lowered and raised again, the lowest limit must be answered first", () => {
    const lowered = (): HpackDecoder => {
      const decoder = newDecoder();
      decodeAll(decoder, inserted("a", "1"));
      decoder.setTableBytesMax(0);
      decoder.setTableBytesMax(4096);
      return decoder;
    };
    assert.equal(failure(lowered(), octets("3fe11f82")), "size-update-too-large");
    assert.equal(failure(lowered(), octets("203fe11f82")), "decoded :method: GET");
  });

  test("RFC 7541 4.2: lowered twice, the lowest limit must be answered first", () => {
    const decoder = newDecoder();
    decoder.setTableBytesMax(0);
    decoder.setTableBytesMax(100);
    assert.equal(failure(decoder, octets("3f4582")), "size-update-too-large");
  });

  test("RFC 7541 4.2: a limit that is not below the size in use needs no answer", () => {
    const decoder = newDecoder();
    decoder.setTableBytesMax(8192);
    decoder.setTableBytesMax(4096);
    assert.equal(failure(decoder, octets("82")), "decoded :method: GET");
  });

  test("a larger table of ours may be used once the peer asks for it", () => {
    const decoder = newDecoder({ tableBytesMax: 65_536 });
    const entry = inserted("n".repeat(100), "v".repeat(100));
    for (let i = 0; i < 30; i++) decodeAll(decoder, entry);
    assert.equal(decoder.tableLength, 17);
    decodeAll(decoder, octets("3fe1ff03")); // 65 536
    for (let i = 0; i < 300; i++) decodeAll(decoder, entry);
    assert.equal(decoder.tableLength, 282);
  });

  test("a smaller table of ours binds the peer once it has acknowledged", () => {
    const decoder = newDecoder({ tableBytesMax: 40 });
    assert.equal(failure(decoder, octets("3fe11f")), "decoded ");
    assert.equal(failure(decoder, joined(inserted("a", "1"), inserted("b", "2"))), "decoded a: 1, b: 2");
    assert.equal(decoder.tableLength, 2);
    decoder.setTableBytesMax(40);
    assert.equal(failure(decoder, octets("3f0982")), "decoded :method: GET");
    assert.equal(decoder.tableLength, 1);
  });

  test("a size that the wire format cannot carry is refused", () => {
    for (const bytes of [-1, 1.5, 2 ** 28, Number.NaN]) {
      assert.throws(() => newDecoder({ tableBytesMax: bytes }), RangeError);
      assert.throws(() => newDecoder().setTableBytesMax(bytes), RangeError);
    }
  });

  test("RFC 7541 4.4: an entry larger than the table empties it and is no error", () => {
    const decoder = newDecoder();
    decodeAll(decoder, joined(octets("3f09"), inserted("a", "1")));
    assert.equal(failure(decoder, inserted("name", "value")), "decoded name: value");
    assert.equal(decoder.tableLength, 0);
  });

  test("RFC 7541 4.4: a new entry may take its name from the entry that it evicts", () => {
    const decoder = newDecoder();
    decodeAll(decoder, joined(octets("3f09"), inserted("name", "a")));
    assert.equal(failure(decoder, octets("7e0162be")), "decoded name: b, name: b");
  });
});

describe("limits", () => {
  test("a list of exactly the allowed octets passes, one more is refused", () => {
    const block = octets("82 83"); // :method GET is 42, :method POST is 43
    const passed = decodeAll(newDecoder({ headerListBytesMax: 85 }), block);
    assert.deepEqual([passed.refusal, passed.bytes, passed.names.length], [undefined, 85, 2]);
    const refused = decodeAll(newDecoder({ headerListBytesMax: 84 }), block);
    assert.deepEqual(
      [refused.refusal, refused.bytes, refused.names, refused.values],
      ["header-list-too-large", 85, [], []],
    );
  });

  test("exactly the allowed fields pass, one more is refused", () => {
    const passed = decodeAll(newDecoder({ fieldsMax: 2 }), octets("8282"));
    assert.deepEqual([passed.refusal, passed.names.length], [undefined, 2]);
    const refused = decodeAll(newDecoder({ fieldsMax: 2 }), octets("828282"));
    assert.deepEqual([refused.refusal, refused.names, refused.values], ["too-many-fields", [], []]);
  });

  test("a refused block changes the table like any other", () => {
    const decoder = newDecoder({ fieldsMax: 2 });
    const refused = decodeAll(decoder, joined(octets("828282"), inserted("late", "entry")));
    assert.equal(refused.refusal, "too-many-fields");
    assert.equal(failure(decoder, octets("be")), "decoded late: entry");
  });

  test("the refusal of one block says nothing of the next", () => {
    const decoder = newDecoder({ fieldsMax: 2 });
    decodeAll(decoder, octets("828282"));
    assert.equal(decodeAll(decoder, octets("8282")).refusal, undefined);
  });

  test("a refused block that is repeated is refused again", () => {
    const decoder = newDecoder({ fieldsMax: 2 });
    for (let i = 0; i < 3; i++) assert.equal(decodeAll(decoder, octets("828282")).refusal, "too-many-fields");
  });
});

describe("F31, F32: HPACK bombs", () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");

  function heapBytes(): number {
    assert.ok(typeof collect === "function");
    collect();
    return process.memoryUsage().heapUsed;
  }

  /** Blocks of 16 KiB with one octet per field, each different, so that none is known by heart. */
  function bomb(index: number, i: number): Uint8Array {
    return new Uint8Array(16 * 1024 - (i % 100)).fill(0x80 | index);
  }

  function assertBounded(decoder: HpackDecoder, index: number, refusal: string): void {
    const before = heapBytes();
    const lists = Array.from({ length: 200 }, (_, i) => decodeAll(decoder, bomb(index, i)));
    assert.ok(heapBytes() - before < 256 * 1024);
    for (const list of lists) assert.deepEqual([list.refusal, list.names, list.values], [refusal, [], []]);
  }

  test("F31: one entry as large as the table, referred to 16 384 times per block", () => {
    const decoder = newDecoder({ headerListBytesMax: 16 * 1024, fieldsMax: 64 });
    const fat = joined(octets("40 01 61 7fde1e"), new Uint8Array(4061).fill(0x62));
    assert.equal(decodeAll(decoder, fat).bytes, 4094);
    assert.equal(decoder.tableBytes, 4094);
    assertBounded(decoder, 62, "header-list-too-large");
    assert.equal(failure(decoder, octets("82")), "decoded :method: GET");
  });

  test("F32: thousands of small references per block", () => {
    const decoder = newDecoder({ headerListBytesMax: 1024 * 1024, fieldsMax: 64 });
    assertBounded(decoder, 2, "too-many-fields");
    assert.equal(failure(decoder, octets("82")), "decoded :method: GET");
  });

  test("F31: thousands of insertions per block keep to the table size", () => {
    const decoder = newDecoder({ headerListBytesMax: 16 * 1024, fieldsMax: 64 });
    const insertions = new Uint8Array(16 * 1024);
    for (let i = 0; i < insertions.length; i += 2) insertions.set([0x41, 0x00], i);
    assert.equal(decodeAll(decoder, insertions).refusal, "too-many-fields");
    assert.ok(decoder.tableBytes <= 4096);
    assert.equal(decoder.tableLength, 97);
  });
});

describe("repeated blocks", () => {
  test("a block that leaves the table alone gives the same frozen list again", () => {
    const decoder = newDecoder();
    decodeAll(decoder, inserted("a", "1"));
    const first = decodeAll(decoder, octets("82be 040161"));
    first.attachment = "derived";
    const padded = octets("ffff 82be 040161 ff");
    const second = decoder.decode(padded, 2, padded.length - 1);
    assert.equal(second, first);
    assert.equal(second.attachment, "derived");
    assert.ok(Object.isFrozen(second.names) && Object.isFrozen(second.values));
    assert.deepEqual(linesOf(second), [":method: GET", "a: 1", ":path: a"]);
  });

  test("blocks of 256 octets are remembered, longer ones are not", () => {
    const decoder = newDecoder();
    for (const length of [256, 257]) {
      const block = new Uint8Array(length).fill(0x82);
      const first = decodeAll(decoder, block);
      assert.equal(decodeAll(decoder, block) === first, length === 256, `${length}`);
    }
  });

  test("what is remembered gives way to what is new", () => {
    const decoder = newDecoder();
    const oldest = decodeAll(decoder, octets("8282"));
    for (let index = 3; index < 10; index++) decodeAll(decoder, Uint8Array.of(0x82, 0x80 | index));
    assert.equal(decodeAll(decoder, octets("8282")), oldest);
    decodeAll(decoder, octets("83"));
    assert.notEqual(decodeAll(decoder, octets("8282")), oldest);
  });

  test("the same octets mean something else once the table has changed", () => {
    const decoder = newDecoder();
    decodeAll(decoder, inserted("a", "1"));
    for (let i = 0; i < 3; i++) assert.equal(failure(decoder, octets("be")), "decoded a: 1");
    decodeAll(decoder, inserted("b", "2"));
    for (let i = 0; i < 3; i++) assert.equal(failure(decoder, octets("be")), "decoded b: 2");
    decodeAll(decoder, octets("20"));
    assert.equal(failure(decoder, octets("be")), "bad-index");
  });

  test("nor is what they meant before found behind blocks that came later", () => {
    const decoder = newDecoder();
    decodeAll(decoder, inserted("a", "1"));
    assert.equal(failure(decoder, octets("be")), "decoded a: 1");
    decodeAll(decoder, inserted("b", "2"));
    assert.equal(failure(decoder, octets("82")), "decoded :method: GET");
    assert.equal(failure(decoder, octets("be")), "decoded b: 2");
  });

  test("a block that changes the table is decoded each time", () => {
    const decoder = newDecoder();
    for (let i = 1; i <= 3; i++) {
      decodeAll(decoder, inserted("a", "1"));
      assert.equal(decoder.tableLength, i);
    }
  });

  test("more blocks than are remembered, and longer ones, are right all the same", () => {
    const decoder = newDecoder();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 40; i++) {
        const value = String.fromCharCode(0x41 + i).repeat(i % 2 === 0 ? 3 : 100 + 4 * i);
        const fields = fieldsOf(`:path: ${value}`, "content-length: 12");
        const block = encodeAll(new HpackEncoder(), fields, "none");
        assert.deepEqual(linesOf(decodeAll(decoder, block)), linesOf(fields));
      }
    }
  });
});

describe("header lists", () => {
  test("the first value of a name", () => {
    const list = decodeAll(newDecoder(), octets("8283"));
    assert.equal(list.get(":method"), "GET");
    assert.equal(list.get(":path"), undefined);
  });

  test("octets above 127 are latin1", () => {
    assert.equal(failure(newDecoder(), octets("0402 e9ff")), "decoded :path: \u00e9\u00ff");
  });

  const cases: readonly [string, Uint8Array, boolean][] = [
    ["a plain field", inserted("x-1", "a b"), true],
    ["an empty value", inserted("x", ""), true],
    ["a pseudo-header field", inserted(":x", "1"), true],
    ["octets above 127 in a value", inserted("x", "\u00e9"), true],
    ["an empty name", inserted("", "1"), false],
    ["upper case in a name", inserted("Te", "1"), false],
    ["a blank in a name", inserted("a b", "1"), false],
    ["a colon inside of a name", inserted("a:b", "1"), false],
    ["an octet above 126 in a name", inserted("a\u007f", "1"), false],
    ["a line feed in a value", inserted("x", "a\nb"), false],
    ["a carriage return in a value", inserted("x", "a\rb"), false],
    ["NUL in a value", inserted("x", "a\0b"), false],
    ["a blank before a value", inserted("x", " a"), false],
    ["a tab behind a value", inserted("x", "a\t"), false],
  ];
  for (const [name, block, wellFormed] of cases) {
    test(`RFC 9113 8.2.1: ${name} is ${wellFormed ? "well-formed" : "malformed"}, also when indexed`, () => {
      const decoder = newDecoder();
      assert.equal(decodeAll(decoder, joined(block, octets("82"))).wellFormed, wellFormed);
      assert.equal(decodeAll(decoder, octets("82be")).wellFormed, wellFormed);
      assert.equal(decodeAll(decoder, octets("82")).wellFormed, true);
    });
  }

  test("RFC 9113 8.2.1: a malformed value does not condemn the name", () => {
    const decoder = newDecoder();
    decodeAll(decoder, inserted("x", "a\nb"));
    assert.equal(decodeAll(decoder, octets("0f2f0131")).wellFormed, true);
  });
});
