import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AlarmAction,
  AlarmType,
  clusterService,
  etcdErrors,
  healthService,
  maintenanceService,
  ServingStatus,
  StatusCode,
} from "@holdfast/protocol";
import { rejectsWith } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { start } from "../testing/test-server.js";

const { status, alarm, defragment } = maintenanceService.methods;
const { check, list, watch } = healthService.methods;

test("MAINT-1, K8S-2: the status names an etcd version, sizes, this member as leader, and the log's positions", async (t) => {
  const { client, server } = await start(t);
  const empty = await client.call(status);
  await client.put("a", "x".repeat(10_000));
  const answer = await client.call(status);
  const { clusterId, memberId } = server.running;
  assert.deepEqual(answer.header, { clusterId, memberId, revision: 2, raftTerm: 1 });
  assert.match(answer.version, /^3\.7\.\d+$/);
  assert.deepEqual([answer.storageVersion, answer.leader, answer.raftTerm], ["3.7.0", memberId, 1]);
  assert.deepEqual([answer.isLearner, answer.errors, answer.dbSizeQuota], [false, [], 2_147_483_648]);
  assert.deepEqual(answer.downgradeInfo, { enabled: false, targetVersion: "" });
  assert.ok(answer.dbSize >= answer.dbSizeInUse);
  assert.ok(answer.dbSizeInUse >= empty.dbSizeInUse + 10_000);
  assert.ok(answer.raftIndex >= answer.raftAppliedIndex);
  assert.ok(answer.raftAppliedIndex > empty.raftAppliedIndex);
});

test("MAINT-3: no alarm is active, and none can be raised", async (t) => {
  const { client } = await start(t);
  for (const type of [AlarmType.NONE, AlarmType.NOSPACE]) {
    const answer = await client.call(alarm, { action: AlarmAction.GET, alarm: type });
    assert.deepEqual([answer.alarms, answer.header?.revision], [[], 1]);
  }
  assert.deepEqual((await client.call(alarm, { action: AlarmAction.DEACTIVATE, alarm: AlarmType.NOSPACE })).alarms, []);
  const raise = client.call(alarm, { action: AlarmAction.ACTIVATE, alarm: AlarmType.NOSPACE });
  await rejectsWith(raise, StatusCode.unimplemented, "alarms cannot be raised");
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
