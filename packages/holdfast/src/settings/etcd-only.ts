/**
 * etcd's flags that mean nothing here: peers, raft, bbolt, discovery, and what Go needs. They are accepted, so that a
 * command line of etcd can be moved over as it is, and named once when the server starts.
 *
 * The one exception are flags that describe a cluster of several members: a server that quietly stood alone instead
 * would be one of several that each believe in locks of their own.
 */

/** Without a value, or with one behind "=" only, as Go has its boolean flags. */
const switches = [
  "discovery-insecure-skip-tls-verify",
  "discovery-insecure-transport",
  "enable-distributed-tracing",
  "enable-log-rotation",
  "enable-pprof",
  "force-new-cluster",
  "initial-election-tick-advance",
  "memory-mlock",
  "peer-auto-tls",
  "peer-client-cert-auth",
  "peer-skip-client-san-verification",
  "pre-vote",
  "socket-reuse-address",
  "socket-reuse-port",
  "strict-reconfig-check",
  "unsafe-no-fsync",
] as const;

/** With a value. */
const valued = [
  "backend-batch-interval",
  "backend-batch-limit",
  "backend-bbolt-freelist-type",
  "bootstrap-defrag-threshold-megabytes",
  "client-cert-file",
  "client-key-file",
  "compact-hash-check-time",
  "compaction-sleep-interval",
  "corrupt-check-time",
  "discovery",
  "discovery-cacert",
  "discovery-cert",
  "discovery-dial-timeout",
  "discovery-endpoints",
  "discovery-fallback",
  "discovery-keepalive-time",
  "discovery-keepalive-timeout",
  "discovery-key",
  "discovery-password",
  "discovery-proxy",
  "discovery-request-timeout",
  "discovery-srv",
  "discovery-srv-name",
  "discovery-token",
  "discovery-user",
  "distributed-tracing-address",
  "distributed-tracing-instance-id",
  "distributed-tracing-sampling-rate",
  "distributed-tracing-service-name",
  "downgrade-check-time",
  "feature-gates",
  "initial-advertise-peer-urls",
  "initial-cluster",
  "initial-cluster-state",
  "initial-cluster-token",
  "listen-peer-urls",
  "log-rotation-config-json",
  "logger",
  "max-learners",
  "max-snapshots",
  "max-wals",
  "peer-cert-allowed-cn",
  "peer-cert-allowed-hostname",
  "peer-cert-file",
  "peer-client-cert-file",
  "peer-client-key-file",
  "peer-crl-file",
  "peer-key-file",
  "peer-trusted-ca-file",
  "raft-read-timeout",
  "raft-write-timeout",
  "snapshot-catchup-entries",
  "snapshot-count",
  "v2-deprecation",
  "wal-dir",
  "warning-apply-duration",
  "warning-unary-request-duration",
] as const;

/** Flags of etcd 3.4 to 3.6 that 3.7 has no more; command lines that were written for those carry them. */
const olderSwitches = [
  "enable-v2",
  "experimental-compact-hash-check-enabled",
  "experimental-enable-distributed-tracing",
  "experimental-enable-lease-checkpoint",
  "experimental-enable-lease-checkpoint-persist",
  "experimental-initial-corrupt-check",
  "experimental-memory-mlock",
  "experimental-peer-skip-client-san-verification",
  "experimental-set-member-localaddr",
  "experimental-stop-grpc-service-on-defrag",
  "experimental-txn-mode-write-with-shared-buffer",
] as const;

const olderValued = [
  "experimental-backend-bbolt-freelist-type",
  "experimental-bootstrap-defrag-threshold-megabytes",
  "experimental-compact-hash-check-time",
  "experimental-compaction-sleep-interval",
  "experimental-corrupt-check-time",
  "experimental-distributed-tracing-address",
  "experimental-distributed-tracing-instance-id",
  "experimental-distributed-tracing-sampling-rate",
  "experimental-distributed-tracing-service-name",
  "experimental-downgrade-check-time",
  "experimental-enable-v2v3",
  "experimental-max-learners",
  "experimental-snapshot-catchup-entries",
  "experimental-wait-cluster-ready-timeout",
  "experimental-warning-apply-duration",
  "experimental-warning-unary-request-duration",
] as const;

const switchNames: ReadonlySet<string> = new Set([...switches, ...olderSwitches]);
const valuedNames: ReadonlySet<string> = new Set([...valued, ...olderValued]);

/** Whether `flag`, without its dashes, is one of etcd's that means nothing here. */
export function isEtcdOnly(flag: string): boolean {
  return switchNames.has(flag) || valuedNames.has(flag);
}

/** Whether such a flag takes the next argument as its value. */
export function takesValue(flag: string): boolean {
  return valuedNames.has(flag);
}

/** Why a setting that means nothing here cannot be passed over after all; undefined if it can. */
export function reasonToRefuse(flag: string, value: string): string | undefined {
  if (value === "") return undefined;
  if (flag === "initial-cluster" && value.split(",").length > 1) {
    return `${flag} names several members, and Holdfast serves as one: started on each machine it would be as many clusters, each with locks of its own`;
  }
  if (["discovery", "discovery-token", "discovery-endpoints", "discovery-srv"].includes(flag)) {
    return `${flag} would have this server find others, and Holdfast serves as one`;
  }
  if (flag === "initial-cluster-state" && value === "existing") {
    return `${flag} says that this server joins others, and Holdfast serves as one`;
  }
  return undefined;
}
