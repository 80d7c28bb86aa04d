/** What the quota counts, to the byte, and when it raises its alarm (MAINT-6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { authService, etcdErrors, maintenanceService } from "@holdfast/protocol";
import { authReserveBytes } from "../limits.js";
import { GatedLog } from "../testing/gated-log.js";
import { Services, until } from "../testing/services.js";
import { rejectsAs, rejectsAsUnknown } from "../testing/status-error.js";

const auth = authService.methods;

/** What a put of key "a" costs besides its value: the overhead and the key (MAINT-6). */
const putBytes = 257;

test("MAINT-6: a put may bring the store to one byte below the quota, and not to the quota", async (t) => {
  const services = await Services.start(t, { quotaBytes: putBytes + 10 });
  const client = await services.connect();
  await client.put("a", "x".repeat(9));
  const full = await Services.start(t, { quotaBytes: putBytes + 10 });
  await rejectsAs((await full.connect()).put("a", "x".repeat(10)), etcdErrors.noSpace);
  assert.equal(full.replica.machine.alarms().length, 1);
  assert.equal(services.replica.machine.alarms().length, 0);
});

test("MAINT-6: what waits for the log counts in, and raises no alarm, because it may come to nothing", async (t) => {
  const log = await GatedLog.open();
  const services = await Services.start(t, { log, quotaBytes: 10_000 });
  const client = await services.connect();
  log.hold();
  // Refused when it is applied, so that the store stays empty.
  const doomed = rejectsAs(client.put("a", "x".repeat(6_000), 99n), etcdErrors.leaseNotFound);
  await until(() => log.holds);
  const refused = [
    rejectsAs(client.put("a", "x".repeat(6_000)), etcdErrors.requestTooManyRequests),
    rejectsAsUnknown(client.lock("x".repeat(6_000), 99n), etcdErrors.requestTooManyRequests),
  ];
  // Answered after those before it on the connection were judged; only then may the log go on.
  await client.call(maintenanceService.methods.status);
  log.release();
  await Promise.all(refused);
  await doomed;
  assert.deepEqual(services.replica.machine.alarms(), []);
  await client.put("a", "x".repeat(6_000));
  await rejectsAs(client.put("b", "x".repeat(6_000)), etcdErrors.noSpace);
  assert.equal(services.replica.machine.alarms().length, 1);
});

test("MAINT-6, MAINT-4: users and roles cannot grow without bound, and a full store can still be administered", async (t) => {
  const services = await Services.start(t, { quotaBytes: 1_000 });
  const client = await services.connect();
  await rejectsAs(client.put("a", "x".repeat(1_000)), etcdErrors.noSpace);
  // Under the alarm, and past the quota.
  const half = authReserveBytes / 2;
  await client.call(auth.roleAdd, { name: "r".repeat(half) });
  await client.call(auth.userAdd, { name: "ann", password: "ann" });
  await client.call(auth.roleAdd, { name: "small" });
  await client.call(auth.userGrantRole, { user: "ann", role: "small" });
  await rejectsAs(client.call(auth.roleAdd, { name: "s".repeat(half + 1_000) }), etcdErrors.noSpace);
  await rejectsAs(client.call(auth.userAdd, { name: "u".repeat(half + 1_000), password: "p" }), etcdErrors.noSpace);
  await client.call(auth.roleDelete, { role: "r".repeat(half) });
  await client.call(auth.roleAdd, { name: "s".repeat(half) });
});
