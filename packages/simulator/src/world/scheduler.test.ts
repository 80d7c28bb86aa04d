import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventKind } from "./owner.js";
import { SeededRandom } from "./random.js";
import { Scheduler } from "./scheduler.js";

function scheduler(seed = 1): Scheduler {
  return new Scheduler(new SeededRandom(seed));
}

async function drained(it: Scheduler): Promise<void> {
  await it.run(() => false);
}

test("events come in the order of their times, and virtual time is theirs", async () => {
  const it = scheduler();
  const seen: [string, number][] = [];
  for (const [name, ms] of [
    ["c", 30],
    ["a", 10],
    ["b", 20],
  ] as const) {
    it.after(ms, "world", it.world, () => seen.push([name, it.nowMs]));
  }
  await drained(it);
  assert.deepEqual(seen, [
    ["a", 10],
    ["b", 20],
    ["c", 30],
  ]);
});

test("what an event causes in promises and next ticks is done before the next event", async () => {
  const it = scheduler();
  const seen: string[] = [];
  it.after(1, "world", it.world, () => {
    process.nextTick(() => void Promise.resolve().then(() => process.nextTick(() => seen.push("caused"))));
  });
  it.after(1.0001, "world", it.world, () => seen.push("next"));
  await drained(it);
  assert.deepEqual(seen, ["caused", "next"]);
});

test("the order of events at the same time is the seed's", async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const it = scheduler(seed);
    const order: string[] = [];
    for (const name of "abc") it.after(5, "world", it.world, () => order.push(name));
    await drained(it);
    orders.add(order.join(""));
  }
  assert.equal(orders.size, 6);
});

test("F1: nothing happens any more to somebody who has died", async () => {
  const it = scheduler();
  const owner = it.owner("mortal");
  const seen: string[] = [];
  it.every(owner, 10, () => seen.push("tick"));
  it.after(25, "world", it.world, () => owner.die());
  await drained(it);
  assert.deepEqual(seen, ["tick", "tick"]);
});

test("F13: after a pause everything that waited happens at once, in any order of kinds that a loop can have", async () => {
  const firsts = new Set<EventKind>();
  for (let seed = 0; seed < 40; seed++) {
    const it = scheduler(seed);
    const owner = it.owner("paused");
    const seen: [EventKind, number][] = [];
    for (const kind of ["timer", "input", "deferred"] as const) {
      for (const ms of [3, 5]) it.after(ms, kind, owner, () => seen.push([kind, it.nowMs]));
    }
    it.pause(owner, 100);
    await drained(it);
    assert.equal(seen.length, 6);
    assert.ok(seen.every(([, ms]) => ms === 100));
    // Never mixed: a loop does one kind after the other.
    assert.equal(seen.filter(([kind], at) => kind !== seen[at - 1]?.[0]).length, 3);
    firsts.add((seen[0] as [EventKind, number])[0]);
  }
  assert.deepEqual([...firsts].sort(), ["deferred", "input", "timer"]);
});

test("F13: a task deferred while input waits runs behind that input", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const it = scheduler(seed);
    const owner = it.owner("paused");
    const seen: string[] = [];
    it.after(3, "timer", owner, () => it.defer(owner, () => seen.push("deferred")));
    it.after(4, "input", owner, () => seen.push("input"));
    it.pause(owner, 100);
    await drained(it);
    assert.deepEqual(seen, ["input", "deferred"]);
  }
});

test("F12: timers go by their owner's clock, never early, whatever its rate", async () => {
  for (const rate of [0.995, 1, 1.005]) {
    const it = scheduler();
    const owner = it.owner("clock", rate);
    const clock = it.clockOf(owner);
    let firedMs = 0;
    it.after(12.3, "world", it.world, () => {
      const startedMs = it.localMs(owner);
      clock.after(1_000, () => {
        firedMs = it.localMs(owner) - startedMs;
      });
    });
    await drained(it);
    assert.ok(firedMs >= 1_000 && firedMs < 1_000.1, `${firedMs} at rate ${rate}`);
  }
});

test("F12: a timer waits for as long as its owner's clock stood still", async () => {
  const it = scheduler();
  const owner = it.owner("suspended");
  let firedAtMs = 0;
  it.timer(owner, 50, () => {
    firedAtMs = it.nowMs;
  });
  it.after(10, "world", it.world, () => it.pause(owner, 1_000, true));
  await drained(it);
  assert.ok(Math.abs(firedAtMs - 1_050) < 0.01, `${firedAtMs}`);
});

test("a cancelled event does not happen, and what an event throws ends the run", async () => {
  const it = scheduler();
  it.after(1, "world", it.world, () => assert.fail("cancelled")).cancel();
  it.after(2, "world", it.world, () => {
    throw new Error("out");
  });
  await assert.rejects(drained(it), /out/);
});
