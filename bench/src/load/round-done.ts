/** What every load says of one round, and the sample that the table shows of it. */
import type { Latencies } from "../latencies.js";
import type { Server } from "../servers/server.js";
import type { Sample } from "../workload.js";
import { measureUsage } from "./usage.js";

/** What one round did. */
export interface RoundDone {
  readonly operations: number;
  readonly seconds: number;
  /** Of each operation. */
  readonly latencies: Latencies;
}

/** Does one round; the figure is operations in a second. */
export async function rateSample(server: Server, round: () => Promise<RoundDone>): Promise<Sample> {
  const used = measureUsage(server);
  const { operations, seconds, latencies } = await round();
  return { figure: operations / seconds, operations, ...used(), ...latencies.percentiles() };
}
