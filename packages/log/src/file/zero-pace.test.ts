import assert from "node:assert/strict";
import { test } from "node:test";
import { realEnvironment } from "../environment.js";
import { checkedLimits } from "../limits.js";
import { ZeroPace } from "./zero-pace.js";

const { zeroSliceBytes, zeroSliceUnhurriedBytes, zeroPauseMs } = checkedLimits();

/** A pace whose timers run when told to. */
function pace(usedShare: () => number = () => 0) {
  const timers = new Set<() => void>();
  const delays: number[] = [];
  const after = (delayMs: number, callback: () => void) => {
    delays.push(delayMs);
    timers.add(callback);
    return () => void timers.delete(callback);
  };
  return { pace: new ZeroPace({ ...realEnvironment, after }, checkedLimits(), usedShare), timers, delays };
}

/** Whether `promise` is still open once everything that can run has run. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  let open = true;
  void promise.then(() => {
    open = false;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return open;
}

test("F8: while there is time, slices are small and a pause follows each", async () => {
  const { pace: unhurried, timers, delays } = pace();
  assert.equal(await unhurried.next(0), zeroSliceUnhurriedBytes);
  const second = unhurried.next(0.1);
  assert.equal(await isOpen(second), true);
  for (const fire of timers) fire();
  assert.equal(await second, zeroSliceUnhurriedBytes);
  assert.deepEqual(delays, [zeroPauseMs]);
});

test("a segment that fills up half as fast as the next one is made, or faster, leaves no time", async () => {
  let used = 0.1;
  const { pace: pressed, timers } = pace(() => used);
  assert.equal(await pressed.next(0.19), zeroSliceBytes);
  const next = pressed.next(0.2);
  assert.equal(await isOpen(next), true);
  used = 0.5;
  for (const fire of timers) fire();
  assert.equal(await next, zeroSliceBytes);
});

test("whoever waits for a segment ends the pause, and there is no other until the next segment", async () => {
  const { pace: awaited, timers } = pace();
  const slice = awaited.next(0.5);
  assert.equal(await isOpen(slice), true);
  awaited.hurry();
  assert.equal(await slice, zeroSliceBytes);
  assert.equal(timers.size, 0);
  assert.equal(await awaited.next(0.6), zeroSliceBytes);
  awaited.restart();
  assert.equal(await awaited.next(0), zeroSliceUnhurriedBytes);
});
