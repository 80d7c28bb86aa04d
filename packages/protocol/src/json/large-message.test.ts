/** F14: JSON made in pieces is the JSON made in one go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createKeyValue, createRangeResponse, messageCodecs, rangeResponseCodec } from "../generated/index.js";
import { messageArbitrary } from "../testing/arbitraries.test.support.js";
import { messageToJsonInPieces } from "./large-message.js";
import { messageToJson } from "./write-message.js";

test("F14: the pieces of any message of any type are its JSON", () => {
  for (const codec of messageCodecs.values()) {
    fc.assert(
      fc.property(messageArbitrary(codec), fc.integer({ min: 1, max: 60 }), (message, pieceBytes) => {
        const bytes = codec.encode(message);
        const text = Buffer.concat([...messageToJsonInPieces(codec, bytes, pieceBytes)]).toString();
        assert.equal(text, messageToJson(codec, codec.decode(bytes)));
      }),
      { numRuns: 20 },
    );
  }
});

test("F14: a piece holds no more elements of a list than are asked for", () => {
  const kvs = Array.from({ length: 100 }, () => createKeyValue({ value: new Uint8Array(98) }));
  const bytes = rangeResponseCodec.encode(createRangeResponse({ kvs, count: 100 }));
  const pieces = [...messageToJsonInPieces(rangeResponseCodec, bytes, 1_000)];
  assert.equal(pieces.length, 12);
  assert.ok(pieces.every((piece) => piece.length < 2_000));
});

test("what no encoder of ours writes is refused instead of told wrongly", () => {
  const bytes = Buffer.concat([
    rangeResponseCodec.encode(createRangeResponse({ count: 1 })),
    rangeResponseCodec.encode(createRangeResponse({ kvs: [createKeyValue()] })),
  ]);
  assert.throws(() => [...messageToJsonInPieces(rangeResponseCodec, bytes, 1_000)], TypeError);
});
