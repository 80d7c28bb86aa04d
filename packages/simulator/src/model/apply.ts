/**
 * What each command of the log does to a store, and what is answered: the sequential meaning that everything a server says
 * must agree with. Permissions and the alarm of a corrupt store are not modelled; whoever meets `unmodelled` cannot go on judging.
 */
import { createResponseHeader, type Event } from "@holdfast/protocol";
import type { Command, Outcome, Refusal } from "@holdfast/state-machine";
import { isStopped, withAlarm } from "./alarms.js";
import { Draft } from "./draft.js";
import { findLease, type ModelLease, type Store } from "./store.js";
import { decide, putRefusal, runDecision, txnRefusal } from "./transaction.js";

/** The answer to a command; `unmodelled` for users, roles and alarms, of which only the effect on others is modelled. */
export type ModelOutcome =
  | Extract<
      Outcome,
      {
        kind: "refused" | "put" | "deleteRange" | "txn" | "compact" | "leaseGrant" | "leaseRevoke" | "leaseExpire";
      }
    >
  | { readonly kind: "unmodelled" };

/** A command's effect. */
export interface Applied {
  readonly store: Store;
  readonly outcome: ModelOutcome;
  /** What watchers see, in order, all at the new revision; empty if nothing changed. */
  readonly events: readonly Event[];
  /** What was granted or ended. */
  readonly granted: ModelLease | undefined;
  readonly ended: ModelLease | undefined;
}

const leaseTtlSecondsMax = 9_000_000_000;

/** The next command of the log. */
export function apply(previous: Store, command: Command): Applied {
  const store: Store = { ...previous, appliedCommands: previous.appliedCommands + 1 };
  if (isStopped(store, command)) return refused(store, "no-space");
  switch (command.kind) {
    case "put": {
      const refusal = putRefusal(store, command.request);
      return changed(store, refusal, (draft) => ({ kind: "put", response: draft.put(command.request) }));
    }
    case "deleteRange":
      return changed(store, undefined, (draft) => {
        return { kind: "deleteRange", response: draft.deleteRange(command.request) };
      });
    case "txn": {
      const decision = decide(store.pairs, command.request);
      return changed(store, txnRefusal(store, decision), (draft) => {
        const response = runDecision(draft, decision);
        return { kind: "txn", response: { ...response, header: draft.header } };
      });
    }
    case "compact":
      return compact(store, command.revision);
    case "leaseGrant":
      return grant(store, command.leaseId, command.ttlSeconds);
    case "leaseRevoke":
      return revoke(store, command.leaseId);
    case "leaseExpire":
      return expire(store, command.leaseId, command.grantNumber);
    case "alarm":
      return unchanged(withAlarm(store, command), { kind: "unmodelled" });
    default:
      return unchanged(store, { kind: "unmodelled" });
  }
}

function unchanged(store: Store, outcome: ModelOutcome): Applied {
  return { store, outcome, events: [], granted: undefined, ended: undefined };
}

function refused(store: Store, refusal: Refusal): Applied {
  return unchanged(store, { kind: "refused", refusal });
}

/** Runs `run` unless there is a refusal; the revision grows by one if anything changed (KV-29, KV-30). */
function changed(store: Store, refusal: Refusal | undefined, run: (draft: Draft) => ModelOutcome): Applied {
  if (refusal !== undefined) return refused(store, refusal);
  const draft = new Draft(store);
  const outcome = run(draft);
  const { events } = draft;
  return { store: committed(draft), outcome, events, granted: undefined, ended: undefined };
}

function committed({ store, revision, pairs }: Draft): Store {
  return revision === store.revision ? store : { ...store, revision, pairs, before: store };
}

/** COMP-1, COMP-2, COMP-6. */
function compact(store: Store, revision: number): Applied {
  if (revision <= store.compactRevision) return refused(store, "compacted");
  if (revision > store.revision) return refused(store, "future-revision");
  const response = { header: createResponseHeader({ revision: store.revision }) };
  return unchanged({ ...store, compactRevision: revision }, { kind: "compact", response });
}

/** LEASE-2 to LEASE-4, LEASE-7; 0 is no id. */
function grant(store: Store, leaseId: bigint, ttlSeconds: number): Applied {
  if (leaseId === 0n) return refused(store, "lease-not-found");
  if (ttlSeconds > leaseTtlSecondsMax) return refused(store, "lease-ttl-too-large");
  if (findLease(store, leaseId) !== undefined) return refused(store, "lease-exists");
  const granted = { leaseId, ttlSeconds, grantNumber: store.appliedCommands };
  const header = createResponseHeader({ revision: store.revision });
  const outcome = { kind: "leaseGrant", response: { header, id: leaseId, ttl: ttlSeconds, error: "" } } as const;
  return { ...unchanged({ ...store, leases: [...store.leases, granted] }, outcome), granted };
}

/** LEASE-15, LEASE-16. */
function revoke(store: Store, leaseId: bigint): Applied {
  const lease = findLease(store, leaseId);
  if (lease === undefined) return refused(store, "lease-not-found");
  return end(store, lease, (header) => ({ kind: "leaseRevoke", response: { header } }));
}

/** Nothing happens if that lease is gone, or was granted anew. */
function expire(store: Store, leaseId: bigint, grantNumber: number): Applied {
  const lease = findLease(store, leaseId);
  if (lease?.grantNumber !== grantNumber) return unchanged(store, { kind: "leaseExpire", ended: false });
  return end(store, lease, () => ({ kind: "leaseExpire", ended: true }));
}

/** All keys go in one revision, in key order (LEASE-11, LEASE-13). */
function end(store: Store, lease: ModelLease, outcomeOf: (header: Draft["header"]) => ModelOutcome): Applied {
  const draft = new Draft(store);
  for (const { key, lease: leaseId } of store.pairs) if (leaseId === lease.leaseId) draft.deleteKey(key);
  const left = committed(draft);
  return {
    store: { ...left, leases: left.leases.filter((other) => other !== lease) },
    outcome: outcomeOf(draft.header),
    events: draft.events,
    granted: undefined,
    ended: lease,
  };
}
