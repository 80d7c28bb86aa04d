import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  CompareResult,
  CompareTarget,
  createCompare,
  createDeleteRangeRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  etcdErrors,
  kvService,
  type RequestOp,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, bytes, putOp, show, type TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

function txn(client: TestClient, fields: Partial<TxnRequest>): Promise<TxnResponse> {
  return client.call(kvService.methods.txn, fields);
}

function getOp(key: string, revision = 0): RequestOp {
  return createRequestOp({ requestRange: createRangeRequest({ key: byteString(key), revision }) });
}

function deleteOp(key: string, rangeEnd = ""): RequestOp {
  const request = createDeleteRangeRequest({ key: byteString(key), rangeEnd: byteString(rangeEnd) });
  return createRequestOp({ requestDeleteRange: request });
}

function nested(fields: Partial<TxnRequest>): RequestOp {
  return createRequestOp({ requestTxn: createTxnRequest(fields) });
}

function puts(count: number, prefix = "k"): RequestOp[] {
  return Array.from({ length: count }, (_, i) => putOp(`${prefix}${i}`));
}

const keyMissing = (key: string) =>
  createCompare({ key: byteString(key), target: CompareTarget.VERSION, result: CompareResult.EQUAL, version: 0 });

/** The transaction is refused with `error` and has changed nothing. */
async function refusedWithoutEffect(
  t: TestContext,
  error: (typeof etcdErrors)[keyof typeof etcdErrors],
  requests: readonly Partial<TxnRequest>[],
): Promise<void> {
  const { client } = await start(t);
  for (const request of requests) await rejectsAs(txn(client, request), error);
  assert.equal(await client.revision(), 1);
}

test("TXN-1, TXN-8, GEN-3: nested headers carry the revision and no identity, a nested transaction's nothing at all", async (t) => {
  const { client, server } = await start(t);
  await client.put("a", "old");
  await client.put("b");
  const response = await txn(client, {
    compare: [keyMissing("c")],
    success: [getOp("a"), putOp("a", "new"), getOp("a"), deleteOp("b"), nested({ success: [getOp("b")] })],
  });
  const { clusterId, memberId } = server.running;
  assert.deepEqual([response.succeeded, response.header], [true, { clusterId, memberId, revision: 4, raftTerm: 1 }]);
  const zero = { clusterId: 0n, memberId: 0n, raftTerm: 0 };
  const [before, put, between, deleted, inner] = response.responses;
  assert.deepEqual(before?.responseRange?.header, { ...zero, revision: 3 });
  assert.deepEqual(before?.responseRange?.kvs.map(show), ["a=old 2/2/1"]);
  assert.deepEqual(put?.responsePut?.header, { ...zero, revision: 4 });
  assert.deepEqual(between?.responseRange?.kvs.map(show), ["a=new 2/4/2"]);
  assert.deepEqual(deleted?.responseDeleteRange?.header, { ...zero, revision: 4 });
  assert.deepEqual(inner?.responseTxn?.header, { ...zero, revision: 0 });
  assert.equal(inner?.responseTxn?.responses[0]?.responseRange?.count, 0);
});

test("TXN-9: 128 of each list are taken, one more of any is too many", async (t) => {
  const { client } = await start(t);
  const compare = Array.from({ length: 128 }, () => keyMissing("x"));
  const response = await txn(client, { compare, success: puts(128), failure: puts(128) });
  assert.equal(response.responses.length, 128);
  for (const fields of [{ compare: [...compare, keyMissing("x")] }, { success: puts(129) }, { failure: puts(129) }]) {
    await rejectsAs(txn(client, fields), etcdErrors.tooManyOps);
  }
});

test("TXN-9: a nested transaction may use what the largest outer list leaves", async (t) => {
  const { client } = await start(t);
  const outer = puts(99, "outer");
  await txn(client, { success: [...outer, nested({ success: puts(28) })] });
  const tooMany = { success: [...outer, nested({ success: puts(29) })] };
  await rejectsAs(txn(client, tooMany), etcdErrors.tooManyOps);
  const byCompares = { compare: puts(120).map(() => keyMissing("x")), success: [nested({ failure: puts(9) })] };
  await rejectsAs(txn(client, byCompares), etcdErrors.tooManyOps);
});

test("TXN-9: the limit follows the configuration", async (t) => {
  const { client } = await start(t, { serviceLimits: { transactionOperations: 2 } });
  await txn(client, { success: puts(2) });
  await rejectsAs(txn(client, { success: puts(3) }), etcdErrors.tooManyOps);
});

test("TXN-10: one key put twice, or put and deleted, is refused in either order and on every level", (t) =>
  refusedWithoutEffect(t, etcdErrors.duplicateKey, [
    { success: [putOp("a"), putOp("a")] },
    { success: [putOp("b"), deleteOp("a", "c")] },
    { success: [deleteOp("a", "c"), putOp("b")] },
    { success: [putOp("a"), nested({ failure: [putOp("a")] })] },
    { success: [nested({ success: [putOp("a")] }), deleteOp("a")] },
  ]));

