import assert from "node:assert/strict";
import { test } from "node:test";
import { Leases } from "./leases.js";
import { defaultReplicaLimits } from "./limits.js";
import { Replica } from "./replica.js";
import { Harness } from "./testing/harness.js";

/** What a renewal answers, once it does. */
function renew(harness: Pick<Harness, "replica">, leaseId: bigint): { ttlSeconds: number | undefined } {
  const answer: { ttlSeconds: number | undefined } = { ttlSeconds: undefined };
  harness.replica.leases.renew(leaseId, (ttlSeconds) => {
    answer.ttlSeconds = ttlSeconds;
  });
  return answer;
}

test("LEASE-9: a lease and its keys live for the whole TTL and are gone soon after", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 2);
  await harness.put("k", "v", 7n);
  const recorder = harness.watch("k");
  harness.environment.advance(1_999);
  await harness.settle();
  assert.deepEqual(recorder.all, []);
  harness.environment.advance(250);
  await harness.settle();
  assert.deepEqual(recorder.all, ["-k@3"]);
  assert.equal(harness.replica.machine.lease(7n), undefined);
  assert.equal(harness.replica.leases.time(7n), undefined);
});

test("LEASE-18: a renewal answers the granted TTL and gives all of it again", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 2);
  harness.environment.advance(1_500);
  assert.equal(renew(harness, 7n).ttlSeconds, 2);
  harness.environment.advance(1_900);
  await harness.settle();
  assert.notEqual(harness.replica.machine.lease(7n), undefined);
  harness.environment.advance(400);
  await harness.settle();
  assert.equal(harness.replica.machine.lease(7n), undefined);
});

test("LEASE-19: renewing an unknown lease answers 0", async () => {
  const harness = await Harness.start();
  assert.equal(renew(harness, 99n).ttlSeconds, 0);
});

test("I7, LEASE-20: once its end is proposed a lease is never revived; the renewal waits and answers 0", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 2);
  harness.environment.advance(2_300);
  // The end is proposed and not yet applied.
  assert.notEqual(harness.replica.machine.lease(7n), undefined);
  const answer = renew(harness, 7n);
  assert.equal(answer.ttlSeconds, undefined);
  await harness.settle();
  assert.equal(answer.ttlSeconds, 0);
  assert.equal(harness.replica.machine.lease(7n), undefined);
});

test("F13: a stall longer than the TTL ends no lease; the renewals that arrived meanwhile are read first", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 2);
  harness.environment.stall(60_000);
  await harness.settle();
  assert.notEqual(harness.replica.machine.lease(7n), undefined);
  assert.equal(harness.replica.leases.lateTicks, 1);
  assert.equal(renew(harness, 7n).ttlSeconds, 2);
  harness.environment.advance(1_900);
  await harness.settle();
  assert.notEqual(harness.replica.machine.lease(7n), undefined);
});

test("LEASE-39: a start gives every lease its full TTL again", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 10);
  harness.environment.advance(9_000);
  const { machine } = harness.replica;
  const restarted = await Harness.start();
  restarted.replica.leases.start([machine.lease(7n)].filter((lease) => lease !== undefined));
  assert.equal(restarted.replica.leases.time(7n)?.remainingMs, 10_000);
});

test("LEASE-40: a start raises a TTL below the least one of now", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 2);
  await harness.grant(8n, 60);
  const log = await harness.reopenLog();
  const { environment } = harness;
  const restarted = await Replica.start({ log, environment, leaseTtlMinSeconds: 8, onFatal: assert.fail });
  assert.deepEqual(restarted.leases.time(7n), { ttlSeconds: 8, remainingMs: 8_000 });
  assert.deepEqual(restarted.leases.time(8n), { ttlSeconds: 60, remainingMs: 60_000 });
  assert.equal(renew({ replica: restarted }, 7n).ttlSeconds, 8);
  await restarted.close();
});

test("LEASE-26: what is left falls with the clock", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 60);
  harness.environment.advance(1_234);
  assert.deepEqual(harness.replica.leases.time(7n), { ttlSeconds: 60, remainingMs: 58_766 });
});

test("LEASE-12: leases that end together make one revision each", async () => {
  const harness = await Harness.start({ expirySlice: 3 });
  for (let id = 1n; id <= 10n; id++) {
    await harness.grant(id, 2);
    await harness.put(`k${id}`, "", id);
  }
  const recorder = harness.watch("k", { rangeEnd: "l" });
  harness.environment.advance(2_500);
  await harness.settle();
  assert.equal(recorder.responses.length, 10);
  assert.equal(new Set(recorder.responses.map((response) => response.header)).size, 10);
  assert.equal(harness.replica.machine.leaseCount, 0);
});

test("the end of a lease that was revoked and granted anew in the meantime ends nothing", async () => {
  const harness = await Harness.start();
  await harness.grant(7n, 2);
  const grantNumber = harness.replica.machine.lease(7n)?.grantNumber ?? 0;
  await harness.propose({ kind: "leaseRevoke", leaseId: 7n });
  await harness.grant(7n, 2);
  const outcome = await harness.propose({ kind: "leaseExpire", leaseId: 7n, grantNumber });
  assert.deepEqual(outcome, { kind: "leaseExpire", ended: false });
  assert.notEqual(harness.replica.machine.lease(7n), undefined);
});

test("I6, F13: a stall between an on-time tick and the look for due leases ends nothing that the tick had not found due", () => {
  let nowMs = 0;
  let tick = (): void => {};
  const deferred: Array<() => void> = [];
  const ended: bigint[] = [];
  const leases = new Leases({
    environment: {
      nowMs: () => nowMs,
      every: (_intervalMs, run) => {
        tick = run;
        return () => {};
      },
      defer: (task) => void deferred.push(task),
      randomId: () => 1n,
    },
    limits: defaultReplicaLimits,
    keysOf: () => 0,
    expire: (command) => {
      if (command.kind === "leaseExpire") ended.push(command.leaseId);
    },
  });
  leases.start([{ leaseId: 7n, ttlSeconds: 2, grantNumber: 1, keys: new Set() }]);
  for (nowMs = 100; nowMs < 2_000; nowMs += 100) tick();
  // The last of these ticks was 100 ms before the deadline. Renewals that arrive in the stall are not read yet.
  nowMs += 60_000;
  for (const look of deferred.splice(0)) look();
  assert.deepEqual(ended, []);
});
