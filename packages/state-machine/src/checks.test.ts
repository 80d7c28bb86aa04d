/**
 * The rules of a request's shape.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequestOp, createTxnRequest, type RequestOp, type TxnRequest } from "@holdfast/protocol";
import fc from "fast-check";
import { checkDeleteRange, checkPut, checkRange, checkTxn } from "./checks.js";
import { transactionDepthMax } from "./limits.js";
import { txnRequests } from "./testing/arbitraries.js";
import {
  compare,
  deleteOp,
  deleteRequest,
  putOp,
  putRequest,
  rangeOp,
  rangeRequest,
  txnOp,
} from "./testing/builders.js";
import { hasWriteConflict } from "./write-conflicts.js";

function check(fields: Partial<TxnRequest>, operationsMax?: number) {
  return checkTxn(createTxnRequest(fields), operationsMax);
}

/** Whether a branch of these operations is refused for its writes. */
function collides(...success: RequestOp[]): boolean {
  const refusal = check({ success });
  assert.ok(refusal === undefined || refusal === "duplicate-key");
  assert.equal(check({ failure: success }), refusal);
  return refusal !== undefined;
}

const put = (key: string) => putOp({ key });
const remove = (key: string, rangeEnd = "") => deleteOp({ key, rangeEnd });
const nested = (success: RequestOp[], failure: RequestOp[] = []) => txnOp({ success, failure });

test("KV-3: an empty key is refused everywhere", () => {
  assert.equal(checkRange(rangeRequest({})), "empty-key");
  assert.equal(checkPut(putRequest({})), "empty-key");
  assert.equal(checkDeleteRange(deleteRequest({})), "empty-key");
  assert.equal(check({ compare: [compare({})] }), "empty-key");
  for (const operation of [rangeOp({}), putOp({}), deleteOp({}), txnOp({ success: [putOp({})] })]) {
    assert.equal(check({ success: [operation] }), "empty-key");
    assert.equal(check({ failure: [operation] }), "empty-key");
  }
});

test("KV-10: unknown sort numbers are refused, after the key", () => {
  for (const fields of [{ sortOrder: 3 }, { sortOrder: -1 }, { sortTarget: 5 }, { sortTarget: -1 }]) {
    assert.equal(checkRange(rangeRequest({ key: "a", ...fields })), "invalid-sort-option");
    assert.equal(checkRange(rangeRequest(fields)), "empty-key");
    assert.equal(check({ failure: [rangeOp({ key: "a", ...fields })] }), "invalid-sort-option");
  }
  assert.equal(checkRange(rangeRequest({ key: "a", sortOrder: 2, sortTarget: 4 })), undefined);
});

test("KV-24, LEASE-34: ignore_value with a value and ignore_lease with a lease are refused, in this order", () => {
  const both = { key: "a", ignoreValue: true, ignoreLease: true };
  assert.equal(checkPut(putRequest({ ...both, value: "x", lease: 1n })), "value-provided");
  assert.equal(checkPut(putRequest({ ...both, lease: 1n })), "lease-provided");
  assert.equal(checkPut(putRequest(both)), undefined);
});

test("TXN-9: compares, success and failure operations are counted separately", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => rangeOp({ key: `k${index}` }));
  const compares = (count: number) => many(count).map(() => compare({ key: "a" }));
  assert.equal(check({ compare: compares(128), success: many(128), failure: many(128) }), undefined);
  assert.equal(check({ compare: compares(129) }), "too-many-operations");
  assert.equal(check({ success: many(129) }), "too-many-operations");
  assert.equal(check({ failure: many(129) }), "too-many-operations");
  assert.equal(check({ success: many(3) }, 2), "too-many-operations");
});

test("TXN-9: a nested transaction may use what the largest list of each outer level leaves", () => {
  const ranges = (count: number) => Array.from({ length: count }, () => rangeOp({ key: "a" }));
  const inner = (count: number) => txnOp({ failure: ranges(count) });
  assert.equal(check({ success: [inner(7)], failure: ranges(3) }, 10), undefined);
  assert.equal(check({ success: [inner(8)], failure: ranges(3) }, 10), "too-many-operations");
  assert.equal(check({ success: [txnOp({ success: [inner(8)] })] }, 10), undefined);
  assert.equal(check({ success: [txnOp({ success: [inner(9)] })] }, 10), "too-many-operations");
});

test("F45, TXN-9: all levels together have no more than one level may have in its three lists", () => {
  const ranges = (count: number) => Array.from({ length: count }, () => rangeOp({ key: "a" }));
  const tree = (last: number) => ({
    compare: [compare({ key: "a" })],
    success: [txnOp({ success: ranges(5), failure: ranges(5) }), txnOp({ failure: ranges(5) })],
    failure: [txnOp({ success: ranges(5), failure: ranges(last) })],
  });
  assert.equal(check(tree(6), 10), undefined);
  assert.equal(check(tree(7), 10), "too-many-operations");
  assert.equal(check(tree(7), 11), undefined);
});

test("F45, TXN-9, LIMIT transactionDepthMax: nesting is limited even when operations are not", () => {
  const deep = (levels: number): TxnRequest => {
    let request = createTxnRequest();
    for (let level = 1; level < levels; level++) request = createTxnRequest({ success: [txnOp(request)] });
    return request;
  };
  assert.equal(checkTxn(deep(transactionDepthMax), 1e6), undefined);
  assert.equal(checkTxn(deep(transactionDepthMax + 1), 1e6), "too-many-operations");
});

