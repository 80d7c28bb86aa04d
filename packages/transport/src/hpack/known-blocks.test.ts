/** Decoders that share what they know give one list for the same call, and never one that means something else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HpackEncoder, KnownBlocks } from "./index.js";
import { decodeAll, encodeAll, fieldsOf, linesOf, newDecoder, octets } from "./test-kit.js";

const CALL = fieldsOf(":method: POST", ":path: /s.S/Call", "content-type: application/grpc");

/** The first block, which fills the table, and the one that follows. */
function blocksOf(lines: typeof CALL): [first: Uint8Array, next: Uint8Array] {
  const encoder = new HpackEncoder();
  return [encodeAll(encoder, lines), encodeAll(encoder, lines)];
}

describe("known blocks", () => {
  test("the same call on two connections gives the same frozen list, with its attachment", () => {
    const knownBlocks = new KnownBlocks();
    const lists = [1, 2].map(() => {
      const decoder = newDecoder({ knownBlocks });
      const [first, next] = blocksOf(CALL);
      decodeAll(decoder, first);
      const list = decodeAll(decoder, next);
      list.attachment ??= {};
      return list;
    });
    assert.equal(lists[0], lists[1]);
    assert.deepEqual(linesOf(lists[1]), linesOf(CALL));
    assert.ok(Object.isFrozen(lists[1].names) && Object.isFrozen(lists[1].values));
  });

  test("the same octets mean what each connection's table says", () => {
    const knownBlocks = new KnownBlocks();
    const paths = ["/s.S/One", "/s.S/Two", "/s.S/One"];
    for (const path of paths) {
      const decoder = newDecoder({ knownBlocks });
      const lines = fieldsOf(":method: POST", `:path: ${path}`);
      const [first, next] = blocksOf(lines);
      decodeAll(decoder, first);
      for (let i = 0; i < 3; i++) assert.deepEqual(linesOf(decodeAll(decoder, next)), linesOf(lines));
    }
  });

  test("what is refused by one decoder is not taken from another that has more room", () => {
    const knownBlocks = new KnownBlocks();
    const block = octets("828486");
    assert.equal(decodeAll(newDecoder({ knownBlocks }), block).refusal, undefined);
    assert.equal(decodeAll(newDecoder({ knownBlocks, fieldsMax: 2 }), block).refusal, "too-many-fields");
    assert.equal(decodeAll(newDecoder({ knownBlocks }), block).refusal, undefined);
  });

  test("large lists are kept by their own connection only", () => {
    for (const [fields, isShared] of [
      [2, true],
      [5, false],
    ] as const) {
      const knownBlocks = new KnownBlocks();
      const lists = [1, 2].map(() => {
        const decoder = newDecoder({ knownBlocks });
        const [first, next] = blocksOf(fieldsOf(...new Array<string>(fields).fill(`user-agent: ${"n".repeat(500)}`)));
        decodeAll(decoder, first);
        return [decodeAll(decoder, next), decodeAll(decoder, next)];
      });
      assert.equal(lists[0][0], lists[0][1]);
      assert.equal(lists[0][0] === lists[1][0], isShared, `${fields}`);
    }
  });

  test("a list that may contain a secret is kept by its own connection only", () => {
    const knownBlocks = new KnownBlocks();
    for (const line of [
      "authorization: s3cret",
      "token: s3cret",
      "x-key: s3cret",
      ":path: /?s3cret",
      ":authority: u@h",
    ]) {
      const block = encodeAll(new HpackEncoder(), fieldsOf(":method: POST", line), "none");
      const lists = [1, 2].map(() => {
        const decoder = newDecoder({ knownBlocks });
        decodeAll(decoder, block);
        return decodeAll(decoder, block);
      });
      assert.deepEqual(linesOf(lists[1]), [":method: POST", line]);
      assert.notEqual(lists[0], lists[1], line);
    }
  });

  test("a list that was refused is kept by its own connection only, whatever it may contain", () => {
    const knownBlocks = new KnownBlocks();
    const lines = fieldsOf(":method: POST", ":path: /", "authorization: s3cret");
    const block = encodeAll(new HpackEncoder(), lines, "none");
    const lists = [1, 2].map(() => decodeAll(newDecoder({ knownBlocks, fieldsMax: 2 }), block));
    assert.ok(lists[0].refusal !== undefined);
    assert.notEqual(lists[0], lists[1]);
  });

  test("thousands of blocks, more than are kept, are right all the same", () => {
    const knownBlocks = new KnownBlocks();
    const decoders = [newDecoder({ knownBlocks }), newDecoder({ knownBlocks })];
    for (let i = 0; i < 2_000; i++) {
      const lines = fieldsOf(":method: POST", `:path: /${i}`);
      const block = encodeAll(new HpackEncoder(), lines, "none");
      for (const decoder of decoders) assert.deepEqual(linesOf(decodeAll(decoder, block)), linesOf(lines));
    }
  });
});
