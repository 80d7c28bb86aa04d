import assert from "node:assert/strict";
import { test } from "node:test";
import { newCounters } from "../counters.js";
import { defaultLimits } from "../limits.js";
import { AbuseGuard } from "./abuse-guard.js";

function guard(): { guard: AbuseGuard; counters: ReturnType<typeof newCounters> } {
  const counters = newCounters();
  return { guard: new AbuseGuard(defaultLimits, counters, 0), counters };
}

test("F28: 200 resets at once are forgiven, then 50 per second", () => {
  const { guard: abuse, counters } = guard();
  for (let i = 0; i < 200; i++) assert.equal(abuse.reset(0, 0), true);
  assert.equal(abuse.reset(0, 0), false);
  assert.equal(counters.resetFloods, 1);
  const { guard: patient } = guard();
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 50; i++) assert.equal(patient.reset(second * 1_000, 0), true);
  }
});

test("F28: streams that lived for a second are reset for free, as when a client cancels a thousand waiters", () => {
  const { guard: abuse } = guard();
  for (let i = 0; i < 1_000; i++) assert.equal(abuse.reset(5_000, 1_000), true);
});

test("F34: pings at the floor are honest, three below it are not", () => {
  const { guard: abuse } = guard();
  for (let i = 1; i < 20; i++) assert.equal(abuse.ping(i * 5_000, true, 0), true);
  assert.equal(abuse.ping(95_001, true, 0), true);
  assert.equal(abuse.ping(95_002, true, 0), true);
  assert.equal(abuse.ping(95_003, true, 0), false);
});

test("F34: what we send forgives the strikes", () => {
  const { guard: abuse } = guard();
  for (let i = 0; i < 1_000; i++) {
    if (i % 3 === 0) abuse.forgivePings();
    assert.equal(abuse.ping(0, true, 0), true);
  }
});

test("F34: without an open stream the floor is two hours", () => {
  const { guard: abuse } = guard();
  assert.equal(abuse.ping(0, false, 0), true);
  assert.equal(abuse.ping(60_000, false, 0), true);
  assert.equal(abuse.ping(120_000, false, 0), true);
  assert.equal(abuse.ping(180_000, false, 0), false);
});

test("F36: a mebibyte of overhead per minute, and a new one in the next", () => {
  const { guard: abuse } = guard();
  assert.equal(abuse.overhead(0, 1024 * 1024), true);
  assert.equal(abuse.overhead(59_999, 1), false);
  assert.equal(abuse.overhead(60_000, 1024 * 1024), true);
});

test("F36: honest messages pay for their window updates", () => {
  const { guard: abuse } = guard();
  for (let i = 0; i < 100_000; i++) {
    assert.equal(abuse.overhead(0, 2 * 13), true);
    abuse.message(10);
  }
});

test("F34: each DATA frame we sent pays for one ping, up to a limit, and no more", () => {
  const abuse = new AbuseGuard({ ...defaultLimits, pingsPaidByDataMax: 10 }, newCounters(), 0);
  for (let i = 0; i < 10; i++) assert.equal(abuse.ping(i, true, 1_000), true);
  assert.equal(abuse.ping(10, true, 1_000), true);
  assert.equal(abuse.ping(11, true, 1_000), true);
  assert.equal(abuse.ping(12, true, 1_000), false);
});
