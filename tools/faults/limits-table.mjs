/**
 * Which options hold the limits of the fault model's section 6, row by row: `<module>.<option>`, and the metric that shows
 * that one was reached. Defaults are read from the modules (`defaults.mjs`), not repeated here.
 */

/** Modules that hold limits: the built file, and what it exports them as; undefined: each limit is an export. */
export const limitModules = {
  transport: { file: "packages/transport/dist/limits.js", name: "defaultLimits" },
  net: { file: "packages/server/dist/net/limits.js", name: "defaultNetLimits" },
  http: { file: "packages/server/dist/http/limits.js", name: "defaultHttpLimits" },
  services: { file: "packages/server/dist/limits.js", name: "defaultServiceLimits" },
  replica: { file: "packages/replica/dist/limits.js", name: "defaultReplicaLimits" },
  "state-machine": { file: "packages/state-machine/dist/limits.js", name: undefined },
  log: { file: "packages/log/dist/limits.js", name: "DEFAULT_LOG_LIMITS" },
  protocol: { file: "packages/protocol/dist/limits.js", name: undefined },
};

/** Why some have no metric of their own. */
const refusal = "a refusal like others of bad requests, counted by its code in `grpc_server_handled_total`";
const pause = "a pause, not a refusal";
const stop = "a server that stops serves no metrics any more";

