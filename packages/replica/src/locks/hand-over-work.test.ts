import assert from "node:assert/strict";
import { test } from "node:test";
import { byteString, Harness } from "../testing/harness.js";
import { countBlocks } from "../testing/work-count.js";

const prefix = byteString("n/");
const lockCode = "/replica/dist/locks/lock-queue";

interface Crowd {
  readonly harness: Harness;
  readonly granted: string[];
  /** Makes contender `i` wait. */
  wait(i: number): void;
}

/** A name with a holder and `waiters` keys behind it, of which nobody waits yet. */
async function crowd(waiters: number): Promise<Crowd> {
  const harness = await Harness.start({ lockFillingKeys: 6_000 });
  const granted: string[] = [];
  const createRevisions: number[] = [];
  for (let i = 0; i <= waiters; i++) createRevisions.push(await harness.put(`n/${i}`));
  const wait = (i: number): void => {
    const waiter = { granted: () => granted.push(`${i}`), lost: () => assert.fail(`${i} lost`) };
    const result = harness.replica.locks.wait(prefix, byteString(`n/${i}`), createRevisions[i] as number, waiter);
    assert.equal(result, "waiting");
  };
  return { harness, granted, wait };
}

/** The work of the lock code for the first wait, a later wait, a hand-over, and a departure from the middle. */
async function measure(waiters: number): Promise<{ build: number; join: number; handOver: number; leave: number }> {
  const { harness, granted, wait } = await crowd(waiters);
  const build = await countBlocks(lockCode, async () => wait(1));
  for (let i = 2; i < waiters; i++) wait(i);
  const join = await countBlocks(lockCode, async () => wait(waiters));
  const handOver = await countBlocks(lockCode, () => harness.delete("n/0"));
  assert.deepEqual(granted, ["1"]);
  const ordinary = byteString("n/ordinary");
  await harness.put(ordinary);
  const leave = await countBlocks(lockCode, () => harness.delete(ordinary));
  return { build, join, handOver, leave };
}

test("LOCK-4: joining, handing over and leaving cost no more work with 5,000 waiters than with 10", async () => {
  const few = await measure(10);
  const many = await measure(5_000);
  for (const part of ["join", "handOver", "leave"] as const) {
    assert.ok(many[part] > 0, `${part}: nothing was counted`);
    // The counts of the first run include what is done only once.
    assert.ok(many[part] <= 2 * few[part], `${part}: ${many[part]} blocks instead of ${few[part]}`);
  }
  // What does depend on the number of keys is making the queue, once: so the count can tell.
  assert.ok(many.build > 100 * few.build);
});
