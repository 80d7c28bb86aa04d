/**
 * Bounds of transactions (fault-model I12, F14).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CompareResult,
  CompareTarget,
  createCompare,
  createTxnRequest,
  encodeTxnRequest,
  type KeyValue,
  type RequestOp,
  SortOrder,
  SortTarget,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import fc from "fast-check";
import { encodeCommand } from "./command-codec.js";
import { answerPairOverheadBytes } from "./limits.js";
import { StateMachine } from "./state-machine.js";
import { commands, txnRequests } from "./testing/arbitraries.js";
import { Driver, deleteOp, key, putOp, rangeOp, txnOp } from "./testing/builders.js";
import type { TxnBounds, TxnExcess, Upcoming } from "./transaction-bounds.js";

const boundless: TxnBounds = { answerBytesMax: 2 ** 40, keysMax: 2 ** 40, pairBytesMax: 2 ** 40 };
const nothing: Upcoming = { bytes: 0, keys: 0 };
const all = { key: "\0", rangeEnd: "\0" };

/** Ten keys of 1,000 bytes each. */
function tenKeys(): StateMachine {
  const driver = new Driver(new StateMachine());
  for (let n = 0; n < 10; n++) driver.put(`k${n}`, "v".repeat(1_000));
  return driver.machine;
}

function excess(
  machine: StateMachine,
  request: Partial<TxnRequest>,
  bounds: Partial<TxnBounds>,
  upcoming = nothing,
): TxnExcess | undefined {
  return machine.txnExcess(createTxnRequest(request), { ...boundless, ...bounds }, upcoming);
}

/** Whether a transaction of these operations, in either branch, gives back more than 15,000 bytes besides the largest. */
function isLarge(success: readonly RequestOp[], upcoming = nothing): boolean {
  const machine = tenKeys();
  const found = excess(machine, { success }, { answerBytesMax: 15_000 }, upcoming);
  assert.equal(excess(machine, { failure: success }, { answerBytesMax: 15_000 }, upcoming), found);
  return found === "answer-bytes";
}

const sorted = { ...all, sortTarget: SortTarget.VALUE, sortOrder: SortOrder.DESCEND };
const copies = (count: number, operation: RequestOp): RequestOp[] => Array.from({ length: count }, () => operation);

test("F14: the largest answer is free, what the others give back is bounded", () => {
  assert.equal(isLarge([rangeOp(all)]), false);
  assert.equal(isLarge([rangeOp(all), rangeOp(all)]), false);
  assert.equal(isLarge([rangeOp(all), rangeOp(all), rangeOp(all)]), true);
  assert.equal(isLarge(copies(14, rangeOp({ key: "k1" }))), false);
  assert.equal(isLarge(copies(15, rangeOp({ key: "k1" }))), true);
});

test("F14: previous pairs count, what is not given back does not", () => {
  const deletion = deleteOp({ ...all, prevKv: true });
  assert.equal(isLarge(copies(3, deletion)), true);
  assert.equal(isLarge(copies(15, putOp({ key: "k1", prevKv: true }))), true);
  assert.equal(isLarge(copies(100, deleteOp(all))), false);
  assert.equal(isLarge(copies(100, rangeOp({ ...all, countOnly: true }))), false);
  assert.equal(isLarge(copies(10, rangeOp({ ...all, keysOnly: true }))), false);
  assert.equal(isLarge(copies(20, rangeOp({ ...all, keysOnly: true }))), true);
});

test("F14: a limit counts for the pairs that it leaves, whichever these are", () => {
  assert.equal(isLarge(copies(14, rangeOp({ ...all, limit: 1 }))), false);
  assert.equal(isLarge(copies(15, rangeOp({ ...all, limit: 1 }))), true);
  assert.equal(isLarge(copies(7, rangeOp({ ...all, limit: 2 }))), false);
  assert.equal(isLarge(copies(8, rangeOp({ ...all, limit: 2 }))), true);
  assert.equal(isLarge(copies(14, rangeOp({ ...sorted, limit: 1 }))), false);
  assert.equal(isLarge(copies(8, rangeOp({ ...sorted, limit: 2 }))), true);
});

test("F14: what a deletion brings to the front of a range that is cut counts as well", () => {
  const driver = new Driver(tenKeys());
  driver.put("a", "small");
  const request = { success: [deleteOp({ key: "a" }), ...copies(15, rangeOp({ ...all, limit: 1 }))] };
  const isLargeAfter = (bytes: number): boolean =>
    excess(driver.machine, request, { answerBytesMax: 10_000 }, { bytes, keys: 1 }) === "answer-bytes";
  assert.deepEqual([isLargeAfter(0), isLargeAfter(1)], [false, true]);
});

test("F14: of two branches the larger counts, of nested transactions all", () => {
  const one = [rangeOp(all)];
  const nested = txnOp({ success: one, failure: one });
  assert.equal(excess(tenKeys(), { success: one, failure: one }, { answerBytesMax: 100 }), undefined);
  assert.equal(isLarge([nested, nested]), false);
  assert.equal(isLarge([nested, txnOp({ success: [nested] }), rangeOp(all)]), true);
});

test("F14: what is yet to be written counts for everyone who may read it", () => {
  const waiting = (bytes: number): Upcoming => ({ bytes, keys: 1 });
  const singles = ["k1", "k2", "new"].map((name) => rangeOp({ key: name }));
  assert.equal(isLarge(singles, waiting(10_000)), false);
  assert.equal(isLarge([...singles, ...singles], waiting(7_000)), true);
  assert.equal(
    isLarge([rangeOp({ key: "x", rangeEnd: "y" }), rangeOp({ key: "x", rangeEnd: "y" })], waiting(8_000)),
    true,
  );
  assert.equal(isLarge([rangeOp({ ...all, revision: 1_000 }), rangeOp(all), rangeOp(all)], waiting(1)), true);
});

