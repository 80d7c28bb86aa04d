/** Every bound of the services, with its default; etcd's own where etcd has one (etcd-v3-wire.md 5.5). */

export interface ServiceLimits {
  /** Largest request that may become a log entry (LIM-1). */
  readonly requestBytes: number;
  /** Operations per transaction, the largest of its three lists (TXN-9). */
  readonly transactionOperations: number;
  /** Smallest lease lifetime; smaller ones are raised to it (LEASE-6). */
  readonly leaseTtlMinSeconds: number;
  /** Lifetime of a lease the server makes for Lock or Campaign (LOCK-7). */
  readonly sessionTtlSeconds: number;
  /** A watch response of at least this size is cut if the watcher asked for fragments (WATCH-27). */
  readonly watchFragmentBytes: number;
  /** Interval of progress notifications (WATCH-30). */
  readonly watchProgressIntervalMs: number;
  /** Watchers on one stream. */
  readonly watchersPerStream: number;
  /** Keepalives of one stream that may wait behind one another before reading stops. */
  readonly keepAlivesWaiting: number;
  /** Answers of one keepalive stream that may be unsent before its renewals wait for the client to read. */
  readonly keepAliveUnsentBytes: number;
}

export const defaultServiceLimits: ServiceLimits = {
  requestBytes: 1_572_864,
  transactionOperations: 128,
  leaseTtlMinSeconds: 2,
  sessionTtlSeconds: 60,
  watchFragmentBytes: 1_572_864 + 524_288,
  watchProgressIntervalMs: 10 * 60 * 1000,
  watchersPerStream: 10_000,
  keepAlivesWaiting: 1_000,
  keepAliveUnsentBytes: 64 * 1024,
};
