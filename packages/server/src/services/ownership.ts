/**
 * What Lock and Campaign share: a key under a prefix that belongs to a lease, the wait until it is the
 * oldest there, and its removal when the caller goes away.
 *
 * Success means that the caller owns the name now: it is told in the turn in which its key became the
 * oldest, by the create revision it holds (I4b). A waiter whose key or lease goes fails in the turn in
 * which that was applied (LOCK-16, LOCK-17, ELECT-11).
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
  etcdErrors,
  etcdTexts,
  type KeyValue,
  type RequestOp,
  type TxnRequest,
  type TxnResponse,
} from "@holdfast/protocol";
import { type LockWaiter, type ProposalFailure, type Proposer, prefixEnd } from "@holdfast/replica";
import { type Action, type Command, encodeCommand, type Outcome } from "@holdfast/state-machine";
import type { ServerCall, Status } from "@holdfast/transport";
import { type Access, type Identified, invalidToken, invalidTokenStatus } from "../access/access.js";
import { isRequestTooLarge } from "../limits.js";
import type { ServiceContext } from "./context.js";
import { freshLeaseId } from "./lease.js";
import { asUnknown, statusOf, statusOfFailure, statusOfRefusal } from "./status.js";

/** etcd's status for a waiter that has lost its key; the caller surely does not hold the name. */
export const sessionExpired = statusOf(etcdTexts.mutexSessionExpired);

/** `name/`: what all keys of one lock or election begin with. */
export function prefixOf(name: ByteString): ByteString {
  return `${name}/` as ByteString;
}

