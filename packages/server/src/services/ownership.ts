/**
 * What places in the queue of a lock or an election are made of: a key under a prefix that belongs to a lease, the
 * transactions that make and remove it, and who may see it. The wait for one's turn is in `ownership-call.ts`.
 */
import {
  type ByteString,
  CompareResult,
  CompareTarget,
  createCompare,
  createDeleteRangeRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  type KeyValue,
  type RequestOp,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import { prefixEnd } from "@holdfast/replica";
import type { Action } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { proposeForCall } from "./call-command.js";
import type { ServiceContext } from "./context.js";
import { freshLeaseId } from "./lease.js";
import { asUnknown } from "./status.js";

/** `name/`: what all keys of one lock or election begin with. */
export function prefixOf(name: ByteString): ByteString {
  return `${name}/` as ByteString;
}

/**
 * `name/` and the lease in lower-case hex; a negative id is "-" and its magnitude (LOCK-1). Joined, because a template gives a
 * rope of strings, which is slower to read wherever the key goes.
 */
export function ownershipKey(name: ByteString, lease: bigint): ByteString {
  return [name, "/", lease.toString(16)].join("") as ByteString;
}

/** A place in the queue of one name. */
export interface Place {
  readonly prefix: ByteString;
  readonly key: ByteString;
  readonly lease: bigint;
  /** The fencing token: the key's create revision, never issued twice for one name (I5). */
  readonly createRevision: number;
  /** False when the key was there before this call: an earlier call of the same lease made it. */
  readonly isNew: boolean;
}

/** What everybody needs who asks for an owner: to read all keys of the name (LOCK-24). */
export function readingAll(prefix: ByteString): Action {
  return { kind: "range", request: createRangeRequest({ key: prefix, rangeEnd: prefixEnd(prefix) }) };
}

/** Ends the call as UNKNOWN if its caller may not read all keys of the name. True if it did. */
export function refusesReading(context: ServiceContext, call: ServerCall, name: ByteString): boolean {
  const { access } = context;
  const status = access.enabled ? access.refusedStatus(readingAll(prefixOf(name)), call) : undefined;
  if (status === undefined) return false;
  call.end(asUnknown(status));
  return true;
}

/**
 * Calls `then` with a lease of 60 s made for the caller (LOCK-7, ELECT-3). To be called after all else was checked that can
 * be: a lease made for a call that is refused then stays for its 60 s.
 */
export function withNewLease(context: ServiceContext, call: ServerCall, then: (lease: bigint) => void): void {
  const leaseId = freshLeaseId(context);
  const ttlSeconds = context.limits.sessionTtlSeconds;
  proposeForCall(context, call, { kind: "leaseGrant", leaseId, ttlSeconds }, () => {
    // Nobody would hear of a key made now.
    if (!call.ended) then(leaseId);
  });
}

/** `operation`, only in the life of `key` that began at `createRevision`. */
export function guarded(key: ByteString, createRevision: number, operation: RequestOp): TxnRequest {
  return createTxnRequest({
    compare: [createCompare({ key, target: CompareTarget.CREATE, result: CompareResult.EQUAL, createRevision })],
    success: [operation],
  });
}

export function deleteOperation(key: ByteString): RequestOp {
  return createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ key }) });
}

/** The key as the joining transaction found it; undefined if the transaction created it. */
export function foundByJoin(response: TxnResponse): KeyValue | undefined {
  return response.responses[0]?.responseRange?.kvs[0];
}

/**
 * Removes a place whose caller has gone, on behalf of the server, whatever the caller may do by now (LOCK-25), and calls
 * `done` when that is decided; should it fail, the lease is the safety net. Guarded by the create revision, so a later life
 * of the key is left alone.
 */
export function abandon(context: ServiceContext, place: Place, done: () => void = () => {}): void {
  const { abandoned } = context;
  const { key, createRevision } = place;
  const request = guarded(key, createRevision, deleteOperation(key));
  const decided = (): void => {
    if (abandoned.get(key) === createRevision) abandoned.delete(key);
    done();
  };
  abandoned.set(key, createRevision);
  context.replica.proposeInternal({ kind: "txn", request }, { settled: decided, failed: decided });
}

/** Whether a call that shared the key has gone and the key is about to go with it (LOCK-11): nobody may be told of it now (I4b). */
export function isAbandoned({ abandoned }: ServiceContext, { key, createRevision }: Place): boolean {
  return abandoned.size > 0 && abandoned.get(key) === createRevision;
}

/** Whether two byte arrays hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
