/**
 * The rules of transactions that depend on the state. Those of their shape are in `checks.test.ts`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Compare,
  CompareResult,
  CompareTarget,
  createRequestOp,
  createTxnRequest,
  type RequestOp,
  type TxnRequest,
} from "@holdfast/protocol";
import { compare, Driver, deleteOp, key, putOp, rangeOp, text, txnOp } from "./testing/builders.js";
import { isReadOnlyTxn, isSerializableTxn } from "./transactions.js";
import type { Refusal } from "./types.js";

const { VERSION, CREATE, MOD, VALUE, LEASE } = CompareTarget;
const { EQUAL, GREATER, LESS, NOT_EQUAL } = CompareResult;

function holds(driver: Driver, fields: Parameters<typeof compare>[0]): boolean {
  return driver.txn({ compare: [compare(fields)] }).succeeded;
}

function txnRefusal(driver: Driver, success: RequestOp[], compares: Compare[] = []): Refusal {
  return driver.refusal({ kind: "txn", request: createTxnRequest({ compare: compares, success }) });
}

test("TXN-1: all compares must hold; the chosen branch runs in order and answers once per operation", () => {
  const driver = new Driver();
  driver.put("a");
  const isThere = compare({ key: "a", target: VERSION, version: 1 });
  const isMissing = compare({ key: "a", target: VERSION, version: 0 });
  const success = [putOp({ key: "s1" }), rangeOp({ key: "s1" })];
  const failure = [deleteOp({ key: "a" })];
  const refused = driver.txn({ compare: [isThere, isMissing], success, failure });
  assert.deepEqual([refused.succeeded, refused.responses.length], [false, 1]);
  assert.equal(refused.responses[0]!.responseDeleteRange?.deleted, 1);
  const passed = driver.txn({ success, failure });
  assert.equal(passed.succeeded, true);
  assert.ok(passed.responses[0]!.responsePut !== undefined && passed.responses[1]!.responseRange !== undefined);
});

test("TXN-2: every target with every result", () => {
  const driver = new Driver();
  driver.grant(5n);
  driver.put("a", "m", { lease: 5n });
  driver.put("a", "m", { lease: 5n });
  const operands: [number, object[]][] = [
    [VERSION, [{ version: 1 }, { version: 2 }, { version: 3 }]],
    [CREATE, [{ createRevision: 1 }, { createRevision: 2 }, { createRevision: 3 }]],
    [MOD, [{ modRevision: 2 }, { modRevision: 3 }, { modRevision: 4 }]],
    [VALUE, [{ value: "lz" }, { value: "m" }, { value: "m\0" }]],
    [LEASE, [{ lease: 4n }, { lease: 5n }, { lease: 2n ** 62n }]],
  ];
  for (const [target, [below, same, above]] of operands) {
    const results = (operand: object | undefined) =>
      [EQUAL, GREATER, LESS, NOT_EQUAL].map((result) => holds(driver, { key: "a", target, result, ...operand }));
    assert.deepEqual(results(below), [false, true, false, true]);
    assert.deepEqual(results(same), [true, false, false, false]);
    assert.deepEqual(results(above), [false, false, true, true]);
  }
});

test("TXN-2: values compare bytewise", () => {
  const driver = new Driver();
  driver.put("a", "\x80");
  assert.equal(holds(driver, { key: "a", target: VALUE, result: GREATER, value: "\x7f\xff" }), true);
});

test("TXN-3: a missing key compares as 0, and its value not at all", () => {
  const driver = new Driver();
  driver.put("gone");
  driver.delete("gone");
  for (const name of ["never", "gone"]) {
    assert.equal(holds(driver, { key: name, target: VERSION, version: 0 }), true);
    assert.equal(holds(driver, { key: name, target: CREATE, createRevision: 0 }), true);
    assert.equal(holds(driver, { key: name, target: MOD, result: LESS, modRevision: 1 }), true);
    assert.equal(holds(driver, { key: name, target: LEASE, lease: 0n }), true);
    for (const result of [EQUAL, GREATER, LESS, NOT_EQUAL]) {
      assert.equal(holds(driver, { key: name, target: VALUE, result, value: "" }), false);
    }
  }
});

test("TXN-4: a compare of an interval holds for all of its keys; an empty one is a missing key", () => {
  const driver = new Driver();
  driver.put("a");
  driver.put("b");
  driver.put("b");
  assert.equal(holds(driver, { key: "a", rangeEnd: "c", target: VERSION, result: GREATER, version: 0 }), true);
  assert.equal(holds(driver, { key: "a", rangeEnd: "c", target: VERSION, version: 1 }), false);
  assert.equal(holds(driver, { key: "a", rangeEnd: "\0", target: MOD, result: LESS, modRevision: 9 }), true);
  assert.equal(holds(driver, { key: "x", rangeEnd: "\0", target: VERSION, version: 0 }), true);
  assert.equal(holds(driver, { key: "a", rangeEnd: "c", target: VERSION, version: 0 }), false);
  assert.equal(holds(driver, { key: "x", rangeEnd: "z", target: VALUE, result: NOT_EQUAL, value: "v" }), false);
});

test("TXN-5: an operand that is not set, or in the wrong member, counts as 0 or empty", () => {
  const driver = new Driver();
  driver.put("a", "x");
  assert.equal(holds(driver, { key: "a", target: VERSION, result: GREATER, modRevision: 9 }), true);
  assert.equal(holds(driver, { key: "a", target: VALUE, result: GREATER }), true);
  assert.equal(holds(driver, { key: "b", target: LEASE, version: 4 }), true);
});

test("TXN-6: nested compares are decided before anything of the outer transaction runs", () => {
  const driver = new Driver();
  const isMissing = compare({ key: "a", target: VERSION, version: 0 });
  const nested = { compare: [isMissing], success: [putOp({ key: "b" })], failure: [putOp({ key: "c" })] };
  const response = driver.txn({ success: [putOp({ key: "a" }), txnOp(nested)] });
  assert.equal(response.responses[1]!.responseTxn?.succeeded, true);
  assert.deepEqual(driver.keys("\0", "\0"), ["a", "b"]);
});

test("TXN-7, KV-29: operations see earlier ones; all changes share one revision in execution order", () => {
  const driver = new Driver();
  driver.put("z");
  const { responses } = driver.txn({
    success: [putOp({ key: "b", value: "1" }), rangeOp({ key: "b" }), deleteOp({ key: "z" }), putOp({ key: "a" })],
  });
  const [seen] = responses[1]!.responseRange!.kvs;
  assert.deepEqual([text(seen!.value), seen!.modRevision], ["1", 3]);
  assert.deepEqual(driver.changes(), ["PUT b", "DELETE z", "PUT a"]);
  assert.deepEqual(
    driver.machine.changes.map((change) => change.modRevision),
    [3, 3, 3],
  );
  assert.equal(driver.revision, 3);
});

test("TXN-8, GEN-3: headers inside carry the old revision until the first change; nested ones are all zero", () => {
  const driver = new Driver();
  driver.put("a");
  const { header, responses } = driver.txn({
    success: [
      rangeOp({ key: "a" }),
      deleteOp({ key: "x" }),
      txnOp({ success: [rangeOp({ key: "a" }), putOp({ key: "a" })] }),
      rangeOp({ key: "a" }),
      deleteOp({ key: "x" }),
    ],
  });
  const zero = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };
  assert.equal(header?.revision, 3);
  assert.deepEqual(responses[0]!.responseRange?.header, { ...zero, revision: 2 });
  assert.deepEqual(responses[1]!.responseDeleteRange?.header, { ...zero, revision: 2 });
  const nested = responses[2]!.responseTxn!;
  assert.deepEqual(nested.header, zero);
  assert.equal(nested.responses[0]!.responseRange?.header?.revision, 2);
  assert.equal(nested.responses[1]!.responsePut?.header?.revision, 3);
  assert.equal(responses[3]!.responseRange?.header?.revision, 3);
  assert.equal(responses[4]!.responseDeleteRange?.header?.revision, 3);
});

test("TXN-11: put and delete of one key leave PUT then DELETE at one revision", () => {
  const driver = new Driver();
  driver.put("a", "old");
  driver.txn({ success: [putOp({ key: "a", value: "new" }), deleteOp({ key: "a", rangeEnd: "\0" })] });
  assert.deepEqual(driver.changes(), ["PUT a", "DELETE a"]);
  assert.equal(driver.value("a"), undefined);
  assert.equal(driver.revision, 3);
  driver.txn({ success: [deleteOp({ key: "a", rangeEnd: "\0" }), putOp({ key: "a", value: "newer" })] });
  driver.txn({ success: [deleteOp({ key: "a", rangeEnd: "\0" }), putOp({ key: "a", value: "newest" })] });
  assert.deepEqual(driver.changes(), ["DELETE a", "PUT a"]);
  assert.deepEqual([driver.live("a").version, driver.live("a").createRevision], [1, 5]);
});

test("TXN-11: a put that keeps the value of a key deleted before it keeps that of before the transaction", () => {
  const driver = new Driver();
  driver.put("a", "old");
  driver.txn({ success: [deleteOp({ key: "a", rangeEnd: "\0" }), putOp({ key: "a", ignoreValue: true })] });
  assert.deepEqual([driver.value("a"), driver.live("a").version], ["old", 1]);
});

test("TXN-12: state checks look at the chosen path only, and a failure leaves nothing behind", () => {
  const driver = new Driver();
  driver.put("a");
  const failing = [
    [putOp({ key: "b", lease: 9n }), "lease-not-found"],
    [putOp({ key: "b", ignoreValue: true }), "key-not-found"],
    [putOp({ key: "b", ignoreLease: true }), "key-not-found"],
    [rangeOp({ key: "a", revision: 99 }), "future-revision"],
    [createRequestOp(), "operation-not-set"],
  ] as const;
  for (const [operation, refusal] of failing) {
    assert.equal(txnRefusal(driver, [putOp({ key: "c" }), operation]), refusal);
    assert.equal(txnRefusal(driver, [putOp({ key: "c" }), txnOp({ success: [operation] })]), refusal);
    assert.equal(driver.txn({ failure: [operation] }).succeeded, true);
    assert.equal(driver.txn({ success: [txnOp({ failure: [operation] })] }).succeeded, true);
  }
  assert.deepEqual(driver.keys("\0", "\0"), ["a"]);
});

test("TXN-13: state checks use the state before the transaction", () => {
  const driver = new Driver();
  driver.put("a", "1");
  assert.equal(txnRefusal(driver, [putOp({ key: "a" }), rangeOp({ key: "a", revision: 3 })]), "future-revision");
  assert.equal(txnRefusal(driver, [putOp({ key: "b" }), putOp({ key: "b", ignoreValue: true })]), "key-not-found");
  const { responses } = driver.txn({
    success: [
      putOp({ key: "a", value: "2" }),
      putOp({ key: "b" }),
      rangeOp({ key: "\0", rangeEnd: "\0", revision: 2 }),
    ],
  });
  const before = responses[2]!.responseRange!;
  assert.deepEqual([before.count, before.kvs.map((pair) => text(pair.value))], [1, ["1"]]);
});

test("TXN-14: inside a transaction, negative revisions are held against the compaction", () => {
  const driver = new Driver();
  driver.put("a");
  assert.equal(driver.txn({ success: [rangeOp({ key: "a", revision: -1 })] }).responses[0]!.responseRange?.count, 1);
  assert.equal(txnRefusal(driver, [rangeOp({ key: "a", revision: -2 })]), "compacted");
  assert.equal(driver.range("a", "", { revision: -2 }).count, 1);
  driver.compact(1);
  assert.equal(txnRefusal(driver, [rangeOp({ key: "a", revision: -1 })]), "compacted");
  assert.equal(driver.txn({ success: [rangeOp({ key: "a" })] }).succeeded, true);
});

test("TXN-16: an empty transaction succeeds", () => {
  const driver = new Driver();
  const response = driver.txn({});
  assert.deepEqual([response.succeeded, response.responses.length, response.header?.revision], [true, 0, 1]);
});

test("TXN-17: what is read-only, and what may skip the consistency round", () => {
  const linearizable = rangeOp({ key: "a" });
  const serializable = rangeOp({ key: "a", serializable: true });
  const cases: [Partial<TxnRequest>, boolean, boolean][] = [
    [{}, true, true],
    [{ success: [serializable], failure: [serializable] }, true, true],
    [{ success: [serializable], failure: [linearizable] }, true, false],
    [{ success: [serializable], failure: [putOp({ key: "a" })] }, false, false],
    [{ success: [txnOp({ success: [serializable] })] }, false, false],
  ];
  for (const [fields, readOnly, skips] of cases) {
    assert.equal(isReadOnlyTxn(createTxnRequest(fields)), readOnly);
    assert.equal(isSerializableTxn(createTxnRequest(fields)), skips);
  }
});

test("TXN-17: a read-only transaction is answered without a command, by the same rules", () => {
  const driver = new Driver();
  driver.put("a", "1");
  const { appliedCommands, changes } = driver.machine;
  const request = createTxnRequest({
    compare: [compare({ key: "a", target: VERSION, version: 1 })],
    success: [rangeOp({ key: "a" })],
    failure: [rangeOp({ key: "a", revision: -2 })],
  });
  const outcome = driver.machine.rangeTxn(request);
  assert.ok(outcome.kind === "txn" && outcome.response.succeeded);
  assert.deepEqual([driver.machine.appliedCommands, driver.machine.changes], [appliedCommands, changes]);
  assert.deepEqual(driver.machine.apply({ kind: "txn", request }), outcome);
  driver.put("a", "2");
  assert.deepEqual(driver.machine.rangeTxn(request), { kind: "refused", refusal: "compacted" });
  const writing = createTxnRequest({ failure: [putOp({ key: "a" })] });
  assert.throws(() => driver.machine.rangeTxn(writing), TypeError);
});

test("TXN-17: a nested transaction that changes nothing makes no revision", () => {
  const driver = new Driver();
  const response = driver.txn({ success: [txnOp({ success: [rangeOp({ key: "a" }), deleteOp({ key: "a" })] })] });
  assert.deepEqual([response.header?.revision, driver.revision], [1, 1]);
});

test("TXN-18: prev_kv sees earlier operations of the transaction", () => {
  const driver = new Driver();
  driver.put("a", "1");
  const { responses } = driver.txn({
    success: [
      putOp({ key: "a", value: "2" }),
      txnOp({ success: [putOp({ key: "a", value: "3", prevKv: true })] }),
      deleteOp({ key: "a", rangeEnd: "\0", prevKv: true }),
    ],
  });
  const nested = responses[1]!.responseTxn!.responses[0]!.responsePut!;
  assert.equal(text(nested.prevKv!.value), "2");
  assert.deepEqual(
    responses[2]!.responseDeleteRange!.prevKvs.map((pair) => text(pair.value)),
    ["3"],
  );
});

test("D5: the create-if-absent transaction of a lock puts the oldest key first", () => {
  const driver = new Driver();
  driver.put("lock/2");
  driver.put("lock/1");
  const { responses } = driver.txn({
    compare: [compare({ key: "lock/3", target: CREATE, createRevision: 0 })],
    success: [
      putOp({ key: "lock/3" }),
      rangeOp({ key: "lock/", rangeEnd: "lock0", limit: 1, sortOrder: 1, sortTarget: 2 }),
    ],
  });
  assert.deepEqual(responses[1]!.responseRange?.kvs, [driver.machine.get(key("lock/2"))]);
});
