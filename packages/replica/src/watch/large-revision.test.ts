import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeleteRangeRequest } from "@holdfast/protocol";
import fc from "fast-check";
import { byteString, Harness } from "../testing/harness.js";

test("F14, WATCH-19, LIMIT catchUpEvents: a revision of very many changes is given whole, in order, but not made in one turn", async () => {
  const harness = await Harness.start({ catchUpEvents: 10 });
  await harness.grant(7n, 600);
  const names = Array.from({ length: 25 }, (_, i) => `k${100 + i}`);
  for (const name of names) await harness.put(name, "", 7n);
  const range = harness.watch("k", { rangeEnd: "l" });
  const other = harness.watch("x", { rangeEnd: "y" });
  const single = harness.watch("k105");
  const gone = harness.watch("k", { rangeEnd: "l" });
  await harness.propose({ kind: "leaseRevoke", leaseId: 7n });
  // Watchers of single keys are told in the turn in which it was applied.
  assert.deepEqual(single.all, ["-k105@27"]);
  harness.replica.watches.remove(gone.watcher);
  assert.equal(harness.replica.watches.isCaughtUp(other.watcher), true);
  await harness.put("k200");
  await harness.settle();
  assert.ok(range.pauses >= 2, `${range.pauses} pauses`);
  assert.deepEqual(
    range.responses.map(({ events }) => events),
    [names.map((name) => `-${name}@27`), ["k200@28"]],
  );
  assert.deepEqual([other.all, gone.all, harness.replica.watches.behindCount], [[], [], 0]);
});

test("F14, WATCH-21: whatever is deleted at once and watched, each watcher is given what it would be without slices", async () => {
  const key = fc.integer({ min: 0, max: 30 });
  const interval = fc.tuple(key, key).map(([a, b]) => [name(Math.min(a, b)), name(Math.max(a, b) + 1)] as const);
  const step = fc.oneof(
    fc.record({ put: fc.array(key, { minLength: 1, maxLength: 9 }) }),
    fc.record({ cut: interval }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.array(interval, { maxLength: 4 }),
      async (steps, watched) => {
        const [sliced, whole] = [await play(steps, watched, 2), await play(steps, watched, 1_000)];
        assert.deepEqual(sliced, whole);
      },
    ),
    { numRuns: 60 },
  );
});

type Step = { readonly put: readonly number[] } | { readonly cut: readonly [string, string] };

function name(number: number): string {
  return `k${String(number).padStart(2, "0")}`;
}

/** What each watcher is told when all of this happens; `catchUpEvents` is the limit. */
async function play(
  steps: readonly Step[],
  watched: readonly (readonly [string, string])[],
  catchUpEvents: number,
): Promise<string[][]> {
  const harness = await Harness.start({ catchUpEvents });
  const recorders = watched.map(([from, to]) => harness.watch(from, { rangeEnd: to }));
  for (const taken of steps) {
    if ("put" in taken) for (const number of taken.put) await harness.put(name(number));
    else {
      const [from, to] = taken.cut;
      const request = createDeleteRangeRequest({ key: byteString(from), rangeEnd: byteString(to) });
      await harness.propose({ kind: "deleteRange", request });
    }
  }
  await harness.settle();
  await harness.settle();
  return recorders.map(({ all }) => all);
}
