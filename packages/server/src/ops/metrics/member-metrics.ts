/** The member as a part of a cluster, which here it is alone: leadership, proposals, versions, health. */
import { AlarmType } from "@holdfast/protocol";
import { etcdVersion } from "../../services/maintenance.js";
import type { HealthCounters } from "../health-counters.js";
import type { OpsSources } from "../ops-sources.js";
import { minorVersion, ownVersion } from "../versions.js";
import type { MetricSet, Sample } from "./metric-set.js";

const alarmTypes = [
  { name: "NOSPACE", type: AlarmType.NOSPACE },
  { name: "CORRUPT", type: AlarmType.CORRUPT },
];

export function addMemberMetrics(metrics: MetricSet, sources: OpsSources, health: HealthCounters): void {
  addIdentity(metrics, sources);
  addLeadership(metrics, sources);
  addProposals(metrics, sources);
  addHealth(metrics, sources, health);
}

function addIdentity(metrics: MetricSet, { context: { identity } }: OpsSources): void {
  const one = (labels: Record<string, string>) => (): Sample[] => [{ labels, value: 1 }];
  const id = identity.memberId.toString(16);
  metrics.gauges(
    "holdfast_build_info",
    "The version of this program; always 1.",
    ["version"],
    one({ version: ownVersion }),
  );
  metrics.gauges(
    "etcd_server_version",
    "The version of etcd whose behaviour this server has; always 1.",
    ["server_version"],
    one({ server_version: etcdVersion }),
  );
  metrics.gauges(
    "etcd_cluster_version",
    "The minor version that the cluster goes by; always 1.",
    ["cluster_version"],
    one({ cluster_version: minorVersion }),
  );
  metrics.gauges("etcd_server_id", "The member's id in hexadecimal; always 1.", ["server_id"], one({ server_id: id }));
}

function addLeadership(metrics: MetricSet, { context: { replica } }: OpsSources): void {
  const serving = (): number => (replica.isServing ? 1 : 0);
  metrics.gauge("etcd_server_has_leader", "1 while this member serves: it is its own leader.", serving);
  metrics.gauge("etcd_server_is_leader", "1 while this member serves: it is its own leader.", serving);
  metrics.gauge("etcd_server_is_learner", "Always 0: there are no learners.", () => 0);
  metrics.counter("etcd_server_leader_changes_seen_total", "Always 1: this member became its own leader.", () => 1);
}

function addProposals(metrics: MetricSet, { context: { replica, quota } }: OpsSources): void {
  metrics.gauge("etcd_server_proposals_committed_total", "Index of the newest durable log entry.", () => {
    return replica.committedIndex;
  });
  metrics.gauge("etcd_server_proposals_applied_total", "Index of the newest applied log entry.", () => {
    return replica.appliedIndex;
  });
  metrics.gauge("etcd_server_proposals_pending", "Proposals that wait for the log.", () => replica.waitingProposals);
  metrics.gauge("etcd_server_quota_backend_bytes", "Bytes from which writes are refused; 0 or less: no bound.", () => {
    return quota.bytes;
  });
}

function addHealth(metrics: MetricSet, { context: { replica } }: OpsSources, health: HealthCounters): void {
  metrics.counter("etcd_server_health_success", "Answers of /health that all is well.", () => health.healthy);
  metrics.counter("etcd_server_health_failures", "Answers of /health that something is wrong.", () => health.unhealthy);
  metrics.gauges("etcd_server_healthcheck", "1 if the check passed when it last ran.", ["type", "name"], () =>
    health.checks().map(({ page, check, lastPassed }) => ({
      labels: { type: page, name: check },
      value: lastPassed ? 1 : 0,
    })),
  );
  metrics.counters("etcd_server_healthchecks_total", "Checks run, by result.", ["type", "name", "status"], () =>
    health.checks().flatMap(({ page, check, passed, failed }) => [
      { labels: { type: page, name: check, status: "success" }, value: passed },
      { labels: { type: page, name: check, status: "error" }, value: failed },
    ]),
  );
  const count = (type: AlarmType): number => replica.machine.alarms().filter(({ alarm }) => alarm === type).length;
  metrics.gauges("holdfast_alarms", "Alarms raised now, whichever member they name.", ["alarm_type"], () =>
    alarmTypes.map(({ name, type }) => ({ labels: { alarm_type: name }, value: count(type) })),
  );
}
