/** Transactions: all compares are decided first, nested ones included; then the chosen operations run in order (TXN-1 to TXN-18). */
import {
  type Compare,
  createKeyValue,
  createResponseHeader,
  createResponseOp,
  type KeyValue,
  type PutRequest,
  type RequestOp,
  type ResponseOp,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import type { Refusal } from "@holdfast/state-machine";
import type { Draft } from "./draft.js";
import { nestedRangeRefusal, rangeOver } from "./range.js";
import { findLease, findPair, pairsAt, type Store, select } from "./store.js";

/** A transaction whose compares are decided. */
export interface Decision {
  readonly succeeded: boolean;
  readonly operations: readonly RequestOp[];
  /** One per operation; undefined for those that are no transactions. */
  readonly nested: readonly (Decision | undefined)[];
}

const noBytes: Uint8Array = new Uint8Array(0);
const missing: KeyValue = createKeyValue();
const targetValue = 3;

/** TXN-6. */
export function decide(pairs: readonly KeyValue[], request: TxnRequest): Decision {
  const succeeded = request.compare.every((compare) => holds(pairs, compare));
  const operations = succeeded ? request.success : request.failure;
  const nested = operations.map(({ requestTxn }) => (requestTxn === undefined ? undefined : decide(pairs, requestTxn)));
  return { succeeded, operations, nested };
}

/** Why the chosen path cannot run: the first reason in the order of the operations (TXN-12, TXN-13). */
export function txnRefusal(store: Store, { operations, nested }: Decision): Refusal | undefined {
  const refusals = operations.map((operation, at) => operationRefusal(store, operation, nested[at]));
  return refusals.find((refusal) => refusal !== undefined);
}

/** LEASE-31, LEASE-34, KV-24. */
export function putRefusal(store: Store, request: PutRequest): Refusal | undefined {
  if (request.lease !== 0n && findLease(store, request.lease) === undefined) return "lease-not-found";
  const needsKey = request.ignoreValue || request.ignoreLease;
  return needsKey && findPair(store.pairs, request.key) === undefined ? "key-not-found" : undefined;
}

/** Runs a decision that is not refused. Only the outermost header has a revision (GEN-3). */
export function runDecision(draft: Draft, { succeeded, operations, nested }: Decision): TxnResponse {
  const responses = operations.map((operation, at) => runOperation(draft, operation, nested[at]));
  return { header: createResponseHeader(), succeeded, responses };
}

function operationRefusal(store: Store, operation: RequestOp, nested: Decision | undefined): Refusal | undefined {
  if (operation.requestRange !== undefined) return nestedRangeRefusal(store, operation.requestRange);
  if (operation.requestPut !== undefined) return putRefusal(store, operation.requestPut);
  if (operation.requestDeleteRange !== undefined) return undefined;
  return nested === undefined ? "operation-not-set" : txnRefusal(store, nested);
}

function runOperation(draft: Draft, operation: RequestOp, nested: Decision | undefined): ResponseOp {
  const { requestRange, requestPut, requestDeleteRange } = operation;
  if (requestPut !== undefined) return createResponseOp({ responsePut: draft.put(requestPut) });
  if (requestDeleteRange !== undefined) {
    return createResponseOp({ responseDeleteRange: draft.deleteRange(requestDeleteRange) });
  }
  if (requestRange !== undefined) {
    const { revision } = requestRange;
    const pairs = revision > 0 ? pairsAt(draft.store, revision) : draft.pairs;
    return createResponseOp({ responseRange: rangeOver(pairs, requestRange, draft.revision) });
  }
  return createResponseOp({ responseTxn: nested === undefined ? undefined : runDecision(draft, nested) });
}

/** TXN-3, TXN-4. */
function holds(pairs: readonly KeyValue[], compare: Compare): boolean {
  const selected = select(pairs, compare);
  if (selected.length > 0) return selected.every((pair) => holdsFor(pair, compare));
  return compare.target !== targetValue && holdsFor(missing, compare);
}

/** TXN-2, TXN-5. A target or result without a name counts as equal, and as holding. */
function holdsFor(pair: KeyValue, compare: Compare): boolean {
  const sides: readonly (readonly [number | bigint, number | bigint])[] = [
    [pair.version, compare.version ?? 0],
    [pair.createRevision, compare.createRevision ?? 0],
    [pair.modRevision, compare.modRevision ?? 0],
    [Buffer.compare(pair.value, compare.value ?? noBytes), 0],
    [pair.lease, compare.lease ?? 0n],
  ];
  const [stored, operand] = sides[compare.target] ?? [0, 0];
  return [stored === operand, stored > operand, stored < operand, stored !== operand][compare.result] ?? true;
}
