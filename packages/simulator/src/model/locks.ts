/**
 * Locks and elections as what they are made of: keys under a prefix, transactions, and the order of create revisions
 * (LOCK-1 to LOCK-6, ELECT-1).
 */
import {
  type ByteString,
  CompareResult,
  CompareTarget,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  type KeyValue,
  type RequestOp,
} from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";

/** What all keys of one name begin with. */
export function prefixOf(name: ByteString): ByteString {
  return `${name}/` as ByteString;
}

/** LOCK-1. */
export function ownershipKey(name: ByteString, lease: bigint): ByteString {
  return `${name}/${lease.toString(16)}` as ByteString;
}

/** The lease that an ownership key of `name` tells; undefined if it is none. */
export function leaseOfKey(name: ByteString, key: ByteString): bigint | undefined {
  const prefix = prefixOf(name);
  const digits = key.startsWith(prefix) ? /^(-?)([0-9a-f]{1,16})$/.exec(key.slice(prefix.length)) : null;
  if (digits === null) return undefined;
  const magnitude = BigInt(`0x${digits[2]}`);
  return digits[1] === "-" ? -magnitude : magnitude;
}

/** The contender with the smallest create revision; of several the one with the smallest key (LOCK-3, ELECT-2). */
export function ownerOf(pairs: readonly KeyValue[], name: ByteString): KeyValue | undefined {
  const prefix = prefixOf(name);
  let owner: KeyValue | undefined;
  for (const pair of pairs) {
    if (!pair.key.startsWith(prefix)) continue;
    if (owner === undefined || pair.createRevision < owner.createRevision) owner = pair;
  }
  return owner;
}

/** Taking part: the key is made if it is absent, else read (LOCK-2). */
export function joining(name: ByteString, lease: bigint, value: Uint8Array): Command {
  const key = ownershipKey(name, lease);
  const request = createTxnRequest({
    compare: [createCompare({ key, target: CompareTarget.CREATE, result: CompareResult.EQUAL, createRevision: 0 })],
    success: [createRequestOp({ requestPut: createPutRequest({ key, lease, value }) })],
    failure: [createRequestOp({ requestRange: createRangeRequest({ key }) })],
  });
  return { kind: "txn", request };
}

/** Another value for a key, in the life that began at `createRevision` (ELECT-8, ELECT-14). */
export function proclaiming(key: ByteString, createRevision: number, lease: bigint, value: Uint8Array): Command {
  return guarded(key, createRevision, createRequestOp({ requestPut: createPutRequest({ key, lease, value }) }));
}

/** The removal of a key, in the life that began at `createRevision` (ELECT-20, LOCK-15). */
export function resigning(key: ByteString, createRevision: number): Command {
  return guarded(key, createRevision, createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ key }) }));
}

/** LOCK-21. */
export function unlocking(key: ByteString): Command {
  return { kind: "deleteRange", request: createDeleteRangeRequest({ key }) };
}

function guarded(key: ByteString, createRevision: number, operation: RequestOp): Command {
  const request = createTxnRequest({
    compare: [createCompare({ key, target: CompareTarget.CREATE, result: CompareResult.EQUAL, createRevision })],
    success: [operation],
  });
  return { kind: "txn", request };
}
