/** What the operations pages look at. They change nothing. */
import type { GrpcServer } from "@holdfast/transport";
import type { HttpCounters } from "../http/counters.js";
import type { NetCounters } from "../net/counters.js";
import type { ServiceContext } from "../services/context.js";
import type { LogMeter } from "./log-meter.js";
import type { CallDurations } from "./metrics/call-durations.js";

export interface OpsSources {
  readonly context: ServiceContext;
  readonly grpc: GrpcServer;
  readonly http: Readonly<HttpCounters>;
  readonly net: Readonly<NetCounters>;
  /** What was measured of a log on a disk; undefined where there is none. */
  readonly logMeter: LogMeter | undefined;
  /** How long calls took; undefined unless asked for. */
  readonly callDurations: CallDurations | undefined;
}
