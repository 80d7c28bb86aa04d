import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "@holdfast/protocol";
import fc from "fast-check";
import { LeaseKeys } from "./lease-keys.js";

test("the keys of a lease are a set, however many there are", () => {
  const step = fc.record({ adds: fc.boolean(), key: fc.constantFrom("", "a", "b", "c") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const keys = new LeaseKeys();
      const model = new Set<string>();
      for (const { adds, key } of steps) {
        const had = model.has(key);
        assert.equal(adds ? keys.add(key as ByteString) : keys.delete(key as ByteString), adds !== had);
        if (adds) model.add(key);
        else model.delete(key);
        assert.equal(keys.size, model.size);
        assert.deepEqual([...keys].sort(), [...model].sort());
        for (const one of ["", "a", "b", "c"]) assert.equal(keys.has(one as ByteString), model.has(one));
      }
    }),
  );
});
