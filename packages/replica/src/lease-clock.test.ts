import assert from "node:assert/strict";
import { test } from "node:test";
import { LeaseClock } from "./lease-clock.js";

const tickMs = 100;

function clockAt(start: number): { clock: LeaseClock; set: (ms: number) => void } {
  let nowMs = start;
  const clock = new LeaseClock(() => nowMs, tickMs);
  return {
    clock,
    set: (ms) => {
      nowMs = ms;
    },
  };
}

test("I6: the lease clock follows the monotonic clock while ticks come in time", () => {
  const { clock, set } = clockAt(5_000);
  for (let ms = 5_100; ms <= 8_000; ms += tickMs) {
    set(ms);
    assert.equal(clock.tick(), true);
  }
  assert.equal(clock.read(), 3_000);
});

test("I6: between ticks the clock reads the time that has passed since", () => {
  const { clock, set } = clockAt(0);
  set(70);
  assert.equal(clock.read(), 70);
});

test("F13: a stall counts as at most two ticks, and its tick is late", () => {
  const { clock, set } = clockAt(0);
  set(60_000);
  assert.equal(clock.read(), 2 * tickMs);
  assert.equal(clock.tick(), false);
  assert.equal(clock.read(), 2 * tickMs);
  set(60_100);
  assert.equal(clock.tick(), true);
  assert.equal(clock.read(), 3 * tickMs);
});

test("F12: a clock that stands still or steps back does no harm", () => {
  const { clock, set } = clockAt(1_000);
  set(1_050);
  assert.equal(clock.tick(), true);
  set(900);
  assert.equal(clock.read(), 50);
  assert.equal(clock.tick(), true);
  assert.equal(clock.read(), 50);
});
