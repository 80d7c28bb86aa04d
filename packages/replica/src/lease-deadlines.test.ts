import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LeaseDeadlines, type LeaseTimer } from "./lease-deadlines.js";

const bucketMs = 100;

function lease(leaseId: bigint, ttlSeconds: number, grantNumber = Number(leaseId)) {
  return { leaseId, ttlSeconds, grantNumber, keys: new Set<never>() };
}

function ids(timers: Array<{ leaseId: bigint }>): bigint[] {
  return timers.map((timer) => timer.leaseId);
}

function dueAt(deadlines: LeaseDeadlines, clockMs: number, looksMax = 1_000): LeaseTimer[] {
  const due: LeaseTimer[] = [];
  do deadlines.takeDue(clockMs, looksMax, (timer) => due.push(timer) < 2);
  while (!deadlines.isExhausted(clockMs));
  return due;
}

test("LEASE-9: a lease is not due before its TTL has fully passed, and is soon after", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  deadlines.start(lease(7n, 2), 130);
  assert.deepEqual(ids(dueAt(deadlines, 2_129)), []);
  assert.deepEqual(ids(dueAt(deadlines, 2_230)), [7n]);
});

test("LEASE-18: renewing gives the full TTL from the moment of renewal", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  deadlines.start(lease(7n, 2), 0);
  const timer = deadlines.get(7n);
  assert.ok(timer);
  deadlines.renew(timer, 1_500);
  assert.deepEqual(ids(dueAt(deadlines, 3_400)), []);
  assert.deepEqual(ids(dueAt(deadlines, 3_600)), [7n]);
});

test("F22: a deadline never moves back", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  deadlines.start(lease(7n, 2), 1_000);
  const timer = deadlines.get(7n);
  assert.ok(timer);
  deadlines.renew(timer, 500);
  assert.equal(timer.deadlineMs, 3_000);
});

test("F15: a lease of 30 days and one of the largest TTL are alive after ten ticks", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  deadlines.start(lease(1n, 30 * 86_400), 0);
  deadlines.start(lease(2n, 9_000_000_000), 0);
  for (let clockMs = 0; clockMs <= 1_000; clockMs += 100) assert.deepEqual(dueAt(deadlines, clockMs), []);
  assert.equal(deadlines.size, 2);
});

test("a due lease is named once, and again only after its end was refused", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  deadlines.start(lease(7n, 2), 0);
  const [timer] = dueAt(deadlines, 2_000);
  assert.ok(timer?.ending);
  assert.deepEqual(dueAt(deadlines, 2_500), []);
  deadlines.retry(timer, 2_500);
  assert.deepEqual(ids(dueAt(deadlines, 2_700)), [7n]);
});

test("F14, LIMIT expiryLooks: no more leases are looked at in one go than may be, and a lease can be renewed until it is its turn", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  for (let id = 1n; id <= 10n; id++) deadlines.start(lease(id, 2), 0);
  const named: bigint[] = [];
  const look = () => deadlines.takeDue(2_000, 4, (timer) => named.push(timer.leaseId) < 100);
  // Buckets that have come up are looked at too.
  while (named.length === 0) look();
  const first = named.length;
  assert.ok(first <= 4);
  assert.equal(deadlines.isExhausted(2_000), false);
  const [last, beforeLast] = [deadlines.get(10n), deadlines.get(9n)];
  assert.ok(last && beforeLast && !last.ending);
  deadlines.renew(last, 2_000);
  deadlines.end(9n, 9);
  look();
  assert.ok(named.length > first && named.length <= first + 4);
  while (!deadlines.isExhausted(2_000)) look();
  assert.deepEqual(named, [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
  assert.deepEqual(ids(dueAt(deadlines, 4_000)), [10n]);
});

test("the end of an old grant leaves a new grant of the same id alone", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  deadlines.start(lease(7n, 2, 1), 0);
  deadlines.start(lease(7n, 2, 5), 100);
  deadlines.end(7n, 1);
  assert.equal(deadlines.get(7n)?.grantNumber, 5);
  assert.deepEqual(
    dueAt(deadlines, 2_300).map((timer) => timer.grantNumber),
    [5],
  );
});

test("LEASE-30: leases are listed the soonest to expire first", () => {
  const deadlines = new LeaseDeadlines(bucketMs);
  deadlines.start(lease(1n, 60), 0);
  deadlines.start(lease(2n, 5), 0);
  deadlines.start(lease(3n, 30), 0);
  assert.deepEqual(ids(deadlines.bySoonest()), [2n, 3n, 1n]);
});

test("I6: under any mix of starts, renewals and ends, each lease comes due in [deadline, deadline + bucket]", () => {
  const step = fc.record({
    advanceMs: fc.integer({ min: 0, max: 700 }),
    action: fc.constantFrom("start", "renew", "end"),
    leaseId: fc.bigInt({ min: 1n, max: 6n }),
    ttlSeconds: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 9 }), (steps, looksMax) => {
      const deadlines = new LeaseDeadlines(bucketMs);
      const expected = new Map<bigint, number>();
      let clockMs = 0;
      let grantNumber = 0;
      for (const { advanceMs, action, leaseId, ttlSeconds } of steps) {
        clockMs += advanceMs;
        for (const due of dueAt(deadlines, clockMs, looksMax)) {
          assert.ok((expected.get(due.leaseId) ?? Number.POSITIVE_INFINITY) <= clockMs, "early");
          expected.delete(due.leaseId);
          deadlines.end(due.leaseId, due.grantNumber);
        }
        for (const deadlineMs of expected.values()) assert.ok(deadlineMs > clockMs - bucketMs, "late");
        const timer = deadlines.get(leaseId);
        if (action === "start" && timer === undefined) {
          deadlines.start(lease(leaseId, ttlSeconds, ++grantNumber), clockMs);
          expected.set(leaseId, clockMs + ttlSeconds * 1000);
        } else if (action === "renew" && timer !== undefined) {
          deadlines.renew(timer, clockMs);
          expected.set(leaseId, clockMs + timer.ttlSeconds * 1000);
        } else if (action === "end" && timer !== undefined) {
          deadlines.end(leaseId, timer.grantNumber);
          expected.delete(leaseId);
        }
      }
    }),
  );
});
