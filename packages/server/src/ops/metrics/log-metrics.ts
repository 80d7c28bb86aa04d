/** The log on the disk and its snapshots. */
import type { OpsSources } from "../ops-sources.js";
import type { MetricSet } from "./metric-set.js";

/** Adds nothing for a server without a disk. */
export function addLogMetrics(metrics: MetricSet, { logMeter, context: { replica } }: OpsSources): void {
  if (logMeter === undefined) return;
  metrics.gauges(
    "holdfast_log_append_way",
    "How appends become durable: `direct`, past the system's cache, or `cached`, by a sync of it; always 1.",
    ["way"],
    () => [{ labels: { way: replica.appendWay }, value: 1 }],
  );
  metrics.histogram(
    "etcd_disk_wal_fsync_duration_seconds",
    "From handing an entry to the log until it is known to be durable: write, sync, and the way to the thread that syncs and back.",
    logMeter.appendSeconds,
  );
  metrics.counter("holdfast_log_appended_bytes_total", "Payload bytes of the log entries that became durable.", () => {
    return logMeter.appendedBytes;
  });
  metrics.counter(
    "holdfast_log_failed_appends_total",
    "Log entries that did not become durable, or nobody knows.",
    () => {
      return logMeter.failedAppends;
    },
  );
  metrics.histogram("holdfast_snapshot_seconds", "How long snapshots took that were stored.", logMeter.snapshotSeconds);
  metrics.counter("holdfast_failed_snapshots_total", "Snapshots that could not be stored.", () => {
    return logMeter.failedSnapshots;
  });
}
