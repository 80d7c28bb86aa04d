/** Everything that `/metrics` shows of one server. */
import type { HealthCounters } from "../health-counters.js";
import type { OpsSources } from "../ops-sources.js";
import { addGrpcMetrics } from "./grpc-metrics.js";
import { addLeaseMetrics } from "./lease-metrics.js";
import { addLimitMetrics } from "./limit-metrics.js";
import { addLockMetrics } from "./lock-metrics.js";
import { addLogMetrics } from "./log-metrics.js";
import { addLoginMetrics } from "./login-metrics.js";
import { addMemberMetrics } from "./member-metrics.js";
import { MetricSet } from "./metric-set.js";
import { processMetrics } from "./process-metrics.js";
import { addStoreMetrics } from "./store-metrics.js";
import { addHttpMetrics, addNetMetrics, addTransportMetrics } from "./transport-metrics.js";

/** Reads all metrics, as text. Those who ask while it is read get the same reading. */
export type Scrape = () => Promise<string>;

export function scraper(sources: OpsSources, health: HealthCounters): Scrape {
  const metrics = new MetricSet();
  addGrpcMetrics(metrics, sources.grpc, sources.callDurations);
  addMemberMetrics(metrics, sources, health);
  addStoreMetrics(metrics, sources);
  addLeaseMetrics(metrics, sources);
  addLockMetrics(metrics, sources);
  addLogMetrics(metrics, sources);
  addLoginMetrics(metrics, sources);
  addLimitMetrics(metrics, sources);
  addTransportMetrics(metrics, sources.grpc);
  addHttpMetrics(metrics, sources.http);
  addNetMetrics(metrics, sources.net);
  const { openCalls } = sources.context;
  metrics.gauge("holdfast_open_calls", "Calls open now that may last as long as a client likes.", () => openCalls.size);
  let reading: Promise<string> | undefined;
  return () => {
    reading ??= read(metrics).finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

async function read(metrics: MetricSet): Promise<string> {
  const own = await metrics.text();
  return own + (await processMetrics());
}
