/**
 * Sets of intervals against the obvious.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readableKeys } from "./auth/permissions.js";
import { IntervalSet } from "./interval-set.js";
import { endOfKeys, keyAfter } from "./key-interval.js";
import { key } from "./testing/builders.js";
import { isCovered } from "./testing/reference-auth.js";

const keys = fc.constantFrom(
  ...["\0", "a", "a\0", "a\0\0", "ab", "b", "b\xff", "c", "\xfe", "\xff", "\xff\xff"].map(key),
);
const rangeEnds = fc.oneof(fc.constant(key("")), fc.constant(key("\0")), keys, keys);

/** An interval with at least one key, as it can be granted. */
const grants = fc
  .record({ key: keys, rangeEnd: rangeEnds })
  .filter((one) => one.rangeEnd === "" || one.rangeEnd === "\0" || one.rangeEnd > one.key);

test("AUTH-16: a set of grants covers an interval exactly if nothing in it is left out", () => {
  let covered = 0;
  fc.assert(
    fc.property(fc.array(grants, { maxLength: 6 }), grants, (granted, wanted) => {
      const set = readableKeys(granted.map((one) => ({ permType: 0, ...one })));
      const to = wanted.rangeEnd === "\0" ? endOfKeys : wanted.rangeEnd;
      const answer = wanted.rangeEnd === "" ? set.has(wanted.key) : set.covers(wanted.key, to);
      assert.equal(answer, isCovered(wanted, granted));
      assert.equal(set.has(wanted.key), set.covers(wanted.key, keyAfter(wanted.key)));
      if (answer) covered += 1;
    }),
    { numRuns: 5000 },
  );
  assert.ok(covered > 500 && covered < 4500);
});

test("an interval without keys is covered where its beginning is", () => {
  const set = IntervalSet.of([{ from: key("a"), to: key("c") }]);
  assert.ok(set.covers(key("b"), key("a")) && set.covers(key("a"), key("a")));
  assert.ok(!set.covers(key("c"), key("b")) && !set.covers(key("`"), key("`")));
});

test("the end of all keys lies behind every key", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      assert.ok(key(Buffer.from(bytes).toString("latin1")) < endOfKeys);
    }),
  );
});