/** `name/` and the lease in lower-case hex; a negative id is "-" and its magnitude (LOCK-1). */
export function ownershipKey(name: ByteString, lease: bigint): ByteString {
  return `${prefixOf(name)}${lease.toString(16)}` as ByteString;
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

/**
 * Proposes a command for the caller and hands its outcome on; every failure ends the call as UNKNOWN with etcd's text
 * (LOCK-14), a bad token (LOCK-24) and a command above the request limit (LIM-1) included.
 */
export function proposeForCall(
  context: ServiceContext,
  call: ServerCall,
  command: Command,
  settled: (outcome: Exclude<Outcome, { kind: "refused" }>) => void,
  failed: (status: Status) => void = (status) => call.end(status),
): void {
  if (context.quota.endIfRefused(command, (status) => failed(asUnknown(status)))) return;
  const caller = context.access.identify(call);
  if (caller === invalidToken) {
    failed(asUnknown(invalidTokenStatus));
    return;
  }
  const body = encodeCommand(command).subarray(1);
  if (isRequestTooLarge(body.length, context.limits)) {
    context.limitHits.count("requestBytes");
    failed(asUnknown(statusOf(etcdErrors.requestTooLarge)));
    return;
  }
  const refusal = context.access.earlyRefusal(command, caller);
  if (refusal !== undefined) {
    failed(asUnknown(statusOfRefusal(refusal)));
    return;
  }
  const proposer: Proposer = {
    settled: (outcome) => {
      if (outcome.kind === "refused") failed(asUnknown(statusOfRefusal(outcome.refusal)));
      else settled(outcome);
    },
    failed: (failure) => failed(statusOfLostProposal(failure)),
  };
  context.replica.proposeEncoded(command, body, proposer, caller);
}

/** What everybody needs who asks for an owner: to read all keys of the name (LOCK-24). */
export function readingAll(prefix: ByteString): Action {
  return { kind: "range", request: createRangeRequest({ key: prefix, rangeEnd: prefixEnd(prefix) }) };
}

/** Ends the call as UNKNOWN if its caller may not read all keys of the name. True if it did. */
export function refusesReading(context: ServiceContext, call: ServerCall, prefix: ByteString): boolean {
  const status = context.access.enabled ? context.access.refusedStatus(readingAll(prefix), call) : undefined;
  if (status === undefined) return false;
  call.end(asUnknown(status));
  return true;
}

/** A refusal is UNKNOWN with its text; an outcome nobody knows stays Unavailable. */
function statusOfLostProposal(failure: ProposalFailure): Status {
  const status = statusOfFailure(failure);
  return failure === "unknown" || failure === "stopped" ? status : asUnknown(status);
}

/**
 * Calls `then` with the caller's lease, or with one of 60 s made for it (LOCK-7, ELECT-3). To be called after all else was
 * checked that can be: a lease made for a call that is refused then stays for its 60 s.
 */
export function withLease(
  context: ServiceContext,
  call: ServerCall,
  lease: bigint,
  then: (lease: bigint) => void,
): void {
  if (lease !== 0n) {
    then(lease);
    return;
  }
  const leaseId = freshLeaseId(context);
  const ttlSeconds = context.limits.sessionTtlSeconds;
  proposeForCall(context, call, { kind: "leaseGrant", leaseId, ttlSeconds }, () => {
    // Nobody would hear of a key made now.
    if (!call.ended) then(leaseId);
  });
}

/** One transaction: put the key if it is absent, else read it (LOCK-2). */
export function joinTransaction(key: ByteString, lease: bigint, value: Uint8Array): TxnRequest {
  return createTxnRequest({
    compare: [createCompare({ key, target: CompareTarget.CREATE, result: CompareResult.EQUAL, createRevision: 0 })],
    success: [createRequestOp({ requestPut: createPutRequest({ key, lease, value }) })],
    failure: [createRequestOp({ requestRange: createRangeRequest({ key }) })],
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

/** The place that a joining transaction has taken or found. */
export function placeOf(name: ByteString, key: ByteString, lease: bigint, response: TxnResponse): Place {
  const found = foundByJoin(response);
  const createRevision = found?.createRevision ?? response.header?.revision ?? 0;
  return { prefix: prefixOf(name), key, lease, createRevision, isNew: found === undefined };
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
function isAbandoned({ abandoned }: ServiceContext, { key, createRevision }: Place): boolean {
  return abandoned.get(key) === createRevision;
}

/**
 * Waits for `place` to be the oldest, then calls `held` in that same turn. The call fails at once when
 * the place is lost, and the place is given up when the call is cancelled (LOCK-15, ELECT-10). Each caller is asked for its
 * own rights (LOCK-26), and who has lost them while waiting is not given the name.
 */
export function awaitOwnership(context: ServiceContext, call: ServerCall, place: Place, held: () => void): void {
  if (call.ended) {
    // A key that an earlier call made may be held by then: it is not this call's to remove (LOCK-18).
    if (place.isNew) abandon(context, place);
    return;
  }
  const { locks } = context.replica;
  const { access } = context;
  const caller = access.identify(call);
  const waiter: LockWaiter = {
    granted: () => {
      context.openCalls.remove(call);
      const refusal = mayStillHold(access, place, caller);
      if (isAbandoned(context, place)) call.end(sessionExpired);
      else if (refusal === undefined) held();
      else abandon(context, place, () => call.end(refusal));
    },
    lost: () => {
      context.openCalls.remove(call);
      call.end(sessionExpired);
    },
  };
  const result = locks.wait(place.prefix, place.key, place.createRevision, waiter);
  if (result === "lost" || isAbandoned(context, place)) {
    locks.leave(place.prefix, place.key, waiter);
    call.end(sessionExpired);
  } else if (result === "held") held();
  else {
    context.openCalls.add(call, (loss) => {
      locks.leave(place.prefix, place.key, waiter);
      // A stopping server leaves the key: the lease decides, and the client may come back for its place.
      if (loss === "client-gone") abandon(context, place);
    });
  }
}

/** The status for a waiter whose user has lost the name's keys; undefined if it has not. */
function mayStillHold(access: Access, { prefix }: Place, caller: Identified): Status | undefined {
  if (!access.enabled) return undefined;
  if (caller === invalidToken) return asUnknown(invalidTokenStatus);
  const refusal = access.refusal(readingAll(prefix), access.asOfNow(caller));
  return refusal === undefined ? undefined : asUnknown(statusOfRefusal(refusal));
}

/** Whether two byte arrays hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
