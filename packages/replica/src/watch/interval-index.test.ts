import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "@holdfast/protocol";
import fc from "fast-check";
import { type IntervalEnd, IntervalIndex } from "./interval-index.js";

const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "\0", "\xff"), maxLength: 3 });
const interval = fc.record({ start: key, end: fc.option(key, { nil: undefined }) });
const step = fc.record({ interval, member: fc.integer({ min: 0, max: 5 }), add: fc.boolean() });

test("KV-1: the index finds exactly the intervals that hold a key, whatever was added and removed", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(key, { maxLength: 10 }), (steps, probes) => {
      const index = new IntervalIndex<string>();
      const expected = new Map<string, { start: string; end: string | undefined }>();
      for (const { interval, member, add } of steps) {
        const start = interval.start as ByteString;
        const end = interval.end as IntervalEnd;
        const name = JSON.stringify([start, end ?? null, member]);
        if (add) {
          index.add(start, end, name);
          expected.set(name, interval);
        } else {
          index.remove(start, end, name);
          expected.delete(name);
        }
      }
      assert.equal(index.isEmpty, expected.size === 0);
      for (const probe of probes) {
        const found: string[] = [];
        index.visit(probe as ByteString, (member) => found.push(member));
        const holds = [...expected].filter(
          ([, { start, end }]) => probe >= start && (end === undefined || probe < end),
        );
        assert.deepEqual(found.sort(), holds.map(([name]) => name).sort());
      }
    }),
    { numRuns: 500 },
  );
});
