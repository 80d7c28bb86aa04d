/**
 * Reading a range piece by piece.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RangeRequest, SortOrder } from "@holdfast/protocol";
import fc from "fast-check";
import type { RangeReader } from "./range-reader.js";
import { commands, rangeRequests } from "./testing/arbitraries.js";
import { Driver, rangeRequest } from "./testing/builders.js";
import { plain } from "./testing/plain.js";
import type { KeyVersion } from "./types.js";

function readerOf(driver: Driver, fields: Parameters<typeof rangeRequest>[0]): RangeReader {
  const outcome = driver.machine.rangeReader(rangeRequest(fields));
  assert.ok(outcome.kind === "reader");
  return outcome.reader;
}

/** Reads to the end; `between` is called before each piece. */
function readAll(reader: RangeReader, keysMax: number, between: () => void = () => {}): KeyVersion[] {
  const pairs: KeyVersion[] = [];
  for (;;) {
    between();
    const slice = reader.next(keysMax);
    assert.ok(slice.kind === "slice" && slice.kvs.length <= keysMax);
    pairs.push(...slice.kvs);
    if (slice.done) return pairs;
  }
}

function numbered(count: number): Driver {
  const driver = new Driver();
  for (let index = 0; index < count; index++) driver.put(`k${1000 + index}`);
  return driver;
}

test("KV-14: the pieces together are the range", () => {
  const driver = numbered(25);
  const reader = readerOf(driver, { key: "k", rangeEnd: "\0" });
  assert.deepEqual([reader.count, reader.more, reader.revision], [25, false, 26]);
  assert.deepEqual(readAll(reader, 10), driver.range("k", "\0").kvs);
});

test("KV-14: the last piece says so", () => {
  const reader = readerOf(numbered(20), { key: "k", rangeEnd: "\0" });
  const flags = [reader.next(10), reader.next(10)].map((slice) => slice.kind === "slice" && slice.done);
  assert.deepEqual(flags, [false, true]);
});

test("KV-15: all pieces are read at the revision of the start", () => {
  const driver = numbered(25);
  const expected = driver.range("k", "\0").kvs;
  let round = 0;
  const pairs = readAll(readerOf(driver, { key: "k", rangeEnd: "\0" }), 2, () => {
    driver.delete(`k${1000 + round}`, `k${1003 + round}`);
    driver.put(`k${1020 + (round++ % 5)}`, "later");
    driver.put(`k9${round}`);
  });
  assert.deepEqual(pairs, expected);
});

test("KV-17: limit caps the total, count does not care", () => {
  const reader = readerOf(numbered(25), { key: "k", rangeEnd: "\0", limit: 7 });
  assert.deepEqual([reader.count, reader.more, readAll(reader, 3).length], [25, true, 7]);
});

test("KV-18: count_only, keys_only, a single key and an explicit revision", () => {
  const driver = numbered(5);
  const count = readerOf(driver, { key: "k", rangeEnd: "\0", countOnly: true, limit: 2 });
  assert.deepEqual([count.count, count.more, count.next(10)], [5, false, { kind: "slice", kvs: [], done: true }]);
  const keysOnly = { key: "k", rangeEnd: "\0", keysOnly: true };
  assert.deepEqual(readAll(readerOf(driver, keysOnly), 2), driver.range("k", "\0", { keysOnly: true }).kvs);
  assert.equal(readAll(readerOf(driver, { key: "k1003" }), 2).length, 1);
  assert.equal(readAll(readerOf(driver, { key: "k", rangeEnd: "\0", revision: 4 }), 2).length, 3);
  const refused = driver.machine.rangeReader(rangeRequest({ key: "k", revision: 99 }));
  assert.deepEqual(refused, { kind: "refused", refusal: "future-revision" });
});

test("KV-20: a reader that compaction overtakes is told so", () => {
  const driver = numbered(25);
  const reader = readerOf(driver, { key: "k", rangeEnd: "\0" });
  reader.next(5);
  driver.compact(26);
  assert.equal(reader.next(5).kind, "slice");
  driver.put("k");
  driver.compact(27);
  assert.deepEqual(reader.next(5), { kind: "refused", refusal: "compacted" });
});

test("many deleted keys do not make a piece long", () => {
  const driver = numbered(5000);
  driver.delete("k1001", "k5999");
  const reader = readerOf(driver, { key: "k", rangeEnd: "\0" });
  let pieces = 0;
  const pairs = readAll(reader, 10, () => {
    pieces += 1;
  });
  assert.deepEqual([pairs.length, pieces], [2, 2]);
});

test("KV-14: any range in key order is the same read in pieces, with writes in between", () => {
  const inKeyOrder = (request: RangeRequest): RangeRequest => ({
    ...request,
    sortOrder: SortOrder.NONE,
    sortTarget: 0,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  });
  const written = fc.array(
    commands.filter((command) => command.kind !== "compact"),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(
      written,
      written,
      rangeRequests.map(inKeyOrder),
      fc.integer({ min: 1, max: 4 }),
      (before, during, request, keysMax) => {
        const driver = new Driver();
        for (const command of before) driver.machine.apply(command);
        const whole = driver.machine.range(request);
        const outcome = driver.machine.rangeReader(request);
        if (outcome.kind === "refused" || whole.kind === "refused") {
          assert.deepEqual(outcome, whole);
          return;
        }
        const { reader } = outcome;
        const later = [...during];
        const pairs = readAll(reader, keysMax, () => later.length > 0 && driver.machine.apply(later.shift()!));
        const { kvs, count, more } = whole.response;
        assert.deepEqual(plain({ kvs: pairs, count: reader.count, more: reader.more }), plain({ kvs, count, more }));
      },
    ),
    { numRuns: 300 },
  );
});
