/** What becomes of values that are views of a request whose memory is soon used for the next one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CompareTarget,
  createCompare,
  createPutRequest,
  createRequestOp,
  createTxnRequest,
  decodeBoundedLent,
  encodePutRequest,
  encodeTxnRequest,
  lentBytesMin,
  putRequestCodec,
  type TxnRequest,
  txnRequestCodec,
} from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import { Batch, readBatch } from "./batch.js";
import type { Proposer } from "./proposer.js";
import { byteString } from "./testing/harness.js";

const proposer: Proposer = { settled() {}, failed() {} };
const valueBytes = 5000;

/** A put whose value is a view of the body, as large requests are decoded. */
function lentPut(fill: number, bytes = valueBytes): { command: Command; body: Uint8Array } {
  const key = byteString(`${fill}`);
  const memory = Buffer.alloc(bytes + 200, 0xee);
  const encoded = encodePutRequest(createPutRequest({ key, value: Buffer.alloc(bytes, fill), lease: 7n }));
  memory.set(encoded, 11);
  const body = memory.subarray(11, 11 + encoded.length);
  return { command: { kind: "put", request: decodeBoundedLent(putRequestCodec, body, 100) }, body };
}

/** Adds puts of 1, 2 and so on, and writes over the memory of each. */
function addLent(batch: Batch, count: number, bytes = valueBytes): void {
  for (let fill = 1; fill <= count; fill++) {
    const { command, body } = lentPut(fill, bytes);
    batch.add(command, body, proposer, fill % 2 === 0 ? { userName: "ann", authRevision: 1 } : undefined, 1);
    body.fill(0xff);
  }
}

function valueIn(command: Command | undefined): Buffer {
  assert.ok(command?.kind === "put");
  return Buffer.from(command.request.value);
}

test("a value that is a view of its request outlasts it, however the batch grows", () => {
  const batch = new Batch();
  addLent(batch, 20);
  for (const [n, command] of batch.commands.entries()) {
    assert.deepEqual(valueIn(command), Buffer.alloc(valueBytes, n + 1));
    assert.ok(command.kind === "put");
    assert.deepEqual([command.request.key, command.request.lease], [`${n + 1}`, 7n]);
  }
  let logged = 0;
  readBatch(1, batch.payload, ({ command }) => {
    logged += 1;
    assert.deepEqual(valueIn(command), Buffer.alloc(valueBytes, logged));
  });
  assert.equal(logged, 20);
});

test("a value in memory of its own, or beside the body in the same, is left alone", () => {
  const batch = new Batch();
  const memory = Buffer.alloc(20_000, 5);
  const value = memory.subarray(8_000, 8_000 + valueBytes);
  const request = createPutRequest({ key: byteString("k"), value });
  batch.add({ kind: "put", request }, memory.subarray(0, 8_000), proposer, undefined, 1);
  batch.add({ kind: "put", request }, memory.subarray(13_000), proposer, undefined, 1);
  for (const command of batch.commands) assert.ok(command.kind === "put" && command.request.value === value);
});

test("what is left of a batch has values of its own when the other part is used anew", () => {
  const batch = new Batch();
  addLent(batch, 9);
  const kept = new Batch();
  const refused = batch.split((command) => (command.kind === "put" && command.request.key === "4" ? 1 : 0), kept);
  batch.clear();
  addLent(batch, 9);
  assert.deepEqual([refused.length, kept.commands.length], [8, 1]);
  assert.deepEqual(valueIn(kept.commands[0]), Buffer.alloc(valueBytes, 4));
});

/** All values of a transaction, in order. */
function valuesIn({ compare, success, failure }: TxnRequest): Buffer[] {
  const ofBranches = [...success, ...failure].flatMap(({ requestPut, requestTxn }) =>
    requestTxn === undefined ? [Buffer.from(requestPut!.value)] : valuesIn(requestTxn),
  );
  return [...compare.map(({ value }) => Buffer.from(value!)), ...ofBranches];
}

test("all values of a transaction outlast its request: those of compares, of both branches and of transactions within", () => {
  const put = (fill: number, bytes: number) =>
    createRequestOp({ requestPut: createPutRequest({ key: byteString("k"), value: Buffer.alloc(bytes, fill) }) });
  const compare = (fill: number) => [
    createCompare({ target: CompareTarget.VALUE, value: Buffer.alloc(2 * lentBytesMin, fill) }),
  ];
  const inner = createTxnRequest({
    compare: compare(1),
    success: [put(2, 3 * lentBytesMin)],
    failure: [put(3, lentBytesMin)],
  });
  const request = createTxnRequest({
    compare: compare(4),
    success: [put(5, 0), createRequestOp({ requestTxn: inner })],
    failure: [put(6, lentBytesMin + 1)],
  });
  const body = Buffer.from(encodeTxnRequest(request));
  const batch = new Batch();
  batch.add({ kind: "txn", request: decodeBoundedLent(txnRequestCodec, body, 100) }, body, proposer, undefined, 1);
  body.fill(0xff);
  addLent(batch, 20);
  const [command] = batch.commands;
  assert.ok(command?.kind === "txn");
  assert.deepEqual(valuesIn(command.request), valuesIn(request));
});
