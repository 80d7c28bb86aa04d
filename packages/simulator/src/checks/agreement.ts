/** Whether a state is one that an answer may have been given in: for reads, and for grants of locks and elections. */
import type { ByteString, KeyValue } from "@holdfast/protocol";
import { answerRange, apply, findLease, leaseOfKey, ownerOf, rangeRefusal, type Store } from "../model/index.js";
import { type Answered, sameAnswer } from "./answers.js";
import { isReadOnly } from "./wants.js";

/** Whether `agrees` decides about such an answer: it changed nothing itself. */
export function isJudgedByState(answer: Answered): boolean {
  switch (answer.kind) {
    case "range":
    case "leader":
    case "leaseKeepAlive":
    case "leaseTimeToLive":
    case "leaseLeases":
      return true;
    case "txn":
      return isReadOnly(answer.request);
    default:
      return false;
  }
}

/**
 * Whether the answer is right in that state. Headers are compared too, except of renewals, which tell the moment before
 * (LEASE-23), and of grants: those of locks have to be looked at apart (LOCK-12), those of elections tell when the caller
 * joined (ELECT-6).
 */
export function agrees(answer: Answered, store: Store): boolean {
  switch (answer.kind) {
    case "range":
      return (
        rangeRefusal(store, answer.request) === undefined &&
        sameAnswer(answerRange(store, answer.request), answer.response)
      );
    case "txn": {
      const { outcome } = apply(store, { kind: "txn", request: answer.request });
      return outcome.kind === "txn" && sameAnswer(outcome.response, answer.response);
    }
    case "leader": {
      const { header, kv } = answer.response;
      return header?.revision === store.revision && sameAnswer(ownerOf(store.pairs, answer.request.name), kv);
    }
    case "lock":
      return owns(store, answer.request.name, answer.response.key);
    case "campaign":
      return owns(store, answer.request.name, answer.response.leader?.key, answer.response.leader?.rev);
    default:
      return leaseAnswerAgrees(answer, store);
  }
}

/** I4b: the key is the oldest, and the lease that it tells lives. */
function owns(store: Store, name: ByteString, key: ByteString | undefined, createRevision?: number): boolean {
  const owner = ownerOf(store.pairs, name);
  if (owner === undefined || owner.key !== key) return false;
  const lease = leaseOfKey(name, owner.key);
  if (lease === undefined || findLease(store, lease) === undefined) return false;
  return createRevision === undefined || owner.createRevision === createRevision;
}

function leaseAnswerAgrees(answer: Answered, store: Store): boolean {
  switch (answer.kind) {
    case "leaseKeepAlive":
      return (findLease(store, answer.request.id)?.ttlSeconds ?? 0) === answer.response.ttl;
    case "leaseTimeToLive": {
      const { ttl, grantedTtl, keys, header } = answer.response;
      const lease = findLease(store, answer.request.id);
      if (header?.revision !== store.revision) return false;
      if (lease === undefined) return ttl === -1 && grantedTtl === 0 && keys.length === 0;
      const expected = answer.request.keys ? keysOfLease(store.pairs, lease.leaseId) : [];
      return grantedTtl === lease.ttlSeconds && ttl <= grantedTtl && sameAnswer([...keys].sort(), expected);
    }
    case "leaseLeases": {
      const { leases, header } = answer.response;
      const living = store.leases.map(({ leaseId }) => String(leaseId));
      return (
        header?.revision === store.revision && sameAnswer(living.sort(), leases.map(({ id }) => String(id)).sort())
      );
    }
    default:
      return false;
  }
}

function keysOfLease(pairs: readonly KeyValue[], leaseId: bigint): ByteString[] {
  return pairs.filter((pair) => pair.lease === leaseId).map((pair) => pair.key);
}
