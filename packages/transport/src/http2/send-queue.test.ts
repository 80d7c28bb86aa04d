import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BufferPool } from "./buffer-pool.js";
import { Output } from "./output.js";
import { SendQueue } from "./send-queue.js";

test("bytes leave a queue in the order in which they came, in whatever portions", () => {
  const step = fc.oneof(
    fc.record({ append: fc.uint8Array({ maxLength: 3_000 }), own: fc.boolean(), take: fc.constant(0) }),
    fc.record({
      append: fc.constant(new Uint8Array(0)),
      own: fc.constant(false),
      take: fc.integer({ min: 1, max: 4_000 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new SendQueue();
      const output = new Output(new BufferPool());
      const appended: Uint8Array[] = [];
      for (const { append, own, take } of steps) {
        if (own && append.length > 0) queue.appendOwn(append);
        else queue.append(append);
        appended.push(append);
        queue.moveTo(output, Math.min(take, queue.bytes));
      }
      queue.moveTo(output, queue.bytes);
      assert.deepEqual(output.bytes.subarray(0, output.length), Buffer.concat(appended));
    }),
  );
});
