import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomIds } from "./random-ids.js";

test("ids are positive, of 63 bits, and none comes twice", () => {
  const ids = new RandomIds();
  const seen = new Set<bigint>();
  for (let count = 0; count < 5_000; count++) seen.add(ids.next());
  assert.equal(seen.size, 5_000);
  for (const id of seen) assert.ok(id > 0n && id < 2n ** 63n);
  // That of all of them the upper half is empty has a chance of 2^-160000.
  assert.ok([...seen].some((id) => id >= 2n ** 62n));
});
