/**
 * What is wrong with a request whatever the state is: its shape. The services call these before anything is proposed,
 * so that a malformed request never reaches the log; `apply` does not depend on it.
 *
 * Each check returns the refusal that etcd would give, looking in etcd's order (ORD-3).
 */
import {
  type Compare,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  SortOrder,
  SortTarget,
  type TxnRequest,
} from "@holdfast/protocol";
import { transactionDepthMax, transactionOperationsMaxDefault } from "./limits.js";
import { noLease } from "./stored-version.js";
import type { Refusal } from "./types.js";
import { hasWriteConflict } from "./write-conflicts.js";

/** Compares, success and failure. */
const transactionListsCount = 3;

/** KV-3, KV-10. */
export function checkRange(request: RangeRequest): Refusal | undefined {
  if (request.key.length === 0) return "empty-key";
  if (!isNamed(SortOrder.DESCEND, request.sortOrder)) return "invalid-sort-option";
  return isNamed(SortTarget.VALUE, request.sortTarget) ? undefined : "invalid-sort-option";
}

/** KV-3, KV-24, LEASE-34. */
export function checkPut(request: PutRequest): Refusal | undefined {
  if (request.key.length === 0) return "empty-key";
  if (request.ignoreValue && request.value.length > 0) return "value-provided";
  return request.ignoreLease && request.lease !== noLease ? "lease-provided" : undefined;
}

/** KV-3. */
export function checkDeleteRange(request: DeleteRangeRequest): Refusal | undefined {
  return request.key.length === 0 ? "empty-key" : undefined;
}

/**
 * TXN-9, TXN-10, TXN-12, TXN-15; both branches are checked, whichever will run. All levels together have no more compares and
 * operations than one level may have in its three lists (fault-model F45); in etcd each level of a tree may have them.
 */
export function checkTxn(
  request: TxnRequest,
  operationsMax: number = transactionOperationsMaxDefault,
): Refusal | undefined {
  const refusal = checkTxnParts(request, operationsMax, transactionDepthMax);
  if (refusal !== undefined) return refusal;
  if (partsOf(request) > transactionListsCount * operationsMax) return "too-many-operations";
  return hasWriteConflict(request.success) || hasWriteConflict(request.failure) ? "duplicate-key" : undefined;
}

function checkTxnParts(request: TxnRequest, budget: number, depthLeft: number): Refusal | undefined {
  const { compare, success, failure } = request;
  const spent = Math.max(compare.length, success.length, failure.length);
  if (spent > budget || depthLeft === 0) return "too-many-operations";
  return (
    firstRefusal(compare, checkCompare) ??
    firstRefusal(success, (operation) => checkOperation(operation, budget - spent, depthLeft - 1)) ??
    firstRefusal(failure, (operation) => checkOperation(operation, budget - spent, depthLeft - 1))
  );
}

/** Its compares and operations, and those of the transactions in it. */
function partsOf({ compare, success, failure }: TxnRequest): number {
  let parts = compare.length + success.length + failure.length;
  for (const { requestTxn } of success) if (requestTxn !== undefined) parts += partsOf(requestTxn);
  for (const { requestTxn } of failure) if (requestTxn !== undefined) parts += partsOf(requestTxn);
  return parts;
}

function checkCompare(compare: Compare): Refusal | undefined {
  return compare.key.length === 0 ? "empty-key" : undefined;
}

function checkOperation(operation: RequestOp, budget: number, depthLeft: number): Refusal | undefined {
  if (operation.requestRange !== undefined) return checkRange(operation.requestRange);
  if (operation.requestPut !== undefined) return checkPut(operation.requestPut);
  if (operation.requestDeleteRange !== undefined) return checkDeleteRange(operation.requestDeleteRange);
  if (operation.requestTxn !== undefined) return checkTxnParts(operation.requestTxn, budget, depthLeft);
  return "operation-not-set";
}

function firstRefusal<Part>(parts: readonly Part[], check: (part: Part) => Refusal | undefined): Refusal | undefined {
  for (const part of parts) {
    const refusal = check(part);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Whether an enum number is one of those from 0 to `last`. */
function isNamed(last: number, value: number): boolean {
  return value >= 0 && value <= last;
}
