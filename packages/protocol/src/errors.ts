/**
 * Every error text of etcd that a client can meet, with the code it arrives with.
 *
 * Clients recognise errors by their text, so the texts are exact. Source: docs/reference/etcd-v3-wire.md, sections
 * 3.1 to 3.4; a test holds the tables here and there to be the same. When an error is raised, and what its HTTP status
 * is, is decided elsewhere.
 */

import { StatusCode } from "./status-codes.js";

/** One error of etcd. */
export interface EtcdError {
  /** The code etcd declares for it. */
  readonly code: StatusCode;
  /** The text etcd declares for it. */
  readonly message: string;
  /** The code that really arrives at a client (section 3.2): now and then not the one declared. */
  readonly wireCode: StatusCode;
  /** The text that really arrives at a client (section 3.2). */
  readonly wireMessage: string;
}

/**
 * The declared errors (section 3.1). A name is etcd's Go name without `ErrGRPC`, in lower camel case.
 *
 * What the Lock and Election services pass on from the calls below them keeps its text but has `forwardedErrorCode`.
 */
export const etcdErrors = {
  /** A request, guard term or nested operation has an empty key. */
  emptyKey: error(StatusCode.invalidArgument, "etcdserver: key is not provided"),
  /** `ignore_value`/`ignore_lease` on a missing key; also a transaction operation with no arm set. */
  keyNotFound: error(StatusCode.invalidArgument, "etcdserver: key not found"),
  /** `ignore_value` together with a value. */
  valueProvided: error(StatusCode.invalidArgument, "etcdserver: value is provided"),
  /** `ignore_lease` together with a lease. */
  leaseProvided: error(StatusCode.invalidArgument, "etcdserver: lease is provided"),
  /** Guard or a branch longer than the limit (nested levels count together). */
  tooManyOps: error(StatusCode.invalidArgument, "etcdserver: too many operations in txn request"),
  /** Same key written twice, or written and deleted, in one transaction. */
  duplicateKey: error(StatusCode.invalidArgument, "etcdserver: duplicate key given in txn request"),
  /** `client-api-version` metadata is not valid UTF-8. */
  invalidClientApiVersion: error(StatusCode.invalidArgument, "etcdserver: invalid client api version"),
  /** Unknown `sort_order` or `sort_target` number. */
  invalidSortOption: error(StatusCode.invalidArgument, "etcdserver: invalid sort option"),
  /** Revision already discarded. */
  compacted: error(StatusCode.outOfRange, "etcdserver: mvcc: required revision has been compacted"),
  /** Revision beyond the current one. */
  futureRev: error(StatusCode.outOfRange, "etcdserver: mvcc: required revision is a future revision"),
  /** Quota used up (NOSPACE alarm). */
  noSpace: error(StatusCode.resourceExhausted, "etcdserver: mvcc: database space exceeded"),
  /** Unknown lease id in Put or LeaseRevoke. */
  leaseNotFound: error(StatusCode.notFound, "etcdserver: requested lease not found"),
  /** Grant with an id in use. */
  leaseExist: error(StatusCode.failedPrecondition, "etcdserver: lease already exists"),
  /** TTL above 9000000000. */
  leaseTtlTooLarge: error(StatusCode.outOfRange, "etcdserver: too large lease TTL"),
  /** Final status of a watch RPC whose context was cancelled. */
  watchCanceled: error(StatusCode.cancelled, "etcdserver: watch canceled"),
  /** Add: computed member id already present. */
  memberExist: error(StatusCode.failedPrecondition, "etcdserver: member ID already exist"),
  /** Add/update: peer address used by another member. */
  peerUrlExist: error(StatusCode.failedPrecondition, "etcdserver: Peer URLs already exists"),
  /** Reconfiguration refused by the strict check. */
  memberNotEnoughStarted: {
    code: StatusCode.failedPrecondition,
    message: "etcdserver: re-configuration failed due to not enough started members",
    wireCode: StatusCode.unknown,
    wireMessage: "etcdserver: re-configuration failed due to not enough started members",
  },
  /** Peer addresses do not parse (also when the list is empty). */
  memberBadUrls: error(StatusCode.invalidArgument, "etcdserver: given member URLs are invalid"),
  /** Unknown or already removed member id. */
  memberNotFound: error(StatusCode.notFound, "etcdserver: member not found"),
  /** Promote on a voting member. */
  memberNotLearner: error(StatusCode.failedPrecondition, "etcdserver: can only promote a learner member"),
  /** Promote before the learner has caught up. */
  learnerNotReady: error(
    StatusCode.failedPrecondition,
    "etcdserver: can only promote a learner member which is in sync with leader",
  ),
  /** More learners than `--max-learners`. */
  tooManyLearners: error(StatusCode.failedPrecondition, "etcdserver: too many learner members in cluster"),
  /** Declared; not raised by the client-facing server. Deprecated alias: ErrGRPCClusterIdMismatch. */
  clusterIdMismatch: error(StatusCode.failedPrecondition, "etcdserver: cluster ID mismatch"),
  /** Encoded proposal above `--max-request-bytes`. */
  requestTooLarge: error(StatusCode.invalidArgument, "etcdserver: request is too large"),
  /** Apply queue too far behind (gap above 5000 entries). */
  requestTooManyRequests: {
    code: StatusCode.resourceExhausted,
    message: "etcdserver: too many requests",
    wireCode: StatusCode.unknown,
    wireMessage: "etcdserver: too many requests",
  },
  /** Enabling authentication without user `root`. */
  rootUserNotExist: error(StatusCode.failedPrecondition, "etcdserver: root user does not exist"),
  /** Enabling authentication while user `root` lacks role `root`. */
  rootRoleNotExist: error(StatusCode.failedPrecondition, "etcdserver: root user does not have root role"),
  /** Add of an existing user. */
  userAlreadyExist: error(StatusCode.failedPrecondition, "etcdserver: user name already exists"),
  /** Empty user name; also any protected call without credentials while authentication is on. */
  userEmpty: error(StatusCode.invalidArgument, "etcdserver: user name is empty"),
  /** Unknown user. */
  userNotFound: error(StatusCode.failedPrecondition, "etcdserver: user name not found"),
  /** Add of an existing role. */
  roleAlreadyExist: error(StatusCode.failedPrecondition, "etcdserver: role name already exists"),
  /** Unknown role. */
  roleNotFound: error(StatusCode.failedPrecondition, "etcdserver: role name not found"),
  /** Empty role name. */
  roleEmpty: error(StatusCode.invalidArgument, "etcdserver: role name is empty"),
  /** Wrong name or password. */
  authFailed: error(StatusCode.invalidArgument, "etcdserver: authentication failed, invalid user ID or password"),
  /** Grant-permission request without `perm`. */
  permissionNotGiven: error(StatusCode.invalidArgument, "etcdserver: permission not given"),
  /** Authenticated, but not allowed. */
  permissionDenied: error(StatusCode.permissionDenied, "etcdserver: permission denied"),
  /** Revoke of a role the user does not hold. */
  roleNotGranted: error(StatusCode.failedPrecondition, "etcdserver: role is not granted to the user"),
  /** Revoke of a permission the role does not hold. */
  permissionNotGranted: error(StatusCode.failedPrecondition, "etcdserver: permission is not granted to the role"),
  /** Authenticate while authentication is off. */
  authNotEnabled: error(StatusCode.failedPrecondition, "etcdserver: authentication is not enabled"),
  /** Token unknown, expired or malformed. */
  invalidAuthToken: error(StatusCode.unauthenticated, "etcdserver: invalid auth token"),
  /** Touching the `root` user/role in a forbidden way, or an empty/inverted permission range. */
  invalidAuthMgmt: error(StatusCode.invalidArgument, "etcdserver: invalid auth management"),
  /** Token or request predates the latest auth change; re-authenticate and retry. */
  authOldRevision: error(StatusCode.invalidArgument, "etcdserver: revision of auth store is old"),
  /** No leader known (also the answer to `hasleader: true`). */
  noLeader: error(StatusCode.unavailable, "etcdserver: no leader"),
  /** MoveLeader sent to a follower. */
  notLeader: error(StatusCode.failedPrecondition, "etcdserver: not leader"),
  /** Leadership moved while a read or lease query was in flight. */
  leaderChanged: error(StatusCode.unavailable, "etcdserver: leader changed"),
  /** Cluster version too old for the v3 RPCs. */
  notCapable: error(StatusCode.failedPrecondition, "etcdserver: not capable"),
  /** Server is shutting down. */
  stopped: error(StatusCode.unavailable, "etcdserver: server stopped"),
  /** Proposal or forwarding timed out. */
  timeout: error(StatusCode.unavailable, "etcdserver: request timed out"),
  /** Same, and a leader was lost meanwhile. */
  timeoutDueToLeaderFail: error(
    StatusCode.unavailable,
    "etcdserver: request timed out, possibly due to previous leader failure",
  ),
  /** Same, and the link to leader or quorum was lost meanwhile. */
  timeoutDueToConnectionLost: error(
    StatusCode.unavailable,
    "etcdserver: request timed out, possibly due to connection lost",
  ),
  /** Member did not catch up within 1 s (lease calls, promote). */
  timeoutWaitAppliedIndex: error(
    StatusCode.unavailable,
    "etcdserver: request timed out, waiting for the applied index took too long",
  ),
  /** Reconfiguration refused: active quorum at risk. */
  unhealthy: error(StatusCode.unavailable, "etcdserver: unhealthy cluster"),
  /** CORRUPT alarm active. */
  corrupt: error(StatusCode.dataLoss, "etcdserver: corrupt cluster"),
  /** Call not served by a learner. */
  notSupportedForLearner: error(StatusCode.failedPrecondition, "etcdserver: rpc not supported for learner"),
  /** MoveLeader target unknown or a learner. */
  badLeaderTransferee: error(StatusCode.failedPrecondition, "etcdserver: bad leader transferee"),
  /** Downgrade target does not parse. */
  wrongDowngradeVersionFormat: error(StatusCode.invalidArgument, "etcdserver: wrong downgrade target version format"),
  /** Downgrade target is not exactly one minor lower. */
  invalidDowngradeTargetVersion: error(StatusCode.invalidArgument, "etcdserver: invalid downgrade target version"),
  /** Cluster version not decided yet. */
  clusterVersionUnavailable: error(
    StatusCode.failedPrecondition,
    "etcdserver: cluster version not found during downgrade",
  ),
  /** A downgrade already runs. */
  downgradeInProcess: error(StatusCode.failedPrecondition, "etcdserver: cluster has a downgrade job in progress"),
  /** Cancel without a running downgrade. (The current server logs it and still answers success.) */
  noInflightDowngrade: error(StatusCode.failedPrecondition, "etcdserver: no inflight downgrade job"),
  /** Request cancelled inside the server. */
  canceled: {
    code: StatusCode.cancelled,
    message: "etcdserver: request canceled",
    wireCode: StatusCode.cancelled,
    wireMessage: "context canceled",
  },
  /** Declared for deadline cases; in practice another text arrives */
  deadlineExceeded: {
    code: StatusCode.deadlineExceeded,
    message: "etcdserver: context deadline exceeded",
    wireCode: StatusCode.deadlineExceeded,
    wireMessage: "context deadline exceeded",
  },
} as const satisfies Record<string, EtcdError>;

