/** F14: ranges of any order and with any filter, read in slices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyValue } from "@holdfast/protocol";
import fc from "fast-check";
import { countInSlices } from "./count-in-slices.js";
import { upperBound } from "./key-interval.js";
import { KeySpace } from "./key-space.js";
import { LargeRange } from "./large-range.js";
import { sortInSlices } from "./sort-in-slices.js";
import { commands, rangeRequests } from "./testing/arbitraries.js";
import { Driver, key, rangeRequest } from "./testing/builders.js";
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
      if (request.rangeEnd === "") return;
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

test("F14: what is large is told by the keys of the interval that have to be looked at", () => {
  const driver = new Driver();
  for (const name of ["a", "b", "c"]) driver.put(name);
  const isLarge = (fields: Parameters<typeof rangeRequest>[0]): boolean =>
    driver.machine.isLargeRange(rangeRequest(fields), 2);
  const all = { key: "a", rangeEnd: "\0" };
  assert.equal(isLarge(all), true);
  assert.equal(isLarge({ key: "b", rangeEnd: "\0" }), false);
  assert.equal(isLarge({ key: "a" }), false);
  assert.equal(isLarge({ ...all, countOnly: true }), false);
  assert.equal(isLarge({ ...all, limit: 2 }), false);
  assert.equal(isLarge({ ...all, limit: 3 }), true);
  assert.equal(isLarge({ ...all, limit: 2, sortTarget: 2 }), false, "cut before it is sorted (KV-9)");
  assert.equal(isLarge({ ...all, limit: 1, sortOrder: 2 }), true);
  assert.equal(isLarge({ ...all, limit: 1, sortOrder: 1, sortTarget: 2 }), true);
  assert.equal(isLarge({ ...all, limit: 1, minModRevision: 1 }), true);
});

test("F14: a range of an old revision is large where counting its keys takes long", () => {
  const driver = new Driver();
  for (const name of ["a", "b", "c", "d"]) driver.put(name);
  const then = { key: "a", rangeEnd: "\0", limit: 1, revision: driver.revision };
  const isLarge = (fields = {}): boolean => driver.machine.isLargeRange(rangeRequest({ ...then, ...fields }), 3);
  assert.equal(isLarge(), false);
  for (const name of ["a", "b"]) driver.put(name);
  assert.equal(isLarge(), false);
  assert.equal(isLarge({ limit: 2 }), true);
  for (const name of ["a", "b"]) driver.put(name);
  assert.equal(isLarge(), true);
  assert.equal(isLarge({ countOnly: true }), true);
  assert.equal(isLarge({ revision: 0 }), false);
});

test("F14: the keys of an old revision are counted in slices, and once", () => {
  const keys = new KeySpace();
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 10_000; n++) {
      const name = key(`k${n}`);
      keys.revision += 1;
      keys.put(keys.numberOf(name), name, new Uint8Array(), 0n, keys.revision);
    }
  }
  keys.countAt = () => assert.fail("counted in one go");
  const range = new LargeRange(keys, rangeRequest({ key: "k", rangeEnd: "l", revision: 5_001 }), 5_001);
  let empty = 0;
  for (let slice = range.next(1_000); slice.kind === "slice" && slice.kvs.length === 0; slice = range.next(1_000))
    empty++;
  assert.ok(empty >= 3, `${empty} slices without pairs`);
  assert.equal(range.count, 5_000);
});

test("F14: counting in slices is counting, whatever is written in between", () => {
  fc.assert(
    fc.property(
      written,
      written,
      rangeRequests,
      fc.integer({ min: 1, max: 5 }),
      (before, during, request, sliceLength) => {
        const driver = new Driver();
        const keys = new KeySpace();
        // What a machine does to its keys, done to some of one's own.
        const write = (command: Command): void => {
          driver.machine.apply(command);
          keys.revision = driver.revision;
          for (const version of driver.machine.changes) keys.restore(keys.history(version.key), version);
        };
        for (const command of before) write(command);
        const [from, to] = [request.key, upperBound(request.rangeEnd)];
        for (const revision of [1, Math.ceil(keys.revision / 2), keys.revision]) {
          const expected = keys.countAt(from, to, revision);
          const counting = countInSlices(keys, from, to, revision, sliceLength);
          let step = counting.next();
          for (const command of during) {
            write(command);
            if (step.done !== true) step = counting.next();
          }
          while (step.done !== true) step = counting.next();
          assert.equal(step.value, expected);
        }
      },
    ),
  );
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
