/** The keys and their history, and who watches them. */
import type { OpsSources } from "../ops-sources.js";
import type { MetricSet } from "./metric-set.js";

export function addStoreMetrics(metrics: MetricSet, { context: { replica } }: OpsSources): void {
  const { machine, watches, operations } = replica;
  const stateBytes = (): number => machine.approximateBytes;
  metrics.gauge(
    "etcd_mvcc_db_total_size_in_bytes",
    "What the quota is held against: keys, history and leases.",
    stateBytes,
  );
  metrics.gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "The same: nothing is held ready in between.", stateBytes);
  metrics.gauge("etcd_debugging_mvcc_keys_total", "Live keys.", () => machine.keyCount);
  metrics.gauge("etcd_debugging_mvcc_current_revision", "The newest revision.", () => machine.revision);
  metrics.gauge(
    "etcd_debugging_mvcc_compact_revision",
    "The oldest readable revision; -1 before any compaction.",
    () => {
      return machine.compactRevision;
    },
  );
  metrics.gauge("etcd_debugging_mvcc_watcher_total", "Watchers.", () => watches.watcherCount);
  metrics.gauge(
    "etcd_debugging_mvcc_slow_watcher_total",
    "Watchers that are behind: begun in the past, or slow.",
    () => {
      return watches.behindCount;
    },
  );
  metrics.counter(
    "etcd_debugging_mvcc_events_total",
    "Events given to watchers, once for each.",
    () => watches.eventsGiven,
  );
  metrics.counter("etcd_mvcc_put_total", "Puts applied, in transactions too.", () => operations.puts);
  metrics.counter(
    "etcd_mvcc_delete_total",
    "Deletes applied, in transactions too, and keys ended with a lease.",
    () => {
      return operations.deletes;
    },
  );
  metrics.counter(
    "etcd_mvcc_txn_total",
    "Transactions applied that did more than one thing; read-only ones are left out.",
    () => {
      return operations.transactions;
    },
  );
  metrics.gauge(
    "etcd_debugging_auth_revision",
    "Grows with every change of users and roles.",
    () => machine.auth.revision,
  );
  metrics.gauge("holdfast_disk_bytes", "Bytes of log and snapshots.", () => replica.bytesOnDisk);
}
