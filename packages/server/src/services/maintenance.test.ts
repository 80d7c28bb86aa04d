import assert from "node:assert/strict";
import { test } from "node:test";
import { LogFullError } from "@holdfast/log";
import {
  AlarmAction,
  type AlarmMember,
  AlarmType,
  clusterService,
  DowngradeAction,
  etcdErrors,
  etcdTexts,
  healthService,
  kvService,
  maintenanceService,
  ServingStatus,
  StatusCode,
} from "@holdfast/protocol";
import { GatedLog } from "../testing/gated-log.js";
import { Services, until } from "../testing/services.js";
import { rejectsAs, rejectsWith, StatusError } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { putOp, type TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

const { status, alarm, defragment } = maintenanceService.methods;
const { check, list, watch } = healthService.methods;

test("MAINT-1, K8S-2: the status names an etcd version, sizes, this member as leader, and the log's positions", async (t) => {
  const { client, server } = await start(t);
  const empty = await client.call(status);
  assert.ok(empty.dbSize > 0, "etcdctl divides by it");
  await client.put("a", "x".repeat(10_000));
  const answer = await client.call(status);
  const { clusterId, memberId } = server.running;
  assert.deepEqual(answer.header, { clusterId, memberId, revision: 2, raftTerm: 1 });
  assert.match(answer.version, /^3\.7\.\d+$/);
  assert.deepEqual([answer.storageVersion, answer.leader, answer.raftTerm], ["3.7.0", memberId, 1]);
  assert.deepEqual([answer.isLearner, answer.errors, answer.dbSizeQuota], [false, [], 2_147_483_648]);
  assert.deepEqual(answer.downgradeInfo, { enabled: false, targetVersion: "" });
  assert.ok(answer.dbSize >= answer.dbSizeInUse);
  assert.ok(answer.dbSizeInUse >= 10_000);
  assert.ok(answer.raftIndex >= answer.raftAppliedIndex);
  assert.ok(answer.raftAppliedIndex > empty.raftAppliedIndex);
});

/** An alarm in one word. */
function show({ alarm, memberId }: AlarmMember): string {
  return `${alarm}@${memberId}`;
}

async function changeAlarm(client: TestClient, action: AlarmAction, type: AlarmType, memberId = 0n): Promise<string[]> {
  return (await client.call(alarm, { action, alarm: type, memberId })).alarms.map(show);
}

test("MAINT-3: alarms are raised for the member that is named, listed by type, and cleared one by one", async (t) => {
  const { client } = await start(t);
  const { GET, ACTIVATE, DEACTIVATE } = AlarmAction;
  const { NONE, NOSPACE, CORRUPT } = AlarmType;
  assert.deepEqual(await changeAlarm(client, GET, NONE), []);
  assert.deepEqual(await changeAlarm(client, ACTIVATE, NONE), []);
  assert.deepEqual(await changeAlarm(client, ACTIVATE, NOSPACE), [`${NOSPACE}@0`]);
  assert.deepEqual(await changeAlarm(client, ACTIVATE, CORRUPT, 3n), [`${CORRUPT}@3`]);
  assert.deepEqual(await changeAlarm(client, ACTIVATE, CORRUPT, 3n), [`${CORRUPT}@3`]);
  assert.deepEqual((await changeAlarm(client, GET, NONE)).sort(), [`${NOSPACE}@0`, `${CORRUPT}@3`].sort());
  assert.deepEqual(await changeAlarm(client, GET, CORRUPT), [`${CORRUPT}@3`]);
  assert.deepEqual(await changeAlarm(client, DEACTIVATE, CORRUPT, 4n), []);
  assert.deepEqual(await changeAlarm(client, DEACTIVATE, CORRUPT, 3n), [`${CORRUPT}@3`]);
  assert.deepEqual(await changeAlarm(client, GET, NONE), [`${NOSPACE}@0`]);
  const nothing = client.call(alarm, { action: 9 as AlarmAction, alarm: NOSPACE });
  await rejectsWith(nothing, StatusCode.invalidArgument, "no such alarm action");
  assert.equal((await client.call(alarm)).header?.revision, 1, "MAINT-3: with a header");
});

test("F6, MAINT-2, MAINT-3: alarms survive a restart, and Status tells of them", async (t) => {
  const folder = temporaryFolder();
  const { client, server } = await start(t, { dataDir: folder });
  await changeAlarm(client, AlarmAction.ACTIVATE, AlarmType.NOSPACE);
  await changeAlarm(client, AlarmAction.ACTIVATE, AlarmType.CORRUPT, 7n);
  await server.stop();
  const again = await start(t, { dataDir: folder });
  const { errors } = await again.client.call(status);
  assert.deepEqual([...errors].sort(), ["alarm:NOSPACE", "memberID:7 alarm:CORRUPT"]);
});

test("MAINT-4: under NOSPACE nothing that costs space is taken, and everything else is", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  await client.grant(1n);
  await changeAlarm(client, AlarmAction.ACTIVATE, AlarmType.NOSPACE);
  await rejectsAs(client.put("b"), etcdErrors.noSpace);
  await rejectsAs(client.grant(2n), etcdErrors.noSpace);
  await rejectsAs(client.call(kvService.methods.txn, { failure: [putOp("b")] }), etcdErrors.noSpace);
  await rejectsWith(client.lock("l", 1n), StatusCode.unknown, etcdErrors.noSpace.wireMessage);
  assert.equal((await client.get("a"))?.key, "a");
  assert.equal(await client.delete("a"), 1);
  await client.compact(3);
  await client.revoke(1n);
  await client.call(defragment);
  await changeAlarm(client, AlarmAction.DEACTIVATE, AlarmType.NOSPACE);
  await client.put("b");
});

