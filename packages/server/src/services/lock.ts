/**
 * v3lockpb.Lock: the ordinary keys of etcd's layout, so that Go's `concurrency.Mutex`, `etcdctl lock` and
 * these calls share one queue (LOCK-27).
 */
import {
  createDeleteRangeRequest,
  emptyByteString,
  encodeSharedLockResponse,
  encodeSharedUnlockResponse,
  etcdErrors,
  type LockRequest,
  lockService,
  type UnlockRequest,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { unary } from "./method.js";
import {
  awaitOwnership,
  joinTransaction,
  ownershipKey,
  placeOf,
  prefixOf,
  proposeForCall,
  refusesReading,
  withLease,
} from "./ownership.js";
import { asUnknown, statusOf } from "./status.js";

const noValue = new Uint8Array(0);

export function lockMethods(context: ServiceContext): Method[] {
  return [
    unary(context, lockService.methods.lock, (request, call) => lock(request, call, context)),
    unary(context, lockService.methods.unlock, (request, call) => unlock(request, call, context)),
  ];
}

function lock(request: LockRequest, call: ServerCall, context: ServiceContext): void {
  if (refusesReading(context, call, prefixOf(request.name))) return;
  withLease(context, call, request.lease, (lease) => join(request, lease, call, context));
}

function join(request: LockRequest, lease: bigint, call: ServerCall, context: ServiceContext): void {
  const key = ownershipKey(request.name, lease);
  const command = { kind: "txn", request: joinTransaction(key, lease, noValue) } as const;
  proposeForCall(context, call, command, (outcome) => {
    if (outcome.kind !== "txn") return;
    awaitOwnership(context, call, placeOf(request.name, key, lease, outcome.response), () => {
      call.reply(encodeSharedLockResponse({ header: context.headerNow(), key }));
    });
  });
}

/** Deletes exactly the given key, whoever owns it (LOCK-21); an absent key is no error (LOCK-22). */
function unlock(request: UnlockRequest, call: ServerCall, context: ServiceContext): void {
  const { key } = request;
  if (key === emptyByteString) {
    call.end(asUnknown(statusOf(etcdErrors.emptyKey)));
    return;
  }
  const command = { kind: "deleteRange", request: createDeleteRangeRequest({ key }) } as const;
  proposeForCall(context, call, command, (outcome) => {
    if (outcome.kind !== "deleteRange") return;
    call.reply(encodeSharedUnlockResponse({ header: context.withHeader(outcome.response).header }));
  });
}
