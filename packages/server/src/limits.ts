/** Every bound of the services, with its default; etcd's own where etcd has one (etcd-v3-wire.md 5.5). */

export interface ServiceLimits {
  /** Largest request that may become a log entry, with the `requestEnvelopeBytes` that etcd counts in (LIM-1). */
  readonly requestBytes: number;
  /** Operations per transaction, the largest of its three lists (TXN-9). */
  readonly transactionOperations: number;
  /**
   * Bytes that all ranges and previous pairs of one transaction give back besides the largest of them; more is refused with
   * `etcdserver: request is too large` (fault-model I12, F14).
   */
  readonly transactionAnswerBytesMax: number;
  /** Keys that ranges and comparisons of intervals of one transaction go through besides the longest of them; as above. */
  readonly transactionKeysMax: number;
  /**
   * Nested messages, texts and elements of lists in one request. More is refused as soon as it is found, with `etcdserver:
   * request is too large` (F45). Of a transaction there are `transactionItemsMax`.
   */
  readonly requestItemsMax: number;
  /** Smallest lease lifetime; smaller ones are raised to it (LEASE-6). */
  readonly leaseTtlMinSeconds: number;
  /** Lifetime of a lease the server makes for Lock or Campaign (LOCK-7). */
  readonly sessionTtlSeconds: number;
  /** A watch response of at least this size is cut if the watcher asked for fragments (WATCH-27). */
  readonly watchFragmentBytes: number;
  /** Interval of progress notifications (WATCH-30). */
  readonly watchProgressIntervalMs: number;
  /** Leases in all; beyond it a grant fails with `etcdserver: too many requests`. */
  readonly leasesTotal: number;
  /**
   * Keys of one lease; beyond it a put fails with `etcdserver: too many requests`. They go in one change, which takes the
   * event loop about 0.1 s for so many (fault-model F14).
   */
  readonly keysPerLease: number;
  /** Watchers on one stream. */
  readonly watchersPerStream: number;
  /** Watchers on all streams of one connection. */
  readonly watchersPerConnection: number;
  /** Watchers in all. */
  readonly watchersTotal: number;
  /** Keepalives of one stream that may wait behind one another before reading stops. */
  readonly keepAlivesWaiting: number;
  /** Answers of one keepalive stream that may be unsent before its renewals wait for the client to read. */
  readonly keepAliveUnsentBytes: number;
  /** Passwords hashed at the same time, each on a thread of its own. */
  readonly passwordHashesAtOnce: number;
  /** Passwords that wait to be hashed; beyond it a call fails with `etcdserver: too many requests`. */
  readonly passwordHashesWaiting: number;
  /** Memory of one password's hash; a `passwordCost` that needs more is refused at the start. */
  readonly passwordHashBytes: number;
  /**
   * Work of one password's hash, `scryptWork` of its parameters: a hash that needs more is not taken from a client, and
   * one that is stored matches nothing. A `passwordCost` that needs more raises it. 2 ^ 22 is cost 14, about a second.
   */
  readonly passwordHashWork: number;
  /**
   * Failed logins of one user name, at one address and at all, after which the next has to wait; it fails with `etcdserver:
   * too many requests` (F49). 0: it never has to.
   */
  readonly loginFailuresPerUser: number;
  /** Failed logins from one address (of IPv6, one /64) after which the next has to wait. 0: it never has to. */
  readonly loginFailuresPerAddress: number;
  /** The first such wait; it doubles with every failure. */
  readonly loginBackoffMinMs: number;
  /** The longest such wait of a user name at one address, and of an address. 0: nobody ever waits. */
  readonly loginBackoffMaxMs: number;
  /**
   * The longest, if that is less, for what others may have done: of a user name everywhere, and of a user who has logged in
   * from its address before.
   */
  readonly loginBackoffSharedMaxMs: number;
  /** After this long without one, failed logins are forgotten. */
  readonly loginFailuresForgottenMs: number;
  /** User names (twice), addresses, users at an address and users known there that are remembered for this: so many of each. */
  readonly loginsRemembered: number;
  /** Simple tokens remembered; beyond it the one longest unused is forgotten (AUTH-9). */
  readonly simpleTokens: number;
  /** Signed tokens whose signature need not be checked again (AUTH-10). */
  readonly verifiedTokens: number;
  /** How soon at the latest what is open ends when its caller loses the right to it: a watch, an Observe, a snapshot (F48). */
  readonly openRightsCheckIntervalMs: number;
  /** A range of more keys than this is read, encoded and answered in slices between other work (fault-model F14). */
  readonly rangeSliceKeys: number;
  /** Bytes of such an answer that are made in one slice, about. */
  readonly rangeSliceBytes: number;
  /** Such answers that are made in turns at the same time; half of them, at least one, for one connection. The others wait. */
  readonly largeRangesAtOnce: number;
  /** Snapshots sent at the same time; beyond it a call fails with `etcdserver: too many requests`. */
  readonly snapshotsAtOnce: number;
  /** Slowest pace, on the whole, at which a snapshot may be read: until its end, compacted history cannot be given up. */
  readonly snapshotBytesPerSecondMin: number;
  /** What a snapshot may take besides; beyond both the call fails with DEADLINE_EXCEEDED. */
  readonly snapshotGraceMs: number;
}

