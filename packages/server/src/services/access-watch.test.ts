import assert from "node:assert/strict";
import { test } from "node:test";
import {
  authService,
  cancelReasons,
  electionService,
  etcdErrors,
  maintenanceService,
  StatusCode,
} from "@holdfast/protocol";
import { allow, startSecured } from "../testing/secured.js";
import { until } from "../testing/services.js";
import { byteString, bytes } from "../testing/test-client.js";
import { create, events, openWatch, sendCreate } from "../testing/watching.js";

const auth = authService.methods;

test("WATCH-10: a watch that is not permitted is refused on the stream, which stays usable", async (t) => {
  const { as, root } = await startSecured(t, { ann: [["r", "a"]] });
  const ann = await as("ann");
  const stream = openWatch(ann);
  const { header, watchId, created, canceled, cancelReason } = await create(stream, "b");
  assert.deepEqual([watchId, created, canceled, cancelReason], [-1n, true, true, cancelReasons.permissionDenied]);
  assert.equal(header?.revision, 1);
  assert.equal((await create(stream, "a")).canceled, false);
  await root.put("a", "1");
  assert.deepEqual(await events(stream, 1), ["a=1@2"]);
});

test("WATCH-10: each reason in etcd's words", async (t) => {
  const { anonymous, as } = await startSecured(t, { ann: [] });
  const reasons = [
    [anonymous, cancelReasons.userEmpty],
    [anonymous.withToken("rubbish"), cancelReasons.invalidAuthToken],
    [await as("ann"), cancelReasons.permissionDenied],
  ] as const;
  for (const [client, reason] of reasons) assert.equal((await create(openWatch(client), "a")).cancelReason, reason);
});

test("F48, WATCH-11: whoever loses the right is not sent another event, and is told why; the stream stays usable", async (t) => {
  const { as, root } = await startSecured(t, { ann: [["r", "a", "c"]] });
  const stream = openWatch(await as("ann"));
  await create(stream, "a", { rangeEnd: "c" });
  await create(stream, "b");
  await root.put("a", "1");
  assert.deepEqual(await events(stream, 1), ["a=1@2"]);
  await allow(root, "ann", ["r", "b"]);
  await root.call(auth.roleRevokePermission, { role: "ann", key: byteString("a"), rangeEnd: byteString("c") });
  await root.put("a", "secret");
  const { watchId, canceled, cancelReason, events: none } = await stream.next();
  assert.deepEqual([watchId, canceled, cancelReason, none], [0n, true, cancelReasons.permissionDenied, []]);
  await root.put("b", "2");
  assert.deepEqual(await events(stream, 1), ["b=2@4"]);
  assert.equal((await create(stream, "a")).cancelReason, cancelReasons.permissionDenied);
});

test("LIMIT openRightsCheckIntervalMs, F48: watches, observers and snapshots without a word to say end as well, in time", async (t) => {
  const { as, root, services } = await startSecured(t, { ann: [["rw", "k", "l"]], adm: [] });
  await root.call(auth.userGrantRole, { user: "adm", role: "root" });
  await root.put("large", "x".repeat(1_000_000));
  const { openRights } = services.context;
  const ann = await as("ann");
  const watch = openWatch(ann);
  await create(watch, "k");
  const observer = ann.stream(electionService.methods.observe, { name: byteString("k") });
  await observer.opened();
  const snapshot = (await as("adm")).stream(maintenanceService.methods.snapshot);
  snapshot.call.pause();
  await until(() => services.streams.at(-1)?.congested === true);
  assert.equal(openRights.size, 3);
  await root.call(auth.roleAdd, { name: "of no concern" });
  services.time.advance(services.context.limits.openRightsCheckIntervalMs);
  assert.equal(openRights.size, 3);
  await root.call(auth.userRevokeRole, { name: "adm", role: "root" });
  await root.call(auth.userDelete, { name: "ann" });
  services.time.advance(services.context.limits.openRightsCheckIntervalMs);
  const { canceled, cancelReason } = await watch.next();
  assert.deepEqual([canceled, cancelReason], [true, cancelReasons.permissionDenied]);
  assert.deepEqual(await observer.ended(), {
    code: StatusCode.unknown,
    message: etcdErrors.permissionDenied.wireMessage,
  });
  snapshot.call.resume();
  assert.equal((await snapshot.drain()).status.code, StatusCode.permissionDenied);
  assert.deepEqual([openRights.size, openRights.withdrawnCount], [0, 3]);
});

