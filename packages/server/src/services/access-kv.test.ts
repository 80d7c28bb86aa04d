import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AlarmAction,
  AlarmType,
  authService,
  CompareTarget,
  createCompare,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  electionService,
  etcdErrors,
  kvService,
  maintenanceService,
  StatusCode,
} from "@holdfast/protocol";
import { allow, startSecured } from "../testing/secured.js";
import { until } from "../testing/services.js";
import { rejectsAs, rejectsAsUnknown } from "../testing/status-error.js";
import { byteString, bytes, putOp, type TestClient } from "../testing/test-client.js";

const auth = authService.methods;
const kv = kvService.methods;

function readOp(key: string): ReturnType<typeof createRequestOp> {
  return createRequestOp({ requestRange: createRangeRequest({ key: byteString(key) }) });
}

test("AUTH-16, AUTH-21: a user reads and writes what its roles grant, and nothing else", async (t) => {
  const { as } = await startSecured(t, {
    ann: [
      ["r", "a", "c"],
      ["w", "c", "e"],
    ],
  });
  const ann = await as("ann");
  await ann.put("c", "1");
  await ann.get("a");
  await ann.range("a", { rangeEnd: byteString("c") });
  assert.equal(await ann.delete("c", "e"), 1);
  await rejectsAs(ann.put("a"), etcdErrors.permissionDenied);
  await rejectsAs(ann.put("e"), etcdErrors.permissionDenied);
  await rejectsAs(ann.range("c"), etcdErrors.permissionDenied);
  await rejectsAs(ann.delete("b", "d"), etcdErrors.permissionDenied);
  await rejectsAs(ann.compact(1), etcdErrors.permissionDenied);
  await rejectsAs(ann.range("a", { rangeEnd: byteString("d") }), etcdErrors.permissionDenied);
});

test("AUTH-20: the previous value takes READ besides WRITE", async (t) => {
  const { as } = await startSecured(t, { ann: [["w", "a"]], bob: [["rw", "a"]] });
  const put = (client: TestClient): Promise<unknown> => client.call(kv.put, { key: byteString("a"), prevKv: true });
  const remove = (client: TestClient): Promise<unknown> =>
    client.call(kv.deleteRange, { key: byteString("a"), prevKv: true });
  const [ann, bob] = [await as("ann"), await as("bob")];
  await rejectsAs(put(ann), etcdErrors.permissionDenied);
  await rejectsAs(remove(ann), etcdErrors.permissionDenied);
  await put(bob);
  await remove(bob);
});

test("AUTH-20: a transaction takes the rights for both its branches and for its comparisons", async (t) => {
  const { as } = await startSecured(t, {
    ann: [
      ["r", "r"],
      ["w", "w"],
    ],
  });
  const ann = await as("ann");
  const compare = (key: string): ReturnType<typeof createCompare> =>
    createCompare({ key: byteString(key), target: CompareTarget.VERSION });
  await ann.call(kv.txn, { compare: [compare("r")], success: [putOp("w")], failure: [readOp("r")] });
  const nested = createTxnRequest({ success: [putOp("r")] });
  const denied = [
    { compare: [compare("w")], success: [putOp("w")] },
    { success: [putOp("w")], failure: [putOp("r")] },
    { success: [putOp("w"), readOp("w")] },
    { success: [putOp("w")], failure: [createRequestOp({ requestTxn: nested })] },
    { failure: [readOp("w")] },
  ];
  for (const fields of denied) await rejectsAs(ann.call(kv.txn, fields), etcdErrors.permissionDenied);
});

test("ORD-1, ORD-2, ORD-5: shape before token, token before permission, permission before state", async (t) => {
  const { anonymous, as } = await startSecured(t, { ann: [["rw", "a"]] });
  const ann = await as("ann");
  const bad = anonymous.withToken("rubbish");
  const lease = 99n;
  for (const client of [anonymous, bad, ann]) {
    await rejectsAs(client.range(""), etcdErrors.emptyKey);
    await rejectsAs(client.put(""), etcdErrors.emptyKey);
  }
  for (const client of [anonymous, bad]) {
    const error = client === bad ? etcdErrors.invalidAuthToken : etcdErrors.userEmpty;
    await rejectsAs(client.put("a", "", lease), error);
    await rejectsAs(client.range("a", { revision: 99 }), error);
    await rejectsAs(client.compact(99), error);
  }
  await rejectsAs(ann.put("b", "", lease), etcdErrors.permissionDenied);
  await rejectsAs(ann.put("a", "", lease), etcdErrors.leaseNotFound);
  await rejectsAs(ann.range("b", { revision: 99 }), etcdErrors.permissionDenied);
  await rejectsAs(ann.range("a", { revision: 99 }), etcdErrors.futureRev);
  await rejectsAs(ann.compact(99), etcdErrors.permissionDenied);
});