export const defaultServiceLimits: ServiceLimits = {
  requestBytes: 1_572_864,
  transactionOperations: 128,
  transactionAnswerBytesMax: 16 * 1024 * 1024,
  transactionKeysMax: 200_000,
  requestItemsMax: 1_000,
  leaseTtlMinSeconds: 2,
  sessionTtlSeconds: 60,
  watchFragmentBytes: 1_572_864 + 524_288,
  watchProgressIntervalMs: 10 * 60 * 1000,
  leasesTotal: 1_000_000,
  keysPerLease: 100_000,
  watchersPerStream: 10_000,
  watchersPerConnection: 10_000,
  watchersTotal: 1_000_000,
  keepAlivesWaiting: 1_000,
  keepAliveUnsentBytes: 64 * 1024,
  passwordHashesAtOnce: 2,
  passwordHashesWaiting: 100,
  passwordHashBytes: 256 * 1024 * 1024,
  passwordHashWork: 2 ** 22,
  loginFailuresPerUser: 10,
  loginFailuresPerAddress: 50,
  loginBackoffMinMs: 250,
  loginBackoffMaxMs: 30_000,
  loginBackoffSharedMaxMs: 1_000,
  loginFailuresForgottenMs: 15 * 60 * 1000,
  loginsRemembered: 10_000,
  simpleTokens: 50_000,
  verifiedTokens: 1_000,
  openRightsCheckIntervalMs: 1_000,
  rangeSliceKeys: 1_000,
  rangeSliceBytes: 256 * 1024,
  largeRangesAtOnce: 4,
  snapshotsAtOnce: 4,
  snapshotBytesPerSecondMin: 256 * 1024,
  snapshotGraceMs: 60_000,
};

/** How many lists a transaction has, and what an operation is read as: itself, and what it holds. */
const transactionLists = 3;
const operationItems = 2;

/** Items that a transaction with no more operations than it may have can be made of; see `decodeBounded`. */
export function transactionItemsMax({ transactionOperations }: Pick<ServiceLimits, "transactionOperations">): number {
  return transactionLists * operationItems * transactionOperations;
}

/** What users and roles may add to a store that is at its quota, where keys may add nothing any more (MAINT-4). */
export const authReserveBytes = 1024 * 1024;

/** Room in a log entry for the largest request and what is logged with it: its caller, the frame. */
const entryOverheadBytes = 1024 * 1024;
const entryBytesMin = 4 * 1024 * 1024;

/** Largest log entry that requests of at most `requestBytes` need. */
export function entryBytesMax(requestBytes: number): number {
  return Math.max(entryBytesMin, requestBytes + entryOverheadBytes);
}

/** What etcd wraps a request in before it measures it: its own header, with an id of usual length, and the kind. */
const requestEnvelopeBytes = 18;

/** Whether a request of this many bytes is refused (LIM-1). */
export function isRequestTooLarge(bytes: number, { requestBytes }: Pick<ServiceLimits, "requestBytes">): boolean {
  return bytes + requestEnvelopeBytes > requestBytes;
}
