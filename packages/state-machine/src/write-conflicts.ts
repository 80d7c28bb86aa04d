/**
 * Whether a branch of a transaction writes a key twice, or both writes and deletes it (TXN-10).
 *
 * Reproduces what etcd sees and what it does not: a delete to `range_end` = "\0" covers nothing here (TXN-11), and a
 * put in an earlier nested transaction does not meet a delete in a later one.
 */
import type { ByteString, DeleteRangeRequest, RequestOp, TxnRequest } from "@holdfast/protocol";
import { type Interval, IntervalSet } from "./interval-set.js";
import { isSingleKey, keyAfter } from "./key-interval.js";

/** What a list of operations writes, nested transactions included. */
interface Writes {
  readonly puts: Set<ByteString>;
  deletes: IntervalSet;
}

/** Whether two operations of this branch collide. */
export function hasWriteConflict(operations: readonly RequestOp[]): boolean {
  const [only] = operations;
  if (only === undefined || (operations.length === 1 && only.requestTxn === undefined)) return false;
  if (putAscendingKeys(operations)) return false;
  return collectWrites(operations) === undefined;
}

/** Whether they are puts and nothing else, in the order of their keys, as is usual: then no key is put twice, which takes no set to see. */
function putAscendingKeys(operations: readonly RequestOp[]): boolean {
  let last: ByteString | undefined;
  for (const { requestPut } of operations) {
    if (requestPut === undefined || (last !== undefined && requestPut.key <= last)) return false;
    last = requestPut.key;
  }
  return true;
}

/** What the operations write; undefined when they collide. */
function collectWrites(operations: readonly RequestOp[]): Writes | undefined {
  // The deletes of this level come first: they collide with every put below it.
  const writes: Writes = { puts: new Set(), deletes: IntervalSet.of(deletedIntervals(operations)) };
  for (const { requestTxn } of operations) {
    if (requestTxn !== undefined && !addNested(writes, requestTxn)) return undefined;
  }
  for (const { requestPut } of operations) {
    if (requestPut !== undefined && !addPut(writes, requestPut.key)) return undefined;
  }
  return writes;
}

/** Only one branch of a nested transaction runs, so that both may put the same key. */
function addNested(writes: Writes, request: TxnRequest): boolean {
  const success = collectWrites(request.success);
  if (success === undefined) return false;
  const failure = collectWrites(request.failure);
  if (failure === undefined) return false;
  for (const key of success.puts) if (!addPut(writes, key)) return false;
  for (const key of failure.puts) if (!success.puts.has(key) && !addPut(writes, key)) return false;
  writes.deletes = writes.deletes.union(success.deletes).union(failure.deletes);
  return true;
}

function addPut(writes: Writes, key: ByteString): boolean {
  if (writes.puts.has(key) || writes.deletes.has(key)) return false;
  writes.puts.add(key);
  return true;
}

function deletedIntervals(operations: readonly RequestOp[]): Interval[] {
  const intervals: Interval[] = [];
  for (const { requestDeleteRange } of operations) {
    if (requestDeleteRange !== undefined) intervals.push(deletedInterval(requestDeleteRange));
  }
  return intervals;
}

function deletedInterval({ key, rangeEnd }: DeleteRangeRequest): Interval {
  return { from: key, to: isSingleKey(rangeEnd) ? keyAfter(key) : rangeEnd };
}
