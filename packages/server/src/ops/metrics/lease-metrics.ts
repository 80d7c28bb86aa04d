/** Leases: how many, how they end, and how close to their end clients renew them. */
import type { OpsSources } from "../ops-sources.js";
import type { MetricSet } from "./metric-set.js";

export function addLeaseMetrics(metrics: MetricSet, { context: { replica } }: OpsSources): void {
  const { leases, machine } = replica;
  const { meter } = leases;
  metrics.counter("etcd_debugging_lease_granted_total", "Leases granted.", () => meter.granted);
  metrics.counter("etcd_debugging_lease_revoked_total", "Leases ended, revoked or expired.", () => meter.ended);
  metrics.counter("etcd_debugging_lease_renewed_total", "Renewals of leases.", () => meter.renewed);
  metrics.histogram("etcd_debugging_lease_ttl_total", "Lifetimes of the leases granted, in seconds.", meter.ttlSeconds);
  metrics.counter("etcd_debugging_server_lease_expired_total", "Leases ended because their time had passed.", () => {
    return meter.expired;
  });
  metrics.gauge("holdfast_leases", "Leases that live now.", () => machine.leaseCount);
  metrics.histogram(
    "holdfast_lease_renewal_elapsed_ratio",
    "Share of its TTL that had passed when a lease was renewed: a third is usual, near 1 it was almost lost.",
    meter.renewalShare,
  );
  metrics.counter(
    "holdfast_lease_late_ticks_total",
    "Ticks of the lease clock that came too late (a stalled process or event loop): no lease was ended at them.",
    () => leases.lateTicks,
  );
}