/** Name of a declared error. */
export type EtcdErrorName = keyof typeof etcdErrors;

/** Errors outside etcd's own table (section 3.3): most arrive as UNKNOWN, because nobody gave them a code. */
export const etcdTexts = {
  /** RangeStream asked to sort by something other than the key. */
  rangeStreamSortOrder: error(StatusCode.unimplemented, "RangeStream does not support custom sort orders"),
  /** RangeStream asked to filter by revisions. */
  rangeStreamRevisionFilter: error(StatusCode.unimplemented, "RangeStream does not support revision filters"),
  /** Keep-alive on a member that has just lost the leadership. */
  notPrimaryLessor: error(StatusCode.unknown, "not a primary lessor"),
  /** Login with a password as a user who has none. */
  noPasswordUser: error(StatusCode.unknown, "auth: authentication failed, password was given for no password user"),
  /** Signed tokens configured with a public key only. */
  verifyOnlyKey: error(StatusCode.unknown, "auth: token signing attempted with verify-only key"),
  /** MoveLeader did not finish in time. */
  leaderTransferTimeout: error(StatusCode.unknown, "etcdserver: request timed out, leader transfer took too long"),
  /** Downgrade with an action that is not known. */
  unknownDowngradeAction: error(StatusCode.unknown, "etcdserver: unknown method"),
  /** Proclaim or Resign without `leader`. */
  electionLeaderMissing: error(StatusCode.unknown, '"leader" field must be provided'),
  /** Leader of an election without candidates. */
  electionNoLeader: error(StatusCode.unknown, "election: no leader"),
  /** Proclaim after the leadership was lost. */
  electionNotLeader: error(StatusCode.unknown, "election: not leader"),
  /** Lock whose lease ran out while it waited. */
  mutexSessionExpired: error(StatusCode.unknown, "mutex: session is expired"),
  /** Lock or Campaign whose inner watch ended. */
  lostWatcher: error(StatusCode.unknown, "lost watcher waiting for delete"),
} as const satisfies Record<string, EtcdError>;

