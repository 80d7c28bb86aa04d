/** What the quota counts, to the byte, and when it raises its alarm (MAINT-6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, openMemoryLog } from "@holdfast/log";
import { AlarmAction, AlarmType, authService, etcdErrors, leaseService, maintenanceService } from "@holdfast/protocol";
import { authReserveBytes } from "../limits.js";
import { GatedLog } from "../testing/gated-log.js";
import { Services, until } from "../testing/services.js";
import { rejectsAs, rejectsAsUnknown } from "../testing/status-error.js";
import { byteString } from "../testing/test-client.js";

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

test("F6, MAINT-4: a log without room raises NOSPACE; what frees space, reads, renewals and watches go on, until it is disarmed", async (t) => {
  const log = await GatedLog.open();
  const services = await Services.start(t, { log });
  const client = await services.connect();
  await client.grant(1n, 60);
  await client.put("a", "1", 1n);
  await client.put("b");
  const watch = await client.watch({ key: byteString("a"), rangeEnd: byteString("c") });
  log.isFull = true;
  const together = [rejectsAs(client.put("c"), etcdErrors.noSpace), client.delete("b")];
  await Promise.all(together);
  assert.deepEqual(services.replica.machine.alarms(), [{ memberId: 8n, alarm: AlarmType.NOSPACE }]);
  await rejectsAs(client.grant(2n, 60), etcdErrors.noSpace);
  assert.equal((await client.get("a"))?.lease, 1n);
  const keepAlive = client.open(leaseService.methods.leaseKeepAlive);
  keepAlive.send({ id: 1n });
  assert.equal((await keepAlive.next()).ttl, 60);
  await client.revoke(1n);
  const events = [...(await watch.next()).events, ...(await watch.next()).events];
  assert.deepEqual(
    events.map(({ kv }) => kv?.key),
    ["b", "a"],
  );
  // Nothing is tried until somebody says that there is room again.
  log.isFull = false;
  await rejectsAs(client.put("c"), etcdErrors.noSpace);
  const disarm = { action: AlarmAction.DEACTIVATE, memberId: 8n, alarm: AlarmType.NOSPACE };
  await client.call(maintenanceService.methods.alarm, disarm);
  await client.put("c");
});

test("F6: while the alarm is raised, what it stops is not written to the log", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const alarm = { action: AlarmAction.ACTIVATE, memberId: 8n, alarm: AlarmType.NOSPACE };
  await client.call(maintenanceService.methods.alarm, alarm);
  const index = services.replica.appliedIndex;
  await rejectsAs(client.put("a"), etcdErrors.noSpace);
  await rejectsAs(client.grant(1n, 60), etcdErrors.noSpace);
  await rejectsAsUnknown(client.lock("n", 0n), etcdErrors.noSpace);
  assert.equal(services.replica.appliedIndex, index);
});

test("F6: the alarm of a full disk outlives a restart on it, and leases still end", async (t) => {
  const store = new MemoryStore();
  const log = new GatedLog(await openMemoryLog({ store }));
  const services = await Services.start(t, { log });
  const client = await services.connect();
  await client.grant(1n, 2);
  await client.put("a", "1", 1n);
  log.isFull = true;
  await rejectsAs(client.put("b"), etcdErrors.noSpace);
  await services.replica.close();
  const again = new GatedLog(await openMemoryLog({ store }));
  again.isFull = true;
  const restarted = await Services.start(t, { log: again });
  assert.deepEqual(restarted.replica.machine.alarms(), [{ memberId: 8n, alarm: AlarmType.NOSPACE }]);
  restarted.time.advance(10_000);
  await until(() => restarted.replica.machine.leaseCount === 0);
  assert.equal(restarted.replica.machine.keyCount, 0);
});
