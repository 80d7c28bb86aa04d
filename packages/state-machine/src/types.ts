/**
 * The vocabulary of the core: what can be asked to change (`Command`), what comes back (`Outcome`),
 * and what a change looks like to a watcher (`KeyVersion`).
 *
 * The messages are etcd's own (package protocol). Headers leave the core with the `revision` set
 * and the three identity fields zero; the services fill those in (GEN-3).
 */
import type {
  ByteString,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  LeaseGrantResponse,
  LeaseRevokeResponse,
  PutRequest,
  PutResponse,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from "@holdfast/protocol";
import type { AlarmCommand, AlarmOutcome, AuthCommand, AuthOutcome, AuthRefusal } from "./auth/auth-types.js";

/** Everything that can be asked to change. Ids and defaults are fixed before a command is logged. */
export type Command =
  | { readonly kind: "put"; readonly request: PutRequest }
  | { readonly kind: "deleteRange"; readonly request: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly request: TxnRequest }
  | { readonly kind: "compact"; readonly revision: number }
  | { readonly kind: "leaseGrant"; readonly leaseId: bigint; readonly ttlSeconds: number }
  | { readonly kind: "leaseRevoke"; readonly leaseId: bigint }
  /** Ends a lease whose time has passed, only if it is still the grant the proposer saw. */
  | { readonly kind: "leaseExpire"; readonly leaseId: bigint; readonly grantNumber: number }
  | AuthCommand
  | AlarmCommand;

/** Why a command or a query was refused. A refusal changes nothing. */
export type Refusal =
  | AuthRefusal
  | "key-not-found"
  | "lease-not-found"
  | "lease-exists"
  | "lease-ttl-too-large"
  | "compacted"
  | "future-revision"
  | "empty-key"
  | "value-provided"
  | "lease-provided"
  | "duplicate-key"
  | "too-many-operations"
  | "invalid-sort-option"
  | "operation-not-set";

/** The answer to one command. `kind` repeats the command's kind. */
export type Outcome =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "put"; readonly response: PutResponse }
  | { readonly kind: "deleteRange"; readonly response: DeleteRangeResponse }
  | { readonly kind: "txn"; readonly response: TxnResponse }
  | { readonly kind: "compact"; readonly response: CompactionResponse }
  | { readonly kind: "leaseGrant"; readonly response: LeaseGrantResponse }
  | { readonly kind: "leaseRevoke"; readonly response: LeaseRevokeResponse }
  /** `ended` is false when the lease was already gone or had been granted anew. */
  | { readonly kind: "leaseExpire"; readonly ended: boolean }
  | AuthOutcome
  | AlarmOutcome;

/** The answer to a read. */
export type RangeOutcome =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "range"; readonly response: RangeResponse };

/**
 * One version of a key, which is also one event: immutable, never reused, never copied.
 * A deletion has `version` 0, no value, `createRevision` 0 and lease 0n (WATCH-18).
 */
export interface KeyVersion {
  readonly key: ByteString;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Writes since creation, from 1; 0 marks a deletion. */
  readonly version: number;
  /** Attached lease; 0n is none. */
  readonly lease: bigint;
}

/** The keys that are attached to a lease. */
export interface KeysOfLease extends Iterable<ByteString> {
  readonly size: number;
  has(key: ByteString): boolean;
}

/** A lease as the core knows it: never a deadline. */
export interface LeaseRecord {
  readonly leaseId: bigint;
  readonly ttlSeconds: number;
  /** Which grant this is: the number of the command that granted it. Never reused. */
  readonly grantNumber: number;
  /** Attached keys, in no promised order. */
  readonly keys: KeysOfLease;
}

/** What the core tells about a lease command just applied, so that deadlines can follow. */
export type LeaseChange =
  | { readonly kind: "granted"; readonly lease: LeaseRecord }
  | { readonly kind: "ended"; readonly leaseId: bigint; readonly grantNumber: number };