/** Code of an error that the Lock or Election service passes on from a call below it (section 3.2). */
export const forwardedErrorCode = StatusCode.unknown;

/** Texts of `WatchResponse.cancel_reason` (section 3.4). A watch that is cancelled otherwise has an empty one. */
export const cancelReasons = {
  /** `start_revision` is negative. */
  compacted: "etcdserver: mvcc: required revision has been compacted",
  /** The user may not read the interval. */
  permissionDenied: "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
  /** The token is not valid. */
  invalidAuthToken: "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token",
  /** The token is older than the latest change of users, roles or permissions. */
  authOldRevision: "rpc error: code = InvalidArgument desc = etcdserver: revision of auth store is old",
  /** No credentials although authentication is on. */
  userEmpty: "rpc error: code = InvalidArgument desc = etcdserver: user name is empty",
  /** `range_end` is not above `key`. */
  emptyRange: "mvcc: watcher range is empty",
  /** `watch_id` is in use on this stream. */
  duplicateId: "mvcc: duplicate watch ID provided on the WatchStream",
  /** The position of the watcher was compacted later; `compact_revision` says so. */
  compactedLater: "",
  /** The client asked for it. */
  requested: "",
} as const;

/** An error that arrives as it is declared. */
function error(code: StatusCode, message: string): EtcdError {
  return { code, message, wireCode: code, wireMessage: message };
}
