/** Fault-model I12: requests of a few bytes that ask for very much, and those of very many parts. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  CompareTarget,
  clusterService,
  createCompare,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  etcdErrors,
  FilterType,
  kvService,
  type RequestOp,
  StatusCode,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import { defaultServiceLimits, type ServiceLimits } from "../limits.js";
import { GatedLog } from "../testing/gated-log.js";
import { startSecured } from "../testing/secured.js";
import { Services, type ServicesOptions, until } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, putOp, type TestClient } from "../testing/test-client.js";
import { openWatch, sendCreate } from "../testing/watching.js";
import type { CountedLimit } from "./limit-hits.js";

const { requestTooLarge, requestTooManyRequests, tooManyOps } = etcdErrors;

interface Started {
  readonly client: TestClient;
  readonly services: Services;
  txn(fields: Partial<TxnRequest>): Promise<TxnResponse>;
  hits(limit: CountedLimit): number;
}

async function start(
  t: TestContext,
  serviceLimits: Partial<ServiceLimits>,
  options: ServicesOptions = {},
): Promise<Started> {
  const services = await Services.start(t, { ...options, serviceLimits });
  const client = await services.connect();
  return {
    client,
    services,
    txn: (fields) => client.call(kvService.methods.txn, fields),
    hits: (limit) => services.context.limitHits.of(limit),
  };
}

function rangeOp(key: string, rangeEnd = ""): RequestOp {
  const requestRange = createRangeRequest({ key: byteString(key), rangeEnd: byteString(rangeEnd) });
  return createRequestOp({ requestRange });
}

const all = rangeOp("a", "z");
const put = putOp("d");

test("I12, F14, LIMIT transactionAnswerBytesMax: more is refused, read-only or not, and changes nothing; one answer may be large", async (t) => {
  const { client, txn, hits } = await start(t, { transactionAnswerBytesMax: 20_000, requestBytes: 9_000 });
  for (const key of ["a", "b", "c"]) await client.put(key, "x".repeat(8_000));
  assert.equal((await txn({ success: [all] })).responses[0]?.responseRange?.kvs.length, 3);
  assert.equal((await txn({ success: [all, rangeOp("a"), rangeOp("b")] })).responses.length, 3);
  const before = await client.revision();
  await rejectsAs(txn({ success: [all, all] }), requestTooLarge);
  await rejectsAs(txn({ success: [put, all, all] }), requestTooLarge);
  await rejectsAs(txn({ success: [put], failure: [all, all] }), requestTooLarge);
  assert.equal(hits("transactionAnswerBytesMax"), 3);
  assert.deepEqual([await client.revision(), await client.get("d")], [before, undefined]);
  await txn({ success: [put, all, rangeOp("a")] });
  assert.equal(defaultServiceLimits.transactionAnswerBytesMax, 16 * 1024 * 1024);
});

test("I12, F14, LIMIT transactionAnswerBytesMax: what waits for the log counts in, as too many requests", async (t) => {
  const log = await GatedLog.open();
  const limits = { transactionAnswerBytesMax: 20_000, requestBytes: 9_000 };
  const { client, services, txn, hits } = await start(t, limits, { log });
  log.hold();
  const waiting = ["x", "y"].map((key) => client.put(key, "x".repeat(8_000)));
  await until(() => services.replica.waitingProposals === 2);
  const request = { success: [put], failure: [all, all] };
  await rejectsAs(txn(request), requestTooManyRequests);
  assert.equal(hits("transactionAnswerBytesMax"), 0);
  log.release();
  await Promise.all(waiting);
  await txn(request);
});

test("I12, F14, LIMIT transactionKeysMax: more keys to go through are refused, however little is given back", async (t) => {
  const { client, txn, hits } = await start(t, { transactionKeysMax: 3, transactionOperations: 3 });
  for (const key of ["a", "b", "c"]) await client.put(key);
  const compare = createCompare({ key: byteString("a"), rangeEnd: byteString("z"), target: CompareTarget.LEASE });
  await txn({ compare: [compare, compare] });
  await rejectsAs(txn({ compare: [compare, compare, compare] }), requestTooLarge);
  await rejectsAs(txn({ compare: [compare], success: [rangeOp("a", "c"), rangeOp("b", "z")] }), requestTooLarge);
  await rejectsAs(txn({ compare: [compare, compare], success: [put], failure: [all] }), requestTooLarge);
  assert.equal(hits("transactionKeysMax"), 3);
  assert.equal(defaultServiceLimits.transactionKeysMax, 200_000);
});

test("ORD-1, I12: a transaction that is too large for its answers is told so after everything that etcd looks at", async (t) => {
  const { client, txn } = await start(t, { transactionAnswerBytesMax: 100, requestBytes: 9_000 });
  for (const key of ["a", "b", "c"]) await client.put(key, "x".repeat(1_000));
  await rejectsAs(txn({ success: [all, all, rangeOp("")] }), etcdErrors.emptyKey);
  await rejectsAs(txn({ success: [all, all, put, put] }), etcdErrors.duplicateKey);
  await rejectsAs(txn({ success: [all, all, put] }), requestTooLarge);
});

test("ORD-1, I13: who may not read is told that, and nothing of how much there is", async (t) => {
  const serviceLimits = { transactionAnswerBytesMax: 100, requestBytes: 9_000 };
  const { as, root } = await startSecured(t, { ann: [["w", "a", "z"]] }, { serviceLimits });
  for (const key of ["a", "b", "c"]) await root.put(key, "x".repeat(1_000));
  const ann = await as("ann");
  for (const success of [
    [all, all],
    [put, all, all],
  ]) {
    await rejectsAs(ann.call(kvService.methods.txn, { success }), etcdErrors.permissionDenied);
    await rejectsAs(root.call(kvService.methods.txn, { success }), requestTooLarge);
  }
});

test("I12, F45, LIMIT requestItemsMax: more items are refused as soon as they are found, on streams too", async (t) => {
  const { client, services, hits } = await start(t, { requestItemsMax: 200 });
  const many = <Item>(item: Item): Item[] => Array.from({ length: 201 }, () => item);
  const add = clusterService.methods.memberAdd;
  await rejectsAs(client.call(add, { peerUrls: many("http://a:1") }), requestTooLarge);
  const stream = openWatch(client);
  // The request, the list, and what is in it.
  sendCreate(stream, "a", { filters: many(FilterType.NOPUT).slice(3) });
  assert.equal((await stream.next()).created, true);
  sendCreate(stream, "a", { filters: many(FilterType.NOPUT) });
  const { code, message } = await stream.ended();
  assert.deepEqual([code, message], [StatusCode.invalidArgument, requestTooLarge.wireMessage]);
  await until(() => services.context.watchers.total === 0);
  assert.equal(hits("requestItemsMax"), 2);
  assert.equal(defaultServiceLimits.requestItemsMax, 1_000);
});

test("I12, F45, LIMIT transactionOperations: of all levels together there may be no more, and most of too many are not even read", async (t) => {
  const { client, txn, hits } = await start(t, {});
  const emptyOperations = Buffer.alloc(1024 * 1024, Buffer.from([0x12, 0]));
  await rejectsAs(client.unary(kvService.methods.txn.path, emptyOperations), tooManyOps);
  const branch = Array.from({ length: 60 }, () => rangeOp("a"));
  const nested = createRequestOp({ requestTxn: createTxnRequest({ success: branch }) });
  await txn({ success: [nested, nested, nested, nested, nested, nested] });
  await rejectsAs(txn({ success: Array.from({ length: 7 }, () => nested) }), tooManyOps);
  assert.equal(hits("transactionOperations"), 2);
});
