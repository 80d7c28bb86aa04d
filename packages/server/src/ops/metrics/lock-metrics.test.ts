import assert from "node:assert/strict";
import { test } from "node:test";
import { newHttpCounters } from "../../http/counters.js";
import { newNetCounters } from "../../net/counters.js";
import { readExposition } from "../../testing/exposition.js";
import { ask } from "../../testing/pages.js";
import { Services, until } from "../../testing/services.js";
import { opsRoutes } from "../ops-routes.js";

/** The samples of the lock metrics that are not 0, buckets left out. */
async function lockSamples({ context, grpc }: Services): Promise<Record<string, number>> {
  const counters = { http: newHttpCounters(), net: newNetCounters() };
  const routes = opsRoutes({ context, grpc, ...counters, logMeter: undefined, callDurations: undefined });
  const families = readExposition((await ask(routes, "/metrics"))?.body ?? "");
  const samples = [...families].flatMap(([name, { samples: own }]) => (/^holdfast_lock/.test(name) ? [...own] : []));
  return Object.fromEntries(samples.filter(([name, value]) => value !== 0 && !name.includes("_bucket")));
}

test("LOCK-27: locks by plain writes, as Go's Mutex and etcdctl make them, and by Lock are shown alike", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  for (const lease of [0x1an, 0x2bn, 0x3cn]) await client.grant(lease);
  await client.put("n/1a", "", 0x1an);
  const waiting = client.lock("n", 0x2bn);
  await until(() => services.replica.locks.waiterCount === 1);
  await client.put("n/3c", "", 0x3cn);
  assert.deepEqual(await lockSamples(services), {
    holdfast_locks_held: 1,
    holdfast_lock_waiting_places: 2,
    holdfast_lock_waiting_calls: 1,
    holdfast_lock_wait_seconds_count: 1,
  });
  await client.revoke(0x1an);
  assert.equal(await waiting, "n/2b");
  await client.delete("n/3c");
  assert.deepEqual(await lockSamples(services), {
    holdfast_locks_held: 1,
    holdfast_lock_wait_seconds_count: 2,
    holdfast_lock_hold_seconds_count: 1,
    'holdfast_lock_losses_total{reason="lease_revoked"}': 1,
    'holdfast_lock_abandoned_waits_total{reason="given_up"}': 1,
    holdfast_lock_hand_overs_total: 1,
  });
});