test("MAINT-5: under CORRUPT nothing is written, and reads go on", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  await changeAlarm(client, AlarmAction.ACTIVATE, AlarmType.NOSPACE);
  await changeAlarm(client, AlarmAction.ACTIVATE, AlarmType.CORRUPT);
  await rejectsAs(client.put("b"), etcdErrors.corrupt);
  await rejectsAs(client.delete("a"), etcdErrors.corrupt);
  await rejectsAs(client.compact(2), etcdErrors.corrupt);
  await rejectsAs(client.grant(2n), etcdErrors.corrupt);
  await rejectsAs(client.revoke(2n), etcdErrors.corrupt);
  assert.equal((await client.get("a"))?.key, "a");
});

const kibibyte = 1024;

test("MAINT-6: what would bring the store to the quota is refused and raises NOSPACE until that is cleared", async (t) => {
  const { client, server } = await start(t, { quotaBytes: 64 * kibibyte });
  const value = "x".repeat(kibibyte);
  const refused = async (): Promise<number> => {
    for (let written = 0; written < 100; written++) {
      try {
        await client.put("a", value);
      } catch (error) {
        assert.ok(error instanceof StatusError);
        assert.deepEqual([error.code, error.text], [etcdErrors.noSpace.wireCode, etcdErrors.noSpace.wireMessage]);
        return written;
      }
    }
    throw new Error("never refused");
  };
  const written = await refused();
  assert.ok(written > 40 && written < 64, String(written));
  const full = await client.call(status);
  assert.equal(full.dbSizeQuota, 64 * kibibyte);
  assert.deepEqual([full.errors.length, full.errors[0]], [1, `memberID:${server.running.memberId} alarm:NOSPACE`]);
  await client.call(kvService.methods.compact, { revision: written + 1, physical: true });
  await rejectsAs(client.put("a"), etcdErrors.noSpace);
  await changeAlarm(client, AlarmAction.DEACTIVATE, AlarmType.NOSPACE, server.running.memberId);
  await client.put("a");
});

test("MAINT-6, LEASE-8: nobody is refused for want of space before the alarm is raised", async (t) => {
  const log = await GatedLog.open();
  const services = await Services.start(t, { log, quotaBytes: 32 });
  const client = await services.connect();
  log.hold();
  let answered = 0;
  const count = (): unknown => answered++;
  const grants = [client.grant(2n), client.grant(3n)];
  for (const grant of grants) grant.then(count, count);
  await until(() => log.holds);
  await client.call(status);
  assert.equal(answered, 0);
  log.release();
  for (const grant of grants) await rejectsAs(grant, etcdErrors.noSpace);
  assert.deepEqual(await changeAlarm(client, AlarmAction.GET, AlarmType.NONE), [`${AlarmType.NOSPACE}@8`]);
});

