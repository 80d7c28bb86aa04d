/** Connections, streams, and every limit of the transport and of HTTP that a peer has reached (fault-model section 3). */
import type { GrpcServer, TransportCounters } from "@holdfast/transport";
import type { HttpCounters } from "../../http/counters.js";
import type { NetCounters } from "../../net/counters.js";
import type { MetricSet } from "./metric-set.js";

/** What each counter counts. One without a line here does not compile. */
const meanings: Readonly<Record<keyof TransportCounters, string>> = {
  connectionsAccepted: "Connections accepted.",
  connectionsRefusedTotal: "Connections refused because there were too many.",
  connectionsRefusedPerAddress: "Connections refused because their address had too many.",
  connectionsRefusedClosing: "Connections refused because the server was stopping.",
  streamsOpened: "Streams opened.",
  streamsRefusedPerConnection: "Streams refused because their connection had too many.",
  streamsRefusedTotal: "Streams refused because there were too many.",
  resetsReceived: "Streams reset by peers.",
  resetsSent: "Streams reset by the server.",
  resetFloods: "Connections closed for too many resets.",
  continuationFloods: "Connections closed for header blocks in too many or too large pieces.",
  headerListsTooLarge: "Header lists refused for their bytes.",
  headerListsTooLong: "Header lists refused for their number of fields.",
  settingsFloods: "Connections closed for too many settings.",
  pingFloods: "Connections closed for too many pings.",
  emptyFrameFloods: "Connections closed for too many empty frames.",
  overheadFloods: "Connections closed for too much overhead.",
  turnsEnded: "Times that a connection had to let others have their turn.",
  requestsPostponed: "Requests begun later because too much waited for their peer, or others had their turn.",
  unsentBytesExceeded: "Streams reset and connections closed because too much waited for their peer.",
  backlogsEnded: "Connections closed because too much waited for all peers.",
  stalledAnswers: "Streams reset and connections closed because their peer did not take the answers.",
  prefaceTimeouts: "Connections closed because their preface did not come in time.",
  headerBlockTimeouts: "Connections closed because a header block did not come in time.",
  bodyTimeouts: "Calls ended because their request did not come in time.",
  keepaliveTimeouts: "Connections closed because their peer no longer answered.",
  lingerTimeouts: "Connections destroyed because they outlived their closing.",
  bufferedBytesExceeded: "Requests refused because too many bytes of unfinished ones were held.",
  messagesTooLarge: "Messages refused for their size.",
  brokenCompression: "Compressed messages that could not be inflated.",
  malformedRequests: "Requests with malformed headers.",
  connectionErrors: "Connections ended with an error.",
  deadlinesExceeded: "Calls whose deadline passed.",
  callsCancelled: "Calls that their client cancelled or lost.",
};

const httpMeanings: Readonly<Record<keyof HttpCounters, string>> = {
  requests: "Requests received over HTTP/1.1.",
  webSockets: "WebSockets opened.",
  malformedRequests: "Requests that were no HTTP, or whose head was too large.",
  headTimeouts: "Connections closed because a head did not come in time.",
  bodyTimeouts: "Requests whose body did not come in time.",
  bodiesTooLarge: "Requests refused for the size of their body, or of all bodies.",
  idleTimeouts: "Connections closed because they were idle.",
  stalledAnswers: "Connections closed because their client did not take the answers.",
  pipelinesExceeded: "Connections closed because too many requests waited behind one another.",
  callsRefused: "Gateway calls refused because too many were open.",
  answersRefused: "Answers replaced by 503 because too many bytes of answers waited for their clients.",
  hostsRefused: "Requests refused for their host name.",
  originsRefused: "WebSockets refused for the origin of their page.",
};

export function addHttpMetrics(metrics: MetricSet, counters: Readonly<HttpCounters>): void {
  for (const counter of Object.keys(httpMeanings) as (keyof HttpCounters)[]) {
    metrics.counter(httpMetricName(counter), httpMeanings[counter], () => counters[counter]);
  }
}

/** The name under which a counter of HTTP/1.1 and the gateway is shown. */
export function httpMetricName(counter: keyof HttpCounters): string {
  return `holdfast_http_${snakeCase(counter)}_total`;
}

const netMeanings: Readonly<Record<keyof NetCounters, string>> = {
  accepted: "Connections accepted, whatever they speak.",
  acceptErrors: "Connections that could not be accepted, for want of file descriptors for example.",
  refusedPerAddress: "Connections closed because their address had too many, whatever they speak.",
  refusedUndecided: "Connections closed because too many had not said yet what they speak.",
  refusedHttp1: "Connections closed because too many spoke HTTP/1.1.",
  firstBytesTimeouts: "Connections closed because they did not say in time what they speak.",
  handshakes: "TLS handshakes that ended well.",
  handshakeFailures: "TLS handshakes that failed or were given up.",
  handshakeTimeouts: "TLS handshakes not finished in time.",
  certificatesRefused: "Connections closed for want of a client certificate that is allowed.",
  certificateReloads: "Times that changed certificate files were taken into use.",
  certificateReloadFailures: "Times that changed certificate files could not be used.",
};

export function addNetMetrics(metrics: MetricSet, counters: Readonly<NetCounters>): void {
  for (const counter of Object.keys(netMeanings) as (keyof NetCounters)[]) {
    metrics.counter(netMetricName(counter), netMeanings[counter], () => counters[counter]);
  }
}

/** The name under which a counter of the listeners is shown. */
export function netMetricName(counter: keyof NetCounters): string {
  return `holdfast_net_${snakeCase(counter)}_total`;
}

export function addTransportMetrics(metrics: MetricSet, grpc: GrpcServer): void {
  for (const counter of Object.keys(meanings) as (keyof TransportCounters)[]) {
    metrics.counter(transportMetricName(counter), meanings[counter], () => grpc.counters[counter]);
  }
  metrics.gauge("holdfast_transport_connections", "HTTP/2 connections open now.", () => grpc.connectionCount);
  metrics.gauge("holdfast_transport_streams", "Streams open now.", () => grpc.streamCount);
  metrics.gauge(
    "holdfast_transport_buffered_bytes",
    "Bytes of unfinished requests held now.",
    () => grpc.bufferedBytes,
  );
  metrics.gauge(
    "holdfast_transport_unsent_bytes",
    "Bytes that wait for their peers now, on all HTTP/2 connections.",
    () => grpc.unsentBytes,
  );
}

/** The name under which a counter of the transport is shown. */
export function transportMetricName(counter: keyof TransportCounters): string {
  // "Total" means the limit over all connections; at the end of a metric's name it means a counter.
  return `holdfast_transport_${snakeCase(counter.replace(/Total$/, "Overall"))}_total`;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
