import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StreamTable } from "./stream-table.js";

test("the table behaves like a map, whatever is opened and closed", () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 300 }).map((n) => 2 * n + 1), open: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const table = new StreamTable<{ readonly id: number }>();
      const model = new Map<number, { readonly id: number }>();
      for (const { id, open } of steps) {
        const known = model.get(id);
        assert.equal(table.get(id), known);
        if (open && known === undefined) {
          const stream = { id };
          table.add(stream);
          model.set(id, stream);
        } else if (!open && known !== undefined) {
          assert.equal(table.delete(known), true);
          model.delete(id);
          assert.equal(table.delete(known), false);
        }
        assert.equal(table.size, model.size);
      }
      assert.deepEqual(new Set(table.list()), new Set(model.values()));
    }),
  );
});

test("a few streams with far apart ids do not make the table grow", () => {
  const table = new StreamTable<{ readonly id: number }>();
  const streams = Array.from({ length: 4 }, (_, n) => ({ id: 1 + n * 2 * 4_096 }));
  for (const stream of streams) table.add(stream);
  for (const stream of streams) assert.equal(table.get(stream.id), stream);
  assert.equal(table.get(3), undefined);
  table.clear();
  assert.equal(table.size, 0);
  assert.deepEqual(table.list(), []);
});
