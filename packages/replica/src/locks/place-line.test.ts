import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "@holdfast/protocol";
import fc from "fast-check";
import { type Place, PlaceLine, placePrefix } from "./place-line.js";

const key = (text: string): ByteString => text as ByteString;

test("LOCK-1: a place is told by the lease in lower-case hex behind the last slash", () => {
  const prefixes = [
    ["n/7b", 0x7bn],
    ["/7b", 0x7bn],
    ["deep/er//7b", 0x7bn],
    ["n/-7b", -0x7bn],
    ["n/7fffffffffffffff", 2n ** 63n - 1n],
    ["n/-8000000000000000", -(2n ** 63n)],
  ] as const;
  assert.deepEqual(
    prefixes.map(([text, lease]) => placePrefix(key(text), lease)),
    ["n/", "/", "deep/er//", "n/", "n/", "n/"],
  );
});

test("LOCK-1, NODE-1: any other key is none, that with the lease in decimal among them", () => {
  const others = [
    ["7b", 0x7bn],
    ["n/7B", 0x7bn],
    ["n/07b", 0x7bn],
    ["n/0x7b", 0x7bn],
    ["n/7b/", 0x7bn],
    ["n/7b/config", 0x7bn],
    ["n/7b", 0x7cn],
    ["n/7b", -0x7bn],
    ["n/7-b", 0x7bn],
    ["n/", 0x7bn],
    ["", 0x7bn],
    ["n/123", 123n],
    [`n/${"0".repeat(100)}7b`, 0x7bn],
    ["10.0.0.1:8080", 0x8080n],
  ] as const;
  for (const [text, lease] of others) assert.equal(placePrefix(key(text), lease), undefined, text);
});

test("ELECT-2: keys made by one transaction stand in byte order", () => {
  const line = new PlaceLine(key("n/"));
  for (const name of ["n/c", "n/a", "n/b"]) line.add(key(name), 7, 1n, Number.NaN);
  line.add(key("n/x"), 2, 1n, Number.NaN);
  assert.deepEqual(emptied(line), ["n/x", "n/a", "n/b", "n/c"]);
});

test("the oldest is right, and every place is found, after every coming and going, in whatever order they happen", () => {
  const steps = fc.array(fc.record({ joins: fc.boolean(), number: fc.nat(40) }), { maxLength: 80 });
  fc.assert(
    fc.property(steps, (all) => {
      const line = new PlaceLine(key("n/"));
      const living = new Map<number, Place>();
      for (const { joins, number } of all) {
        const place = living.get(number);
        if (place === undefined && joins) living.set(number, line.add(key(`n/${number}`), number, 1n, Number.NaN));
        else if (place !== undefined && !joins) {
          line.remove(place);
          living.delete(number);
          assert.equal(place.at, -1);
        }
        assert.equal(line.oldest?.createRevision, living.size === 0 ? undefined : Math.min(...living.keys()));
        for (let other = 0; other <= 40; other++) assert.equal(line.find(key(`n/${other}`)), living.get(other));
      }
    }),
  );
});

/** Its keys, taken out one after the other. */
function emptied(line: PlaceLine): string[] {
  const keys: string[] = [];
  for (let { oldest } = line; oldest !== undefined; { oldest } = line) {
    keys.push(oldest.key);
    line.remove(oldest);
  }
  return keys;
}
