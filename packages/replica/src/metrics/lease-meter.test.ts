import assert from "node:assert/strict";
import { test } from "node:test";
import { Harness } from "../testing/harness.js";

test("grants, renewals and ends of leases are counted, expired ones apart", async () => {
  const harness = await Harness.start();
  const { leases } = harness.replica;
  await harness.grant(7n, 4);
  await harness.grant(8n, 100);
  harness.environment.advance(1_000);
  leases.renew(7n, () => {});
  harness.environment.advance(3_900);
  leases.renew(7n, () => {});
  leases.renew(99n, () => {});
  await harness.propose({ kind: "leaseRevoke", leaseId: 8n });
  harness.environment.advance(4_500);
  await harness.settle();
  const { granted, renewed, ended, expired, renewalShare, ttlSeconds } = leases.meter;
  assert.deepEqual({ granted, renewed, ended, expired }, { granted: 2, renewed: 2, ended: 2, expired: 1 });
  assert.deepEqual([renewalShare.count, renewalShare.sum], [2, 0.25 + 0.975]);
  assert.deepEqual([ttlSeconds.count, ttlSeconds.sum], [2, 104]);
});
