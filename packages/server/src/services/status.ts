/**
 * One table from what went wrong inside to what the wire says: code and text, byte for byte etcd's
 * (etcd-v3-wire.md section 3). A new refusal without a row does not compile.
 */
import { type EtcdError, etcdErrors, forwardedErrorCode, StatusCode } from "@holdfast/protocol";
import type { ProposalFailure } from "@holdfast/replica";
import type { Refusal } from "@holdfast/state-machine";
import type { Status } from "@holdfast/transport";

const refusals = {
  "key-not-found": etcdErrors.keyNotFound,
  "lease-not-found": etcdErrors.leaseNotFound,
  "lease-exists": etcdErrors.leaseExist,
  "lease-ttl-too-large": etcdErrors.leaseTtlTooLarge,
  compacted: etcdErrors.compacted,
  "future-revision": etcdErrors.futureRev,
  "empty-key": etcdErrors.emptyKey,
  "value-provided": etcdErrors.valueProvided,
  "lease-provided": etcdErrors.leaseProvided,
  "duplicate-key": etcdErrors.duplicateKey,
  "too-many-operations": etcdErrors.tooManyOps,
  "invalid-sort-option": etcdErrors.invalidSortOption,
  "operation-not-set": etcdErrors.keyNotFound,
  "no-space": etcdErrors.noSpace,
  corrupt: etcdErrors.corrupt,
  "user-empty": etcdErrors.userEmpty,
  "user-name-empty": etcdErrors.userEmpty,
  "role-name-empty": etcdErrors.roleEmpty,
  "user-exists": etcdErrors.userAlreadyExist,
  "user-not-found": etcdErrors.userNotFound,
  "role-exists": etcdErrors.roleAlreadyExist,
  "role-not-found": etcdErrors.roleNotFound,
  "role-not-granted": etcdErrors.roleNotGranted,
  "permission-not-granted": etcdErrors.permissionNotGranted,
  "permission-not-given": etcdErrors.permissionNotGiven,
  "permission-denied": etcdErrors.permissionDenied,
  "auth-not-enabled": etcdErrors.authNotEnabled,
  "root-user-missing": etcdErrors.rootUserNotExist,
  "root-role-missing": etcdErrors.rootRoleNotExist,
  "invalid-auth-management": etcdErrors.invalidAuthMgmt,
  "auth-revision-old": etcdErrors.authOldRevision,
} as const satisfies Record<Refusal, EtcdError>;

const failures = {
  "too-many-requests": etcdErrors.requestTooManyRequests,
  "too-large": etcdErrors.requestTooLarge,
  "no-space": etcdErrors.noSpace,
  stopped: etcdErrors.stopped,
  // Unavailable tells the client that the outcome is not known (fault-model section 4).
  unknown: etcdErrors.stopped,
} as const satisfies Record<ProposalFailure, EtcdError>;

/** The status of a refused command or query. */
export function statusOfRefusal(refusal: Refusal): Status {
  return statusOf(refusals[refusal]);
}

/** The status of a proposal that came to no outcome. */
export function statusOfFailure(failure: ProposalFailure): Status {
  return statusOf(failures[failure]);
}

export function statusOf(error: EtcdError): Status {
  return { code: error.wireCode, message: error.wireMessage };
}

/** The Lock and Election services answer every inner error as UNKNOWN with its text (LOCK-14, ELECT-4). */
export function asUnknown(status: Status): Status {
  return { code: forwardedErrorCode, message: status.message };
}

export const okStatus: Status = { code: StatusCode.ok, message: "" };