test("MAINT-6: what a transaction costs is the dearer of its branches; what frees space is free", async (t) => {
  const { client } = await start(t, { quotaBytes: 64 * kibibyte });
  const large = putOp("a", "x".repeat(70 * kibibyte));
  const call = client.call(kvService.methods.txn, { success: [], failure: [large] });
  await rejectsWith(call, etcdErrors.noSpace.wireCode, etcdErrors.noSpace.wireMessage);
  assert.equal(await client.delete("a"), 0);
});

test("MAINT-6: without a bound nothing is refused for space", async (t) => {
  const { client } = await start(t, { quotaBytes: 0 });
  await client.put("a", "x".repeat(70 * kibibyte));
  assert.equal((await client.call(status)).dbSizeQuota, 0);
});

test("MAINT-8: Hash changes with the contents and not without", async (t) => {
  const { client } = await start(t);
  const hashOf = async (): Promise<number> => (await client.call(maintenanceService.methods.hash)).hash;
  const empty = await hashOf();
  await client.put("a");
  const one = await hashOf();
  assert.notEqual(one, empty);
  assert.equal(await hashOf(), one);
});

test("MAINT-10: leadership can only be moved to the only member", async (t) => {
  const { client, server } = await start(t);
  const { moveLeader } = maintenanceService.methods;
  assert.equal((await client.call(moveLeader, { targetId: server.running.memberId })).header, undefined);
  for (const targetId of [0n, 7n]) {
    const { wireCode, wireMessage } = etcdErrors.badLeaderTransferee;
    await rejectsWith(client.call(moveLeader, { targetId }), wireCode, wireMessage);
  }
});

test("MAINT-11, MAINT-12: a downgrade goes to the version before, one at a time, and can be cancelled at will", async (t) => {
  const { client } = await start(t);
  const { downgrade } = maintenanceService.methods;
  const { VALIDATE, ENABLE, CANCEL } = DowngradeAction;
  const ask = (action: DowngradeAction, version: string) => client.call(downgrade, { action, version });
  for (const version of ["3.6", "3.6.4", "3.6.0-rc.1", "3.6.0-", "3.6.0-a+"])
    assert.equal((await ask(VALIDATE, version)).version, "3.7");
  for (const version of ["3.5", "3.7", "4.6", "3.60"]) {
    await rejectsAs(ask(VALIDATE, version), etcdErrors.invalidDowngradeTargetVersion);
  }
  for (const version of ["", "x", "3", "v3.6.0", "3.6.a", "3.6.1.1", "3.6.0-a..b", "3.6-rc.1"]) {
    await rejectsAs(ask(ENABLE, version), etcdErrors.wrongDowngradeVersionFormat);
  }
  await rejectsAs(ask(9 as DowngradeAction, "3.6"), etcdTexts.unknownDowngradeAction);
  await ask(CANCEL, "");
  await ask(ENABLE, "3.6");
  assert.deepEqual((await client.call(status)).downgradeInfo, { enabled: true, targetVersion: "3.6.0" });
  await rejectsAs(ask(VALIDATE, "3.6"), etcdErrors.downgradeInProcess);
  await rejectsAs(ask(VALIDATE, "3.5"), etcdErrors.invalidDowngradeTargetVersion);
  await ask(CANCEL, "");
  assert.deepEqual((await client.call(status)).downgradeInfo, { enabled: false, targetVersion: "" });
});