test("F48: rights taken away while authentication was off count as soon as it is on again", async (t) => {
  const { as, root, anonymous } = await startSecured(t, { ann: [["r", "a"]] });
  const stream = openWatch(await as("ann"));
  await create(stream, "a");
  await root.call(auth.authDisable);
  await anonymous.call(auth.userRevokeRole, { name: "ann", role: "ann" });
  await anonymous.put("a", "for all to see");
  assert.deepEqual(await events(stream, 1), ["a=for all to see@2"]);
  await anonymous.call(auth.authEnable);
  await (await as("root")).put("a", "secret");
  assert.equal((await stream.next()).cancelReason, cancelReasons.permissionDenied);
});

test("F48: an observer is not sent what the leader says after the right to see it is gone", async (t) => {
  const { as, root } = await startSecured(t, { ann: [["r", "k/", "k0"]] });
  await root.grant(5n);
  const leader = await root.call(electionService.methods.campaign, { name: byteString("k"), lease: 5n });
  const observer = (await as("ann")).stream(electionService.methods.observe, { name: byteString("k") });
  await observer.next();
  await root.call(auth.roleDelete, { role: "ann" });
  const said = { leader: leader.leader, value: bytes("secret") };
  await root.call(electionService.methods.proclaim, said);
  const { responses, status } = await observer.drain();
  assert.deepEqual([responses, status.message], [[], etcdErrors.permissionDenied.wireMessage]);
});

test("F48: a watch that is caught up with history is cut off where the right was lost", async (t) => {
  const { as, root, services } = await startSecured(t, { ann: [["r", "a"]] });
  const value = "x".repeat(100_000);
  for (let i = 0; i < 60; i++) await root.put("a", value);
  const stream = openWatch(await as("ann"));
  await create(stream, "a");
  stream.call.pause();
  const seen: number[] = [];
  for (let i = 0; i < 100 && services.streams.at(-1)?.congested !== true; i++) await root.put("a", value);
  await root.put("a", value);
  await root.call(auth.userRevokeRole, { name: "ann", role: "ann" });
  stream.call.resume();
  for (;;) {
    const response = await stream.next();
    if (response.canceled) {
      assert.equal(response.cancelReason, cancelReasons.permissionDenied);
      break;
    }
    seen.push(...response.events.map(({ kv }) => kv?.modRevision ?? 0));
  }
  assert.ok(seen.length > 0 && (seen.at(-1) ?? 0) < services.replica.machine.revision);
});

test("WATCH-12, WATCH-6: an open-ended watch takes the right to all the keys, one without a key to all from the lowest", async (t) => {
  const { as } = await startSecured(t, { ann: [["r", "a"]], bob: [["r", "a", "\0"]], eve: [["r", "\0", "\0"]] });
  const reasonFor = async (name: string, key: string, rangeEnd: string): Promise<string> =>
    (await create(openWatch(await as(name)), key, { rangeEnd })).cancelReason;
  assert.equal(await reasonFor("ann", "a", "\0"), cancelReasons.permissionDenied);
  assert.equal(await reasonFor("bob", "a", "\0"), "");
  assert.equal(await reasonFor("bob", "", "\0"), cancelReasons.permissionDenied);
  assert.equal(await reasonFor("eve", "", "\0"), "");
});

test("ORD-4: negative revision, then permission, then range, then id", async (t) => {
  const { as } = await startSecured(t, { ann: [["r", "a", "c"]] });
  const stream = openWatch(await as("ann"));
  await create(stream, "a", { watchId: 5n });
  sendCreate(stream, "x", { startRevision: -1 });
  sendCreate(stream, "x", { rangeEnd: "b", watchId: 5n });
  sendCreate(stream, "a", { watchId: 5n });
  const reasons = (await stream.take(3)).map(({ cancelReason }) => cancelReason);
  assert.deepEqual(reasons, [cancelReasons.compacted, cancelReasons.permissionDenied, cancelReasons.duplicateId]);
});