test("AUTH-12: a request above the size limit with a bad token is refused for the token", async (t) => {
  const { anonymous } = await startSecured(t, {}, { serviceLimits: { requestBytes: 1_000 } });
  const put = { key: byteString("a"), value: new Uint8Array(2_000) };
  await rejectsAs(anonymous.withToken("rubbish").call(kv.put, put), etcdErrors.invalidAuthToken);
});

test("AUTH-20: rights count at the moment of the answer", async (t) => {
  const { root, as } = await startSecured(t, { ann: [] });
  const ann = await as("ann");
  await rejectsAs(ann.range("a"), etcdErrors.permissionDenied);
  await allow(root, "ann", ["rw", "a"]);
  await ann.put("a", "1");
  await root.call(auth.userRevokeRole, { name: "ann", role: "ann" });
  await rejectsAs(ann.range("a"), etcdErrors.permissionDenied);
  await rejectsAs(ann.put("a", "2"), etcdErrors.permissionDenied);
});

test("AUTH-20, KV-14: a stream of pieces ends when the right to read them is taken away, and outlives any other change", async (t) => {
  const { root, as, services } = await startSecured(t, { ann: [["r", "k", "l"]] });
  const value = new Uint8Array(100_000);
  for (let i = 0; i < 100; i++) await root.call(kv.put, { key: byteString(`k${i}`), value });
  const ann = await as("ann");
  const endAfter = async (change: () => Promise<unknown>): Promise<number> => {
    const opened = services.streams.length;
    const stream = ann.stream(kv.rangeStream, { key: byteString("k"), rangeEnd: byteString("l") });
    stream.call.pause();
    await until(() => services.streams[opened]?.congested === true);
    await change();
    stream.call.resume();
    return (await stream.drain()).status.code;
  };
  assert.equal(await endAfter(() => root.call(auth.roleAdd, { name: "another" })), StatusCode.ok);
  assert.equal(await endAfter(() => root.call(auth.roleDelete, { role: "ann" })), StatusCode.permissionDenied);
});

test("AUTH-3: switching authentication on stops who has not logged in", async (t) => {
  const { root, anonymous } = await startSecured(t);
  await root.call(auth.authDisable);
  await anonymous.put("a", "1");
  await anonymous.call(auth.authEnable);
  await rejectsAs(anonymous.call(kv.put, { key: byteString("a"), value: bytes("2") }), etcdErrors.userEmpty);
});

test("AUTH-22, ORD-1: what nobody asks for is refused without being logged", async (t) => {
  const { anonymous, services, root } = await startSecured(t);
  await root.grant(7n);
  const before = services.replica.machine.appliedCommands;
  const requestBytes = services.context.limits.requestBytes;
  const large = "x".repeat(requestBytes - 1000);
  await rejectsAs(anonymous.put("a", large), etcdErrors.userEmpty);
  await rejectsAs(anonymous.delete(large), etcdErrors.userEmpty);
  await rejectsAs(anonymous.call(kv.txn, { success: [putOp("a", large)] }), etcdErrors.userEmpty);
  await rejectsAs(anonymous.compact(1), etcdErrors.userEmpty);
  await rejectsAs(anonymous.grant(8n), etcdErrors.userEmpty);
  await rejectsAs(anonymous.revoke(7n), etcdErrors.userEmpty);
  await rejectsAsUnknown(anonymous.unlock(large), etcdErrors.userEmpty);
  const leader = { name: byteString("n"), key: byteString("n/7"), rev: 1, lease: 7n };
  await rejectsAsUnknown(anonymous.call(electionService.methods.proclaim, { leader }), etcdErrors.userEmpty);
  await rejectsAsUnknown(anonymous.call(electionService.methods.resign, { leader }), etcdErrors.userEmpty);
  await rejectsAs(anonymous.call(auth.roleAdd, { name: large }), etcdErrors.userEmpty);
  assert.equal(services.replica.machine.appliedCommands, before);
  await rejectsAs(anonymous.put("a", "x".repeat(requestBytes)), etcdErrors.requestTooLarge);
  const raised = { action: AlarmAction.ACTIVATE, memberId: 1n, alarm: AlarmType.NOSPACE };
  await root.call(maintenanceService.methods.alarm, raised);
  await rejectsAs(anonymous.put("a"), etcdErrors.noSpace);
  assert.equal(services.replica.machine.appliedCommands, before + 1);
});
