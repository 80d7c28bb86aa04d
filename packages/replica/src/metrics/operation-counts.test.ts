import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
} from "@holdfast/protocol";
import { byteString, Harness } from "../testing/harness.js";

const put = createRequestOp({ requestPut: createPutRequest({ key: byteString("a") }) });
const range = createRequestOp({ requestRange: createRangeRequest({ key: byteString("a") }) });
const deletion = createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ key: byteString("b") }) });

test("applied operations are counted, those in transactions and those of a lease's end too", async () => {
  const harness = await Harness.start();
  const { operations } = harness.replica;
  await harness.put("x");
  await harness.delete("nothing");
  const inner = createRequestOp({ requestTxn: createTxnRequest({ success: [deletion], failure: [put, put] }) });
  await harness.propose({ kind: "txn", request: createTxnRequest({ success: [put, inner] }) });
  await harness.propose({ kind: "txn", request: createTxnRequest({ success: [put] }) });
  await harness.propose({ kind: "txn", request: createTxnRequest({ success: [deletion, range] }) });
  await harness.grant(5n, 60);
  await harness.put("y", "", 5n);
  await harness.put("z", "", 5n);
  await harness.propose({ kind: "leaseRevoke", leaseId: 5n });
  await harness.propose({ kind: "leaseRevoke", leaseId: 5n });
  const { puts, deletes, transactions } = operations;
  assert.deepEqual({ puts, deletes, transactions }, { puts: 5, deletes: 5, transactions: 2 });
});