/** By the first column of the row. An option without a metric says why. */
export const limitRows = {
  "connections total / per address": [
    { option: "transport.connectionsTotalMax", metric: "holdfast_transport_connections_refused_overall_total" },
    { option: "net.connectionsPerAddressMax", metric: "holdfast_net_refused_per_address_total" },
    { option: "net.connectionsFromLoopbackMax", metric: "holdfast_net_refused_per_address_total" },
    { option: "net.http1ConnectionsMax", metric: "holdfast_net_refused_http1_total" },
    { option: "net.undecidedConnectionsMax", metric: "holdfast_net_refused_undecided_total" },
  ],
  "TLS handshake, preface + first SETTINGS": [
    { option: "net.handshakeDeadlineMs", metric: "holdfast_net_handshake_timeouts_total" },
    { option: "net.firstBytesDeadlineMs", metric: "holdfast_net_first_bytes_timeouts_total" },
    { option: "transport.prefaceMs", metric: "holdfast_transport_preface_timeouts_total" },
  ],
  "header block complete / unary body complete": [
    { option: "transport.headerBlockMs", metric: "holdfast_transport_header_block_timeouts_total" },
    { option: "transport.unaryBodyMs", metric: "holdfast_transport_body_timeouts_total" },
    { option: "http.headMs", metric: "holdfast_http_head_timeouts_total" },
    { option: "http.bodyMs", metric: "holdfast_http_body_timeouts_total" },
  ],
  "stalled answer (no window)": [
    { option: "transport.stalledAnswerMs", metric: "holdfast_transport_stalled_answers_total" },
    { option: "http.stalledAnswerMs", metric: "holdfast_http_stalled_answers_total" },
  ],
  "server ping to detect half-open": [
    { option: "transport.keepaliveIdleMs", metric: "holdfast_transport_keepalive_timeouts_total" },
    { option: "transport.keepaliveTimeoutMs", metric: "holdfast_transport_keepalive_timeouts_total" },
  ],
  "client ping floor": [
    { option: "transport.pingFloorMs", metric: "holdfast_transport_ping_floods_total" },
    { option: "transport.pingStrikesMax", metric: "holdfast_transport_ping_floods_total" },
  ],
  "concurrent streams per connection / total": [
    { option: "transport.streamsPerConnectionMax", metric: "holdfast_transport_streams_refused_per_connection_total" },
    { option: "transport.streamsTotalMax", metric: "holdfast_transport_streams_refused_overall_total" },
  ],
  "resets per connection (both directions)": [
    { option: "transport.resetBurst", metric: "holdfast_transport_reset_floods_total" },
    { option: "transport.resetsPerSecond", metric: "holdfast_transport_reset_floods_total" },
  ],
  "header fields / bytes": [
    { option: "transport.headerFieldsMax", metric: "holdfast_transport_header_lists_too_long_total" },
    { option: "transport.headerListBytesMax", metric: "holdfast_transport_header_lists_too_large_total" },
  ],
  "request message, also after inflating": [
    { option: "transport.messageBytesMax", metric: "holdfast_transport_messages_too_large_total" },
    { option: "http.messageBytesMax", metric: "holdfast_http_bodies_too_large_total" },
  ],
  "operations per transaction, all levels / depth": [
    {
      option: "services.transactionOperations",
      metric: "holdfast_limit_hits_total",
    },
    {
      option: "state-machine.transactionDepthMax",
      why: refusal,
    },
  ],
  "answers of one transaction besides its largest": [
    { option: "services.transactionAnswerBytesMax", metric: "holdfast_limit_hits_total" },
  ],
  "keys gone through by one transaction besides its longest range": [
    { option: "services.transactionKeysMax", metric: "holdfast_limit_hits_total" },
  ],
  "nested messages, texts and list elements of one request": [
    { option: "services.requestItemsMax", metric: "holdfast_limit_hits_total" },
    { option: "services.transactionOperations", metric: "holdfast_limit_hits_total" },
  ],
  "bytes without message": [
    { option: "transport.overheadBytesPerMinute", metric: "holdfast_transport_overhead_floods_total" },
  ],
  "unsent bytes per connection / per watch": [
    { option: "transport.unsentBytesPerConnectionMax", metric: "holdfast_transport_requests_postponed_total" },
    { option: "transport.unsentBytesPerCallMax", metric: "holdfast_transport_unsent_bytes_exceeded_total" },
  ],
  "unsent bytes of all connections, the largest answer excepted": [
    { option: "transport.unsentBytesTotalMax", metric: "holdfast_transport_backlogs_ended_total" },
  ],
  "turn of one connection, before others get theirs": [
    { option: "transport.turnMs", metric: "holdfast_transport_turns_ended_total" },
  ],
  "unsent whole answers over HTTP in all, above 64 KiB each": [
    { option: "http.answerBytesTotalMax", metric: "holdfast_http_answers_refused_total" },
  ],
  "members and elements of one JSON value": [
    {
      option: "protocol.jsonItemsMax",
      why: refusal,
    },
  ],
  "watches per connection / total": [
    { option: "services.watchersPerConnection", metric: "holdfast_limit_hits_total" },
    { option: "services.watchersTotal", metric: "holdfast_limit_hits_total" },
  ],
  "waiting proposals": [
    { option: "replica.waitingProposals", metric: "holdfast_limit_hits_total" },
    { option: "replica.waitingBytes", metric: "holdfast_limit_hits_total" },
  ],
  "room kept for a full disk / share of clients / with upkeep / one command": [
    { option: "log.reservedBytes", metric: "holdfast_alarms" },
    { option: "replica.reserveShareOfClients", metric: "holdfast_alarms" },
    { option: "replica.reserveShareOfUpkeep", metric: "holdfast_alarms" },
    { option: "replica.reserveCommandBytes", metric: "holdfast_alarms" },
  ],
  "leases / keys per lease": [
    { option: "services.leasesTotal", metric: "holdfast_limit_hits_total" },
    { option: "services.keysPerLease", metric: "holdfast_limit_hits_total" },
  ],
  "lease TTL": [
    { option: "services.leaseTtlMinSeconds", why: "a shorter one is lengthened, which is no refusal" },
    {
      option: "state-machine.leaseTtlSecondsMax",
      why: refusal,
    },
  ],
  "slice of own work": [
    { option: "services.rangeSliceKeys", why: pause },
    { option: "services.rangeSliceBytes", why: pause },
    { option: "replica.catchUpResponses", why: pause },
    { option: "replica.sweepItems", why: pause },
  ],
  "snapshots of a stop: from bytes / commands on / of a state up to / time / time of the first before a second": [
    { option: "replica.stopSnapshotAfterBytes", why: stop },
    { option: "replica.stopSnapshotAfterCommands", why: stop },
    { option: "replica.stopSnapshotStateBytesMax", why: stop },
    { option: "replica.stopSnapshotMsMax", why: `${stop}, and says in a line that it was reached` },
    { option: "replica.stopSecondSnapshotMsMax", why: stop },
  ],
  "keepalive answer p99 under any single-client attack": [],
  "password hashes running / waiting": [
    { option: "services.passwordHashesAtOnce", metric: "holdfast_password_hashes_running" },
    { option: "services.passwordHashesWaiting", metric: "holdfast_password_hashes_waiting" },
  ],
};

/** Rows that no option holds: what is measured instead, and the faults whose tests measure it. */
export const measuredRows = {
  "keepalive answer p99 under any single-client attack": {
    how: "measured by every scenario of the attack suites, beside the attack",
    provedBy: ["F25", "F28"],
  },
};
