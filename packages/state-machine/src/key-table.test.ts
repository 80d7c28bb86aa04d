/**
 * The table of keys against a map, with keys of all kinds.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "@holdfast/protocol";
import fc from "fast-check";
import { KeyTable } from "./key-table.js";
import { keyTableProbesMax } from "./limits.js";
import { key } from "./testing/builders.js";

/** A table with its keys, whose numbers are handed out one after the other. */
class Tried {
  readonly names: ByteString[] = [];
  readonly numbers = new Map<ByteString, number>();
  comparisons = 0;
  readonly table = new KeyTable({
    hasKey: (number, name) => {
      this.comparisons += 1;
      return this.names[number] === name;
    },
  });

  add(name: ByteString): void {
    const number = this.names.push(name) - 1;
    this.numbers.set(name, number);
    this.table.add(name, number);
  }

  delete(name: ByteString): void {
    this.table.delete(name, this.numbers.get(name)!);
    this.numbers.delete(name);
  }

  check(names: Iterable<ByteString>): void {
    assert.equal(this.table.size, this.numbers.size);
    for (const name of names) assert.equal(this.table.find(name), this.numbers.get(name));
  }
}

test("finds what was added and not deleted, as a map does", () => {
  const name = fc.oneof(
    fc.nat(2000).map((number) => key(`k${number}`)),
    fc.nat(2000).map((number) => key(`${number}/a/long/name/with/the/same/end`)),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => key(String.fromCharCode(...bytes))),
  );
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 3000, size: "max" }), (names) => {
      const tried = new Tried();
      for (const one of names) {
        if (tried.numbers.has(one)) tried.delete(one);
        else tried.add(one);
      }
      tried.check(names);
    }),
    { numRuns: 50 },
  );
});

test("F46: keys that share a hash are all found, and looking for one is not held up by all others", () => {
  const names = sameHash(16 * keyTableProbesMax);
  const tried = new Tried();
  for (const name of names) tried.add(name);
  for (const name of names.filter((_, index) => index % 3 === 0)) tried.delete(name);
  tried.comparisons = 0;
  tried.check(names);
  assert.ok(tried.comparisons > names.length * 4, "the keys do not collide");
  assert.ok(tried.comparisons <= names.length * keyTableProbesMax);
  for (const name of names.filter((_, index) => index % 3 === 0)) tried.add(name);
  tried.check(names);
});

/** So many keys of one hash, as somebody can make them who has read `hashOf`: the second half undoes what the first half did. */
function sameHash(count: number): ByteString[] {
  return Array.from({ length: count }, (_, number) => {
    let hash = Math.imul(8 ^ number, 0x9e3779b1);
    hash ^= hash >>> 15;
    return key(fourBytes(number) + fourBytes(hash));
  });
}

function fourBytes(word: number): string {
  return String.fromCharCode(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
}
