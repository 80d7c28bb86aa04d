/** F14: ranges of any order and with any filter, read in slices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyValue } from "@holdfast/protocol";
import fc from "fast-check";
import { sortInSlices } from "./sort-in-slices.js";
import { commands, rangeRequests } from "./testing/arbitraries.js";
import { Driver, rangeRequest } from "./testing/builders.js";
import { plain } from "./testing/plain.js";
import type { Command } from "./types.js";

const written = fc.array(
  commands.filter((command) => command.kind !== "compact"),
  { maxLength: 40, size: "max" },
);

/** What a large range comes to when `between` is done before each slice. */
function readAll(driver: Driver, request: ReturnType<typeof rangeRequest>, keysMax: number, between: () => void) {
  const range = driver.machine.largeRange(request);
  const kvs: KeyValue[] = [];
  for (;;) {
    between();
    const slice = range.next(keysMax);
    assert.ok(slice.kind === "slice");
    assert.ok(slice.kvs.length <= keysMax);
    kvs.push(...slice.kvs);
    if (slice.done) return { kvs, more: range.more, count: range.count };
  }
}

test("F14, I2: a range read in slices is the range as it was at the start, whatever is written in between", () => {
  fc.assert(
    fc.property(written, written, rangeRequests, fc.integer({ min: 1, max: 4 }), (before, during, request, keysMax) => {
      const driver = new Driver();
      for (const command of before) driver.machine.apply(command);
      if (request.rangeEnd === "" || request.countOnly) return;
      const whole = driver.machine.range(request);
      if (whole.kind === "refused") return;
      const { kvs, more, count } = whole.response;
      const expected = plain({ kvs: [...kvs], more, count });
      const later: Command[] = [...during];
      const found = readAll(driver, request, keysMax, () => later.length > 0 && driver.machine.apply(later.shift()!));
      assert.deepEqual(plain(found), expected);
    }),
    { numRuns: 1_000 },
  );
});

test("F14, I3: one that a compaction overtakes is told so", () => {
  const driver = new Driver();
  for (const name of ["a", "b", "c"]) driver.put(name);
  const range = driver.machine.largeRange(rangeRequest({ key: "a", rangeEnd: "\0", sortOrder: 2, sortTarget: 2 }));
  range.next(1);
  driver.put("d");
  driver.compact(driver.revision);
  assert.deepEqual(range.next(1), { kind: "refused", refusal: "compacted" });
});

test("F14: what is large is told by the keys of the interval", () => {
  const driver = new Driver();
  for (const name of ["a", "b", "c"]) driver.put(name);
  const isLarge = (fields: Parameters<typeof rangeRequest>[0]): boolean =>
    driver.machine.isLargeRange(rangeRequest(fields), 2);
  assert.equal(isLarge({ key: "a", rangeEnd: "\0" }), true);
  assert.equal(isLarge({ key: "b", rangeEnd: "\0" }), false);
  assert.equal(isLarge({ key: "a" }), false);
  assert.equal(isLarge({ key: "a", rangeEnd: "\0", countOnly: true }), false);
});

test("F14: sorting in slices is sorting, and keeps equals as they stood", () => {
  const items = fc.array(fc.record({ rank: fc.nat(9), place: fc.nat() }), { maxLength: 200, size: "max" });
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 9 }), (wanted, sliceLength) => {
      const byRank = (left: { rank: number }, right: { rank: number }): number => left.rank - right.rank;
      const expected = [...wanted].sort(byRank);
      let found: typeof wanted | undefined;
      let pauses = 0;
      const sorting = sortInSlices([...wanted], byRank, (sorted) => (found = sorted), sliceLength);
      while (sorting.next().done !== true) pauses += 1;
      assert.deepEqual(found, expected);
      assert.ok(pauses >= Math.floor(wanted.length / sliceLength));
    }),
  );
});
