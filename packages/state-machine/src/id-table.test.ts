/**
 * The table of ids against a map, with ids that collide as well.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IdTable } from "./id-table.js";

/** Some anywhere in 64 bits, most near one another or equal in one half. */
const id = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -20n, max: 400n }),
  fc.nat(300).map((high) => BigInt(high) << 32n),
);

function check(table: IdTable<object>, expected: ReadonlyMap<bigint, object>, ids: readonly bigint[]): void {
  assert.equal(table.size, expected.size);
  assert.deepEqual(new Set(table.values()), new Set(expected.values()));
  for (const one of ids) assert.equal(table.find(one), expected.get(one));
}

test("what is added is found until it is deleted", () => {
  const step = fc.record({ id, isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1500, size: "max" }), (steps) => {
      const table = new IdTable<object>();
      const expected = new Map<bigint, object>();
      for (const { id: one, isAdded } of steps) {
        if (!isAdded) {
          table.delete(one);
          expected.delete(one);
        } else if (!expected.has(one)) {
          const value = {};
          table.add(one, value);
          expected.set(one, value);
        }
        // Also what was found just before it went.
        assert.equal(table.find(one), expected.get(one));
      }
      check(
        table,
        expected,
        steps.map((one) => one.id),
      );
    }),
    { numRuns: 60 },
  );
});

test("F46: ids of one hash find each other's places taken, and are found all the same", () => {
  const ids = sameHash(200);
  const table = new IdTable<object>();
  const expected = new Map<bigint, object>();
  for (const one of ids) {
    const value = {};
    table.add(one, value);
    expected.set(one, value);
  }
  check(table, expected, ids);
  for (const one of ids.filter((_, at) => at % 3 === 0)) {
    table.delete(one);
    expected.delete(one);
  }
  check(table, expected, ids);
});

/** Ids that all have the same hash: for each upper half there is a lower one, since what it is multiplied with is odd. */
function sameHash(count: number): bigint[] {
  let inverse = 1;
  for (let step = 0; step < 5; step++) inverse = Math.imul(inverse, 2 - Math.imul(0x9e3779b1, inverse));
  return Array.from({ length: count }, (_, high) => {
    const low = Math.imul(Math.imul(high, 0x85ebca6b), inverse);
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
  });
}