test("TXN-10: overlapping deletes, and a put in either branch of one nested transaction, are fine", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  const response = await txn(client, { success: [deleteOp("a", "c"), deleteOp("a")] });
  assert.deepEqual(
    response.responses.map(({ responseDeleteRange }) => responseDeleteRange?.deleted),
    [1, 0],
  );
  await txn(client, { success: [nested({ success: [putOp("a")], failure: [putOp("a")] })] });
  assert.deepEqual(await client.keys(""), ["a"]);
});

test("TXN-12, KV-3: the shape of both branches is looked at", (t) =>
  refusedWithoutEffect(t, etcdErrors.emptyKey, [
    { success: [putOp("ok")], failure: [putOp("")] },
    { success: [putOp("ok"), getOp("")] },
    { compare: [keyMissing("")], success: [putOp("ok")] },
    { success: [putOp("ok"), nested({ failure: [deleteOp("")] })] },
  ]));

test("TXN-12: the state is looked at on the chosen path alone, and a refusal undoes everything", async (t) => {
  const { client } = await start(t);
  const orphan = putOp("orphan", "", 99n);
  await txn(client, { success: [putOp("a")], failure: [orphan, getOp("a", 1_000)] });
  assert.deepEqual(await client.keys(""), ["a"]);
  await rejectsAs(txn(client, { success: [putOp("b"), orphan] }), etcdErrors.leaseNotFound);
  await rejectsAs(txn(client, { success: [putOp("b"), getOp("a", 3)] }), etcdErrors.futureRev);
  assert.deepEqual([await client.keys(""), await client.revision()], [["a"], 2]);
});

test("TXN-15: an operation with nothing set is refused", (t) =>
  refusedWithoutEffect(t, etcdErrors.keyNotFound, [
    { success: [putOp("a"), createRequestOp()] },
    { failure: [createRequestOp()] },
  ]));

test("TXN-16, TXN-17: a transaction that only reads makes no revision, and sees everything acknowledged", async (t) => {
  const { client } = await start(t);
  assert.deepEqual((await txn(client, {})).responses, []);
  await client.put("a", "1");
  const response = await txn(client, { compare: [keyMissing("a")], success: [getOp("b")], failure: [getOp("a")] });
  assert.deepEqual([response.succeeded, response.header?.revision], [false, 2]);
  assert.deepEqual(response.responses[0]?.responseRange?.kvs.map(show), ["a=1 2/2/1"]);
  const inNested = await txn(client, { success: [nested({ success: [getOp("a")] })] });
  assert.equal(inNested.header?.revision, 2);
});

test("TXN-17: a read-only transaction is refused for a revision it cannot read", async (t) => {
  const { client } = await start(t);
  await client.put("a");
  await client.put("a");
  await client.compact(3);
  await rejectsAs(txn(client, { success: [getOp("a", 4)] }), etcdErrors.futureRev);
  await rejectsAs(txn(client, { success: [getOp("a", 2)] }), etcdErrors.compacted);
});

test("ORD-3: counts come before keys, compares before operations, success before failure, duplicates last", async (t) => {
  const { client } = await start(t);
  const badSort = createRequestOp({ requestRange: createRangeRequest({ key: byteString("a"), sortOrder: 9 }) });
  const valueKept = createRequestOp({
    requestPut: { ...putOp("a").requestPut!, value: bytes("v"), ignoreValue: true },
  });
  const twice = [putOp("d"), putOp("d")];
  const cases: Array<[Partial<TxnRequest>, (typeof etcdErrors)[keyof typeof etcdErrors]]> = [
    [{ compare: [keyMissing("")], success: puts(129) }, etcdErrors.tooManyOps],
    [{ compare: [keyMissing("")], success: [badSort] }, etcdErrors.emptyKey],
    [{ success: [badSort, putOp("")], failure: [valueKept] }, etcdErrors.invalidSortOption],
    [{ success: [...twice, valueKept] }, etcdErrors.valueProvided],
    [{ success: twice, failure: [putOp("")] }, etcdErrors.emptyKey],
    [{ success: twice, failure: [putOp("e", "", 99n)] }, etcdErrors.duplicateKey],
  ];
  for (const [fields, error] of cases) await rejectsAs(txn(client, fields), error);
});

test("LIM-1: a transaction above the request limit is refused, but not one that only reads", async (t) => {
  const { client } = await start(t, { serviceLimits: { requestBytes: 100 } });
  await rejectsAs(txn(client, { success: [putOp("a", "x".repeat(100))] }), etcdErrors.requestTooLarge);
  await rejectsAs(
    txn(client, { compare: [keyMissing("x".repeat(100))], success: [putOp("a")] }),
    etcdErrors.requestTooLarge,
  );
  assert.equal((await txn(client, { success: [getOp("x".repeat(100))] })).responses.length, 1);
});

test("I2, TXN-6: of many transactions that compare the same create revision, exactly one wins", async (t) => {
  const { client } = await start(t);
  const attempts = Array.from({ length: 200 }, (_, i) =>
    txn(client, { compare: [keyMissing("leader")], success: [putOp("leader", `${i}`)], failure: [getOp("leader")] }),
  );
  const answers = await Promise.all(attempts);
  assert.equal(answers.filter(({ succeeded }) => succeeded).length, 1);
  assert.equal(await client.revision(), 2);
});
