/** F48: what etcd's advisories report (fault-model section 12), each as a test of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cancelReasons,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  etcdErrors,
  kvService,
  leaseService,
  type RequestOp,
} from "@holdfast/protocol";
import { grpcDoor } from "../testing/access-doors.js";
import { accessRows } from "../testing/access-rows.js";
import { issue, makeAuthority } from "../testing/certificates.js";
import { revocationList } from "../testing/revocation-list.js";
import { startSecured } from "../testing/secured.js";
import { rejectsAs } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { byteString, putOp } from "../testing/test-client.js";
import { portOf } from "../testing/test-server.js";
import { dialTls, identity, startTls, turnedAway, write } from "../testing/tls.js";
import { create, openWatch } from "../testing/watching.js";

const kv = kvService.methods;
const denied = etcdErrors.permissionDenied;

function nested(operation: RequestOp, levels: number): RequestOp {
  const inner = levels === 1 ? operation : nested(operation, levels - 1);
  // In the branch that is not taken, too: what may run is what counts.
  return createRequestOp({ requestTxn: createTxnRequest({ failure: [inner] }) });
}

test('F48, I13, advisory "nested transaction bypasses roles": it does not, at whatever depth, in whichever branch', async (t) => {
  const { as, root } = await startSecured(t, { ann: [["rw", "a"]] });
  await root.put("b", "secret");
  const ann = await as("ann");
  const key = byteString("b");
  const foreign = [
    putOp("b", "overwritten"),
    createRequestOp({ requestRange: createRangeRequest({ key }) }),
    createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ key }) }),
    createRequestOp({ requestPut: createPutRequest({ key: byteString("a"), lease: 9n }) }),
  ];
  await root.grant(9n);
  await root.put("of root", "", 9n);
  for (const operation of foreign) {
    for (const levels of [1, 2, 5]) {
      const success = [nested(operation, levels)];
      await rejectsAs(ann.call(kv.txn, { success }), denied);
      await rejectsAs(ann.call(kv.txn, { failure: success }), denied);
    }
  }
  assert.equal(await root.get("a"), undefined);
  await ann.call(kv.txn, { success: [nested(putOp("a"), 5)] });
});

test('F48, I13, advisory "previous value bypasses roles": who may only write is not told it', async (t) => {
  const { as, root } = await startSecured(t, { ann: [["w", "a", "c"]] });
  await root.put("a", "secret");
  const ann = await as("ann");
  const key = byteString("a");
  await rejectsAs(ann.call(kv.put, { key, prevKv: true }), denied);
  await rejectsAs(ann.call(kv.deleteRange, { key, prevKv: true }), denied);
  await rejectsAs(ann.call(kv.deleteRange, { key, rangeEnd: byteString("c"), prevKv: true }), denied);
  const put = createRequestOp({ requestPut: createPutRequest({ key, prevKv: true }) });
  await rejectsAs(ann.call(kv.txn, { success: [put] }), denied);
  assert.equal((await root.get("a"))?.version, 1);
});

test('F48, I13, advisory "lease attachment bypasses roles": nobody ties a key to a lease with keys of others', async (t) => {
  const { as, root } = await startSecured(t, { ann: [["rw", "a"]] });
  await root.grant(5n);
  await root.put("of root", "", 5n);
  const ann = await as("ann");
  await rejectsAs(ann.put("a", "", 5n), denied);
  await rejectsAs(ann.call(kv.txn, { success: [putOp("a", "", 5n)] }), denied);
  await rejectsAs(ann.revoke(5n), denied);
  assert.notEqual(await root.get("of root"), undefined);
});

test('F48, I13, advisory "open-ended watch bypasses roles": it takes the right to all keys that it may see', async (t) => {
  const { as } = await startSecured(t, { ann: [["r", "a"]], bob: [["r", "a", "b"]] });
  for (const name of ["ann", "bob"]) {
    const stream = openWatch(await as(name));
    for (const [key, rangeEnd] of [
      ["a", "\0"],
      ["", "\0"],
      ["\0", "\0"],
      ["a", "c"],
    ] as const) {
      assert.equal((await create(stream, key, { rangeEnd })).cancelReason, cancelReasons.permissionDenied);
    }
    assert.equal((await create(stream, "a")).canceled, false);
  }
});

test('F48, I13, advisory "time-to-live lists foreign keys": it does not', async (t) => {
  const { as, root } = await startSecured(t, { ann: [["rw", "a"]] });
  await root.grant(5n);
  const ann = await as("ann");
  await ann.put("a", "", 5n);
  await root.put("of root", "", 5n);
  await rejectsAs(ann.call(leaseService.methods.leaseTimeToLive, { id: 5n, keys: true }), denied);
  assert.deepEqual((await ann.call(leaseService.methods.leaseTimeToLive, { id: 5n })).keys, []);
});

test('F48, I13, advisory "admin RPCs without check": each takes role root, whatever keys a user may touch', async (t) => {
  const { as } = await startSecured(t, { ann: [["rw", "\0", "\0"]] });
  const door = grpcDoor(await as("ann"));
  const rows = accessRows.filter(({ needed }) => needed === "root");
  assert.ok(rows.length > 25);
  for (const { method, request } of rows) {
    assert.equal((await door(method, request(0), undefined))?.message, denied.wireMessage, method.path);
  }
});

test('F47, F48, I13, advisory "revocation list ignored on a second listener": it counts at every one', async (t) => {
  const authority = await makeAuthority();
  const [good, revoked] = [await issue(authority, "good"), await issue(authority, "revoked")];
  const folder = temporaryFolder();
  const trustedCaFile = write(folder, "ca.crt", authority.cert);
  const crlFile = write(folder, "crl", revocationList(authority, [revoked]));
  const listen = ["https://127.0.0.1:0", "https://127.0.0.1:0"];
  const more = { listen, listenHttp: "https://127.0.0.1:0", listenMetrics: "https://127.0.0.1:0" };
  const options = { trustedCaFile, crlFile, clientCertAuth: true, server: more };
  const { server } = await startTls(t, options, authority);
  const addresses = [...server.addresses, ...server.httpAddresses, ...server.metricsAddresses];
  assert.equal(addresses.length, 4);
  for (const address of addresses) {
    const dial = { port: portOf(address), ca: authority.cert };
    await turnedAway(await dialTls(t, { ...dial, ...identity(revoked) }));
    const socket = await dialTls(t, { ...dial, ...identity(good) });
    socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const [answer] = await new Promise<[Buffer]>((resolve) => socket.once("data", (chunk) => resolve([chunk])));
    assert.match(answer.toString(), /^HTTP\/1\.1 /, address);
  }
});