test("CLUS-2 to CLUS-6: the members cannot be changed; malformed and mistaken requests are refused as etcd does", async (t) => {
  const { client, server } = await start(t);
  const { memberId } = server.running;
  const { memberAdd, memberRemove, memberUpdate, memberPromote } = clusterService.methods;
  for (const url of ["", "x", "http://a", "http://a:1/path", "ftp://a:1", "http://a:1?x"]) {
    await rejectsAs(client.call(memberAdd, { peerUrls: ["http://a:1", url] }), etcdErrors.memberBadUrls);
  }
  await rejectsAs(client.call(memberAdd), etcdErrors.memberBadUrls);
  for (const url of ["http://a:1", "https://[::1]:2", "unix://a:3", "unixs://:4"]) {
    await rejectsAs(client.call(memberAdd, { peerUrls: [url] }), etcdErrors.notCapable);
  }
  await rejectsAs(client.call(memberRemove, { id: 5n }), etcdErrors.memberNotFound);
  await rejectsAs(client.call(memberRemove, { id: memberId }), etcdErrors.memberNotEnoughStarted);
  await rejectsAs(client.call(memberPromote, { id: 5n }), etcdErrors.memberNotFound);
  await rejectsAs(client.call(memberPromote, { id: memberId }), etcdErrors.memberNotLearner);
  await rejectsAs(client.call(memberUpdate, { id: 5n }), etcdErrors.memberNotFound);
  await rejectsAs(client.call(memberUpdate, { id: memberId, peerUrls: ["http://a:1"] }), etcdErrors.notCapable);
});

test("MAINT-7: defragmenting answers without a header, again and again, and changes nothing", async (t) => {
  const folder = temporaryFolder();
  for (const options of [{}, { dataDir: folder }]) {
    const { client, server } = await start(t, options);
    assert.equal((await client.call(defragment)).header, undefined);
    for (let i = 0; i < 20; i++) await client.put(`k${i}`, "v");
    await Promise.all([client.call(defragment), client.call(defragment), client.put("meanwhile")]);
    await client.call(defragment);
    assert.deepEqual([(await client.keys("")).length, await client.revision()], [21, 22]);
    await server.stop();
  }
  const { client } = await start(t, { dataDir: folder });
  assert.deepEqual([(await client.keys("")).length, await client.revision()], [21, 22]);
});

test("F6, F50: a defragmentation that fails tells the client no path; serving goes on, and the next one succeeds", async (t) => {
  const log = await GatedLog.open();
  const services = await Services.start(t, { log });
  const client = await services.connect();
  const { writeSnapshot } = log;
  for (const [error, message] of [
    [new LogFullError("/srv/secret/snapshot-1"), "no space left on disk for a snapshot"],
    [new Error("open /srv/secret/snapshot-1"), "the snapshot could not be stored"],
  ] as const) {
    log.writeSnapshot = () => Promise.reject(error);
    await rejectsWith(client.call(defragment), StatusCode.unknown, message);
  }
  log.writeSnapshot = writeSnapshot;
  await client.put("a");
  await client.call(defragment);
});

test("CLUS-1, GEN-3: there is one member, with its name and addresses; the header's revision is 0", async (t) => {
  const { client, server } = await start(t, { name: "solo" });
  await client.put("a");
  const { clusterId, memberId, endpoint } = server.running;
  for (const linearizable of [true, false]) {
    const { header, members } = await client.call(clusterService.methods.memberList, { linearizable });
    assert.deepEqual(header, { clusterId, memberId, revision: 0, raftTerm: 1 });
    assert.deepEqual(members, [
      { id: memberId, name: "solo", peerUrls: [], clientUrls: [`http://${endpoint}`], isLearner: false },
    ]);
  }
});

test("GEN-10: the server as a whole is healthy, and knows no other service by name", async (t) => {
  const { client } = await start(t);
  assert.equal((await client.call(check)).status, ServingStatus.SERVING);
  await rejectsWith(client.call(check, { service: "etcdserverpb.KV" }), StatusCode.notFound, "unknown service");
  const { statuses } = await client.call(list);
  assert.deepEqual([...statuses], [["", { status: ServingStatus.SERVING }]]);
});

test("GEN-10: health is watched until the server stops; an unknown service is watched too", async (t) => {
  const { client, server } = await start(t);
  const whole = client.stream(watch);
  const unknown = client.stream(watch, { service: "nope" });
  assert.equal((await whole.next()).status, ServingStatus.SERVING);
  assert.equal((await unknown.next()).status, ServingStatus.SERVICE_UNKNOWN);
  const closed = server.running.close();
  const { wireCode, wireMessage } = etcdErrors.stopped;
  assert.deepEqual(await whole.ended(), { code: wireCode, message: wireMessage });
  assert.deepEqual(await unknown.ended(), { code: wireCode, message: wireMessage });
  await closed;
});
