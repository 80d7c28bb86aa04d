/** What limits turned away: one series for each limit of the services and the replica. */

import { type CountedLimit, countedLimits } from "../../services/limit-hits.js";
import type { OpsSources } from "../ops-sources.js";
import type { MetricSet } from "./metric-set.js";

export function addLimitMetrics(metrics: MetricSet, { context }: OpsSources): void {
  const { limitHits, replica, watchers } = context;
  const hits = (limit: CountedLimit): number => {
    if (limit === "waitingProposals") return replica.refusedForCount;
    return limit === "waitingBytes" ? replica.refusedForBytes : limitHits.of(limit);
  };
  metrics.counters("holdfast_limit_hits_total", "Requests turned away by a limit, by its option.", ["limit"], () =>
    countedLimits.map((limit) => ({ labels: { limit }, value: hits(limit) })),
  );
  metrics.gauge("holdfast_watch_ids", "Watch ids in use on all streams.", () => watchers.total);
  metrics.gauge("holdfast_proposals_waiting_bytes", "Bytes of the proposals that wait for the log.", () => {
    return replica.waitingBytes;
  });
}
