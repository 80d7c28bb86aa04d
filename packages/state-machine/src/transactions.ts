/**
 * Transactions: compare, choose, check, run.
 *
 * All compares, those of nested transactions included, are decided against the state before anything runs (TXN-6);
 * then everything on the chosen path that could be refused is checked (TXN-12, TXN-13); only then does it change.
 */
import {
  type Compare,
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  emptyByteString,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type ResponseOp,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import { type ChangeSet, headerAt } from "./change-set.js";
import { isSingleKey, upperBound } from "./key-interval.js";
import { type KeySpace, newest } from "./key-space.js";
import type { LeaseTable } from "./leases.js";
import { transactionDepthMax } from "./limits.js";
import { readRange } from "./ranges.js";
import { deletionOf, noLease, noValue } from "./stored-version.js";
import type { KeyVersion, Refusal } from "./types.js";

/** Whether a transaction only reads: nothing but ranges at its top level, in both branches (TXN-17). */
export function isReadOnlyTxn(request: TxnRequest): boolean {
  return request.success.every(isRange) && request.failure.every(isRange);
}

/** Whether a transaction may be answered without a consistency round: nothing but serializable ranges (TXN-17). */
export function isSerializableTxn(request: TxnRequest): boolean {
  return request.success.every(isSerializableRange) && request.failure.every(isSerializableRange);
}

/** A transaction whose compares are decided. */
export class ChosenTxn {
  readonly succeeded: boolean;
  readonly operations: readonly RequestOp[];
  /** The nested transactions among the operations, in order. */
  readonly nested: readonly ChosenTxn[];

  constructor(succeeded: boolean, operations: readonly RequestOp[], nested: readonly ChosenTxn[]) {
    this.succeeded = succeeded;
    this.operations = operations;
    this.nested = nested;
  }
}

/** What compares see of a key that does not exist. */
const missing: KeyVersion = deletionOf(emptyByteString, 0);

const noNested: readonly ChosenTxn[] = Object.freeze([]);

/** Decides all compares. Returns undefined when the transaction is nested deeper than any legal one. */
export function chooseTxn(keys: KeySpace, request: TxnRequest, depthLeft = transactionDepthMax): ChosenTxn | undefined {
  if (depthLeft === 0) return undefined;
  const succeeded = holdAll(keys, request.compare);
  const operations = succeeded ? request.success : request.failure;
  let nested: ChosenTxn[] | undefined;
  for (const operation of operations) {
    if (operation.requestTxn === undefined) continue;
    const chosen = chooseTxn(keys, operation.requestTxn, depthLeft - 1);
    if (chosen === undefined) return undefined;
    nested ??= [];
    nested.push(chosen);
  }
  return new ChosenTxn(succeeded, operations, nested ?? noNested);
}

/** Why the chosen path cannot run; looks at the state before the transaction only. */
export function txnRefusal(keys: KeySpace, leases: LeaseTable, chosen: ChosenTxn): Refusal | undefined {
  let nestedIndex = 0;
  for (const operation of chosen.operations) {
    let refusal: Refusal | undefined;
    if (operation.requestRange !== undefined) refusal = txnRangeRefusal(keys, operation.requestRange);
    else if (operation.requestPut !== undefined) refusal = putRefusal(keys, leases, operation.requestPut);
    else if (operation.requestTxn !== undefined) refusal = txnRefusal(keys, leases, chosen.nested[nestedIndex++]!);
    else if (operation.requestDeleteRange === undefined) refusal = "operation-not-set";
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Why a put cannot run in the present state (LEASE-31, LEASE-34, KV-24). */
export function putRefusal(keys: KeySpace, leases: LeaseTable, request: PutRequest): Refusal | undefined {
  if (request.lease !== noLease && leases.find(request.lease) === undefined) return "lease-not-found";
  if (!request.ignoreValue && !request.ignoreLease) return undefined;
  return keys.live(request.key) === undefined ? "key-not-found" : undefined;
}

/** Runs a transaction that is not refused. `changes.commit()` is left to the caller. */
export function runTxn(keys: KeySpace, changes: ChangeSet, chosen: ChosenTxn): TxnResponse {
  const responses = runOperations(keys, changes, chosen);
  return { header: headerAt(changes.revision), succeeded: chosen.succeeded, responses };
}

/** As `runTxn`, of a `PutIfAbsent` whose key is absent. */
export function runPutOfAbsent(changes: ChangeSet, put: PutRequest): TxnResponse {
  const responses = [putResult(changes, put, undefined)];
  return { header: headerAt(changes.revision), succeeded: true, responses };
}

function runOperations(keys: KeySpace, changes: ChangeSet, chosen: ChosenTxn): ResponseOp[] {
  const { operations } = chosen;
  // An array that grows takes four times the memory of one that is as long as it will be.
  const responses = new Array<ResponseOp>(operations.length);
  let response: ResponseOp | undefined;
  let nestedIndex = 0;
  for (let index = 0; index < operations.length; index++) {
    const { requestRange, requestPut, requestDeleteRange, requestTxn } = operations[index]!;
    if (requestRange !== undefined) response = rangeResult(keys, changes, requestRange);
    else if (requestPut !== undefined) response = putResult(changes, requestPut, response);
    else if (requestTxn !== undefined) response = nestedResult(keys, changes, chosen.nested[nestedIndex++]!);
    else response = deleteResult(changes, requestDeleteRange!);
    responses[index] = response;
  }
  return responses;
}

function rangeResult(keys: KeySpace, changes: ChangeSet, request: RangeRequest): ResponseOp {
  const responseRange = readRange(keys, request, changes.revision);
  return { responseRange, responsePut: undefined, responseDeleteRange: undefined, responseTxn: undefined };
}

/** `before` is the result of the operation before, which serves again if it says the same. */
function putResult(changes: ChangeSet, request: PutRequest, before: ResponseOp | undefined): ResponseOp {
  const responsePut = changes.put(request);
  if (before?.responsePut === responsePut) return before;
  return { responseRange: undefined, responsePut, responseDeleteRange: undefined, responseTxn: undefined };
}

function deleteResult(changes: ChangeSet, request: DeleteRangeRequest): ResponseOp {
  const responseDeleteRange = changes.deleteRange(request);
  return { responseRange: undefined, responsePut: undefined, responseDeleteRange, responseTxn: undefined };
}

/** The header of a nested transaction is there, but all zero (GEN-3). */
function nestedResult(keys: KeySpace, changes: ChangeSet, chosen: ChosenTxn): ResponseOp {
  const responses = runOperations(keys, changes, chosen);
  const responseTxn = { header: headerAt(0), succeeded: chosen.succeeded, responses };
  return { responseRange: undefined, responsePut: undefined, responseDeleteRange: undefined, responseTxn };
}

/** Unlike outside of transactions, a negative revision is held against the compaction (TXN-13, TXN-14). */
function txnRangeRefusal(keys: KeySpace, request: RangeRequest): Refusal | undefined {
  const { revision } = request;
  if (revision === 0) return undefined;
  if (revision > keys.revision) return "future-revision";
  return revision < keys.compactRevision ? "compacted" : undefined;
}

function holdAll(keys: KeySpace, compares: readonly Compare[]): boolean {
  for (const compare of compares) if (!holds(keys, compare)) return false;
  return true;
}

/** Whether a compare holds for its key, or for every key of its interval (TXN-2 to TXN-5). */
function holds(keys: KeySpace, compare: Compare): boolean {
  if (isSingleKey(compare.rangeEnd)) {
    const pair = keys.live(compare.key);
    return pair === undefined ? holdsForMissing(compare) : holdsFor(compare, pair);
  }
  let found = false;
  let all = true;
  keys.visitAt(compare.key, upperBound(compare.rangeEnd), newest, (pair) => {
    found = true;
    all = holdsFor(compare, pair);
    return all;
  });
  return found ? all : holdsForMissing(compare);
}

/** A missing key counts as all zero, but has no value that could be compared (TXN-3). */
function holdsForMissing(compare: Compare): boolean {
  return compare.target !== CompareTarget.VALUE && holdsFor(compare, missing);
}

function holdsFor(compare: Compare, pair: KeyVersion): boolean {
  switch (compare.target) {
    case CompareTarget.VALUE:
      return satisfies(compare, Buffer.compare(pair.value, compare.value ?? noValue));
    case CompareTarget.VERSION:
      return satisfies(compare, orderOf(pair.version, compare.version ?? 0));
    case CompareTarget.CREATE:
      return satisfies(compare, orderOf(pair.createRevision, compare.createRevision ?? 0));
    case CompareTarget.MOD:
      return satisfies(compare, orderOf(pair.modRevision, compare.modRevision ?? 0));
    case CompareTarget.LEASE:
      return satisfies(compare, orderOf(pair.lease, compare.lease ?? noLease));
    default:
      // A target without a name: the stored side and the operand count as equal, as in etcd.
      return satisfies(compare, 0);
  }
}

function orderOf<Value extends number | bigint>(stored: Value, operand: Value): number {
  return stored < operand ? -1 : stored > operand ? 1 : 0;
}

/** A result without a name holds always, as in etcd. */
function satisfies(compare: Compare, order: number): boolean {
  switch (compare.result) {
    case CompareResult.EQUAL:
      return order === 0;
    case CompareResult.NOT_EQUAL:
      return order !== 0;
    case CompareResult.GREATER:
      return order > 0;
    case CompareResult.LESS:
      return order < 0;
    default:
      return true;
  }
}

function isRange(operation: RequestOp): boolean {
  return operation.requestRange !== undefined;
}

function isSerializableRange(operation: RequestOp): boolean {
  return operation.requestRange?.serializable === true;
}
