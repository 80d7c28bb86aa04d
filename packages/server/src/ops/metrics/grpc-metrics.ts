/**
 * Calls and messages by method, under the names of etcd's dashboards. Every method and code is there from the start, so
 * that the first failure is a rise from 0 and not a new series.
 */
import type { GrpcServer, MethodCounters } from "@holdfast/transport";
import type { CallDurations } from "./call-durations.js";
import type { Labels, MetricSet, Sample } from "./metric-set.js";

const methodLabels = ["grpc_type", "grpc_service", "grpc_method"];
const types = { unary: "unary", serverStream: "server_stream", bidi: "bidi_stream" } as const;

/** gRPC's status codes by number, as these metrics write them. */
const codes = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

export function addGrpcMetrics(metrics: MetricSet, grpc: GrpcServer, durations: CallDurations | undefined): void {
  const methods = grpc.methodCounters.map((counters) => ({ counters, labels: labelsOf(counters) }));
  const each = (read: (counters: MethodCounters) => number): (() => Sample[]) => {
    return () => methods.map(({ counters, labels }) => ({ labels, value: read(counters) }));
  };
  const total = (read: (counters: MethodCounters) => number): (() => number) => {
    return () => methods.reduce((sum, { counters }) => sum + read(counters), 0);
  };
  metrics.counters(
    "grpc_server_started_total",
    "Calls begun.",
    methodLabels,
    each(({ started }) => started),
  );
  metrics.counters("grpc_server_handled_total", "Calls ended, by status.", [...methodLabels, "grpc_code"], () =>
    methods.flatMap(({ counters, labels }) => byCode(counters, labels)),
  );
  metrics.counters(
    "grpc_server_msg_received_total",
    "Messages received.",
    methodLabels,
    each((m) => m.received),
  );
  metrics.counters(
    "grpc_server_msg_sent_total",
    "Messages sent.",
    methodLabels,
    each((m) => m.sent),
  );
  metrics.counter(
    "etcd_network_client_grpc_received_bytes_total",
    "Bytes of the messages received in calls, without framing.",
    total((m) => m.receivedBytes),
  );
  metrics.counter(
    "etcd_network_client_grpc_sent_bytes_total",
    "Bytes of the messages sent in calls, without framing.",
    total((m) => m.sentBytes),
  );
  metrics.gauge("etcd_debugging_mvcc_watch_stream_total", "Watch streams open now.", () =>
    methods.reduce((sum, { counters }) => sum + (counters.path === watchPath ? openCalls(counters) : 0), 0),
  );
  if (durations === undefined) return;
  metrics.histograms("grpc_server_handling_seconds", "How long calls were open.", methodLabels, () =>
    methods.map(({ counters, labels }) => ({ labels, histogram: durations.of(counters.path) })),
  );
}

const watchPath = "/etcdserverpb.Watch/Watch";

function openCalls({ started, endedByCode }: MethodCounters): number {
  return started - endedByCode.reduce((sum, count) => sum + count, 0);
}

function byCode({ endedByCode }: MethodCounters, labels: Labels): Sample[] {
  return endedByCode.map((value, code) => ({ labels: { ...labels, grpc_code: codes[code] ?? "Unknown" }, value }));
}

function labelsOf({ path, kind }: MethodCounters): Labels {
  const slash = path.lastIndexOf("/");
  return { grpc_type: types[kind], grpc_service: path.slice(1, slash), grpc_method: path.slice(slash + 1) };
}
