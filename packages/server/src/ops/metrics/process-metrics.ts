/**
 * Memory, processor time, garbage collection and the delay of the event loop: prom-client's default metrics, under its names.
 * They belong to the process, so all its servers share them; what has to be observed is so from the first scrape on.
 */
import { Counter, collectDefaultMetrics, Registry } from "prom-client";

let shared: Registry | undefined;

/** The metrics of this process as text. */
export async function processMetrics(): Promise<string> {
  if (shared === undefined) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
    addProcessorTime(shared);
    // Between two scrapes in quick succession it is a delay of 292 years.
    shared.removeSingleMetric("nodejs_eventloop_lag_min_seconds");
  }
  // The library's spelling of what was not measured since the last scrape is not the format's.
  return (await shared.metrics()).replaceAll(" Nan\n", " NaN\n");
}

/** prom-client counts processor time from its own start on; these metrics promise that of the whole process. */
function addProcessorTime(registry: Registry): void {
  const micros = (): NodeJS.CpuUsage => process.cpuUsage();
  replaceCounter(registry, "process_cpu_user_seconds_total", "User time spent.", () => micros().user / 1e6);
  replaceCounter(registry, "process_cpu_system_seconds_total", "System time spent.", () => micros().system / 1e6);
  replaceCounter(registry, "process_cpu_seconds_total", "User and system time spent.", () => {
    const { user, system } = micros();
    return (user + system) / 1e6;
  });
}

function replaceCounter(registry: Registry, name: string, help: string, read: () => number): void {
  registry.removeSingleMetric(name);
  const counter = new Counter({ name, help, registers: [registry], collect });
  function collect(): void {
    counter.reset();
    counter.inc(read());
  }
}