test("F14: the longest walk is free, what else is gone through is bounded", () => {
  const isLong = (request: Partial<TxnRequest>, upcoming = nothing): boolean =>
    excess(tenKeys(), request, { keysMax: 20 }, upcoming) === "keys";
  const compare = createCompare({ key: key("\0"), rangeEnd: key("\0") });
  const walk = rangeOp({ ...sorted, limit: 1 });
  assert.equal(isLong({ success: copies(3, walk), failure: copies(3, walk) }), false);
  assert.equal(isLong({ success: copies(4, walk) }), true);
  assert.equal(isLong({ compare: [compare, compare, compare] }), false);
  assert.equal(isLong({ compare: [compare, compare], success: [walk, walk] }), true);
  assert.equal(isLong({ success: [txnOp({ compare: [compare, compare], failure: [walk] }), walk] }), true);
  assert.equal(isLong({ success: copies(100, rangeOp({ ...all, countOnly: true })) }), false);
  assert.equal(isLong({ success: copies(5, rangeOp({ ...all, countOnly: true, revision: 3 })) }), true);
  assert.equal(isLong({ success: copies(5, rangeOp({ ...all, limit: 2 })) }), false);
  assert.equal(isLong({ success: copies(2, walk) }, { bytes: 1, keys: 11 }), true);
});

test("F14: whoever hides ranges in many branches is found before all of them are looked through", () => {
  let request: TxnRequest = createTxnRequest();
  for (let level = 0; level < 40; level++)
    request = createTxnRequest({ success: [rangeOp(all)], failure: [txnOp(request)] });
  assert.equal(excess(tenKeys(), request, { answerBytesMax: 1e6, keysMax: 30 }), "keys");
  assert.equal(excess(tenKeys(), request, { answerBytesMax: 1e6, keysMax: 300 }), undefined);
});

test("F14, I12: whatever is written before its turn, no transaction that was let through gives back more", () => {
  let passed = 0;
  let refused = 0;
  const property = fc.property(
    fc.array(commands, { maxLength: 30 }),
    fc.array(commands, { maxLength: 4 }),
    txnRequests,
    fc.nat(2_500),
    (before, meanwhile, request, answerBytesMax) => {
      const machine = new StateMachine();
      for (const command of before) machine.apply(command);
      const known = machine.revision;
      const waiting = meanwhile.reduce((sum, command) => sum + encodeCommand(command).length, 0);
      const upcoming = { bytes: encodeTxnRequest(request).length + waiting, keys: 100 };
      const bounds = { answerBytesMax, pairBytesMax: 140 };
      const isRefused = excess(machine, request, bounds, upcoming) !== undefined;
      for (const command of meanwhile) machine.apply(command);
      const outcome = machine.apply({ kind: "txn", request });
      if (outcome.kind !== "txn") return;
      if (isRefused) refused += 1;
      else assert.ok(restOf(answerSizes(outcome.response, known)) <= answerBytesMax);
      passed += isRefused ? 0 : 1;
    },
  );
  fc.assert(property, { numRuns: 3_000 });
  assert.ok(passed > 300 && refused > 100, `${passed} were let through, ${refused} refused`);
});

test("F14, I12: no transaction that only reads and was let through gives back more", () => {
  const property = fc.property(
    fc.array(commands, { maxLength: 30 }),
    txnRequests,
    fc.nat(2_500),
    (before, { compare, success, failure }, answerBytesMax) => {
      const machine = new StateMachine();
      for (const command of before) machine.apply(command);
      const isRange = ({ requestRange }: RequestOp): boolean => requestRange !== undefined;
      const request = createTxnRequest({ compare, success: success.filter(isRange), failure: failure.filter(isRange) });
      if (excess(machine, request, { answerBytesMax, pairBytesMax: 140 }) !== undefined) return;
      const outcome = machine.rangeTxn(request);
      if (outcome.kind !== "txn") return;
      assert.ok(restOf(answerSizes(outcome.response, machine.revision)) <= answerBytesMax);
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});

test("F14: a comparison that is false for a while bounds nothing: both branches are looked at", () => {
  const machine = tenKeys();
  const compare = [
    createCompare({ key: key("k1"), target: CompareTarget.VERSION, result: CompareResult.GREATER, version: 5 }),
  ];
  const request = { compare, success: copies(3, rangeOp(all)), failure: [rangeOp({ key: "k1" })] };
  assert.equal(excess(machine, request, { answerBytesMax: 15_000 }), "answer-bytes");
});

/** The bytes of each answer, as they are counted: what is newer than `known` without anything besides key and value. */
function answerSizes({ responses }: TxnResponse, known: number): number[] {
  return responses.flatMap(({ responseRange, responsePut, responseDeleteRange, responseTxn }) => {
    if (responseTxn !== undefined) return answerSizes(responseTxn, known);
    const previous = responsePut?.prevKv === undefined ? [] : [responsePut.prevKv];
    return [pairBytes(responseRange?.kvs ?? responseDeleteRange?.prevKvs ?? previous, known)];
  });
}

function pairBytes(pairs: readonly KeyValue[], known: number): number {
  const overhead = ({ modRevision }: KeyValue): number => (modRevision <= known ? answerPairOverheadBytes : 0);
  return pairs.reduce((sum, pair) => sum + pair.key.length + pair.value.length + overhead(pair), 0);
}

function restOf(sizes: readonly number[]): number {
  return sizes.reduce((sum, bytes) => sum + bytes, 0) - Math.max(0, ...sizes);
}
