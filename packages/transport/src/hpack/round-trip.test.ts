/** Encoder and decoder against each other, over whole connections. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { FieldIndexing, HeaderFields } from "./index.js";
import { HpackEncoder, RepeatedHeaderBlock } from "./index.js";
import { decodeAll, encodeAll, linesOf, newDecoder } from "./test-kit.js";

const latin1 = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 30 })
  .map((chars) => String.fromCharCode(...chars));
const name = fc.oneof(
  fc.constantFrom(":path", ":status", "content-type", "token", "cookie", "grpc-timeout", "te", "x", "y", "z"),
  latin1,
);
const value = fc.oneof(
  fc.constantFrom("", "/", "200", "application/grpc", "a", "b", "c"),
  latin1,
  fc.integer({ min: 0, max: 3000 }).map((length) => "v".repeat(length)),
);
const fields: fc.Arbitrary<HeaderFields> = fc
  .array(fc.tuple(name, value), { maxLength: 10 })
  .map((pairs) => ({ names: pairs.map(([first]) => first), values: pairs.map(([, second]) => second) }));
const indexing = fc.constantFrom<FieldIndexing | undefined>(undefined, undefined, "incremental", "none", "never");
const tableBytes = fc.oneof(fc.constantFrom(0, 31, 32, 100, 4096, 65_536), fc.integer({ min: 0, max: 9000 }));

type Step =
  | { readonly kind: "list"; readonly fields: HeaderFields; readonly indexing: FieldIndexing | undefined }
  | { readonly kind: "resize"; readonly bytes: number }
  | { readonly kind: "repeat" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("list" as const), fields, indexing }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("resize" as const), bytes: tableBytes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat" as const) }) },
);

test("every list arrives as it was sent, whatever the tables do", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), tableBytes, fc.boolean(), (steps, ownTableBytesMax, indexAll) => {
      const indexingFor = indexAll ? (): FieldIndexing => "incremental" : undefined;
      const encoder = new HpackEncoder({ tableBytesMax: ownTableBytesMax, indexingFor });
      const decoder = newDecoder();
      const repeatedFields = { names: [":status", "content-type", "x"], values: ["200", "application/grpc", "0"] };
      const repeated = new RepeatedHeaderBlock(encoder, repeatedFields);
      for (const next of steps) {
        if (next.kind === "resize") {
          decoder.setTableBytesMax(next.bytes);
          encoder.setPeerTableBytesMax(next.bytes);
          continue;
        }
        const sent = next.kind === "list" ? next.fields : repeatedFields;
        const block = next.kind === "list" ? encodeAll(encoder, sent, next.indexing) : repeated.next();
        const received = decodeAll(decoder, block);
        assert.deepEqual(linesOf(received), linesOf(sent));
        const bytes = sent.names.reduce((sum, text, i) => sum + text.length + sent.values[i].length + 32, 0);
        assert.equal(received.bytes, bytes);
        assert.ok(decoder.tableBytes <= ownTableBytesMax);
      }
    }),
    { numRuns: 1500 },
  );
});

test("a decoder with small limits stays in step with one without", () => {
  fc.assert(
    fc.property(fc.array(fields, { maxLength: 30 }), (lists) => {
      const encoder = new HpackEncoder();
      const strict = newDecoder({ headerListBytesMax: 200, fieldsMax: 4 });
      const generous = newDecoder();
      for (const list of lists) {
        const block = encodeAll(encoder, list);
        const whole = decodeAll(generous, block);
        const bounded = decodeAll(strict, block);
        const isAllowed = whole.bytes <= 200 && whole.names.length <= 4;
        assert.equal(bounded.refusal === undefined, isAllowed);
        assert.deepEqual(linesOf(bounded), isAllowed ? linesOf(list) : []);
        assert.deepEqual([strict.tableBytes, bounded.bytes], [generous.tableBytes, whole.bytes]);
      }
    }),
    { numRuns: 500 },
  );
});