test("TXN-10: a key is put at most once, and not both put and deleted, in either order", () => {
  assert.equal(collides(put("a"), put("b")), false);
  assert.equal(collides(put("a"), put("a")), true);
  assert.equal(collides(put("a"), remove("a")), true);
  assert.equal(collides(remove("a"), put("a")), true);
  assert.equal(collides(put("b"), remove("a", "c")), true);
  assert.equal(collides(put("c"), remove("a", "c")), false);
  assert.equal(collides(put("a\0"), remove("a")), false);
  assert.equal(collides(remove("a", "c"), remove("b")), false);
  assert.equal(collides(remove("a", "b"), remove("b", "d"), remove("e"), put("c")), true);
});

test("TXN-10: nested levels included", () => {
  assert.equal(collides(put("a"), nested([put("a")])), true);
  assert.equal(collides(nested([put("a")]), nested([], [put("a")])), true);
  assert.equal(collides(nested([nested([put("a")])]), put("a")), true);
  assert.equal(collides(nested([put("a")]), remove("a")), true);
  assert.equal(collides(nested([remove("a")]), put("a")), true);
  assert.equal(collides(nested([remove("a", "c")]), nested([put("b")])), true);
  assert.equal(collides(nested([put("a"), put("a")])), true);
});

test("TXN-10: the branches of one nested transaction may write the same key", () => {
  assert.equal(collides(nested([put("a")], [put("a")])), false);
  assert.equal(collides(nested([put("a")], [remove("a")])), false);
  assert.equal(collides(nested([put("a")], [put("a")]), put("a")), true);
  assert.equal(check({ success: [put("a")], failure: [put("a")] }), undefined);
});

test("TXN-10: a put in an earlier nested transaction does not meet a delete in a later one", () => {
  assert.equal(collides(nested([put("a")]), nested([remove("a")])), false);
});

test("TXN-11: a delete with an open end, or an inverted one, covers nothing", () => {
  assert.equal(collides(put("a"), remove("a", "\0")), false);
  assert.equal(collides(remove("\0", "\0"), put("a")), false);
  assert.equal(collides(remove("c", "a"), put("b")), false);
});

test("TXN-12, ORD-3: count, then compares, then operations in order, then duplicates", () => {
  const broken = compare({});
  const duplicate = [put("a"), put("a")];
  assert.equal(check({ compare: [broken], success: [createRequestOp()] }), "empty-key");
  assert.equal(check({ compare: [broken, broken], success: [] }, 1), "too-many-operations");
  const noValue = putOp({ key: "a", value: "x", ignoreValue: true });
  assert.equal(check({ success: [...duplicate, noValue], failure: [createRequestOp()] }), "value-provided");
  assert.equal(check({ success: duplicate, failure: [createRequestOp()] }), "operation-not-set");
  assert.equal(check({ failure: duplicate }), "duplicate-key");
});

test("TXN-15, TXN-16: an operation with nothing set is refused, an empty transaction is not", () => {
  assert.equal(check({ failure: [createRequestOp()] }), "operation-not-set");
  assert.equal(check({}), undefined);
});

/** A write, and the way to it: the index of the operation and the branch, level by level. */
interface Write {
  readonly operation: RequestOp;
  readonly path: readonly { readonly index: number; readonly branch: string }[];
}

function writesIn(operations: readonly RequestOp[], path: Write["path"]): Write[] {
  return operations.flatMap((operation, index) => {
    const { requestTxn } = operation;
    if (requestTxn === undefined) return [{ operation, path: [...path, { index, branch: "" }] }];
    return (["success", "failure"] as const).flatMap((branch) =>
      writesIn(requestTxn[branch], [...path, { index, branch }]),
    );
  });
}

/** The rule between two writes, looked at alone. */
function collide(first: Write, second: Write): boolean {
  let level = 0;
  while (first.path[level]!.index === second.path[level]!.index) {
    if (first.path[level]!.branch !== second.path[level]!.branch) return false;
    level += 1;
  }
  const put = first.operation.requestPut;
  if (put === undefined) return false;
  if (second.operation.requestPut !== undefined) return put.key === second.operation.requestPut.key;
  const deletion = second.operation.requestDeleteRange;
  if (deletion === undefined) return false;
  const { key, rangeEnd } = deletion;
  const isCovered = rangeEnd === "" ? put.key === key : put.key >= key && put.key < rangeEnd;
  const isDirect = first.path.length === level + 1 || second.path.length === level + 1;
  return isCovered && (isDirect || second.path[level]!.index < first.path[level]!.index);
}

test("TXN-10: agrees with comparing all writes one by one", () => {
  let conflicts = 0;
  fc.assert(
    fc.property(txnRequests, ({ success }) => {
      const writes = writesIn(success, []);
      const expected = writes.some((first) => writes.some((second) => first !== second && collide(first, second)));
      assert.equal(hasWriteConflict(success), expected);
      if (expected) conflicts += 1;
    }),
    { numRuns: 2000 },
  );
  assert.ok(conflicts > 100);
});
