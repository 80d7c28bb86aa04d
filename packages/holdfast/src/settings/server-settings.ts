/** From the settings of the command to the options of the server: units, and what one setting means for several limits. */
import type { AuthOptions, AutoCompaction, JwtOptions, ServerOptions, TlsOptions, TlsVersion } from "@holdfast/server";
import { UsageError } from "./usage-error.js";
import { durationMs, wholeNumber } from "./values.js";

/** What commander has made of flags, variables and file: one property for each option of `options.ts`. */
export interface RawSettings {
  readonly listen: string[];
  readonly allowInsecureListen: boolean;
  readonly advertiseClientUrls?: string[];
  readonly listenClientHttpUrls?: string[];
  readonly listenMetricsUrls?: string[];
  readonly name: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly autoTls: boolean;
  readonly selfSignedCertValidity: number;
  readonly trustedCaFile?: string;
  readonly clientCertAuth: boolean;
  readonly clientCrlFile?: string;
  readonly clientCertAllowedCn?: string[];
  readonly clientCertAllowedHostname?: string[];
  readonly tlsMinVersion: TlsVersion;
  readonly tlsMaxVersion?: TlsVersion;
  readonly cipherSuites?: string[];
  readonly enableGrpcGateway: boolean;
  readonly cors: string[];
  readonly hostWhitelist: string[];
  readonly metrics: "basic" | "extensive";
  readonly authToken: string;
  readonly authTokenTtl: number;
  readonly bcryptCost: number;
  readonly loginFailuresPerUser?: number;
  readonly loginFailuresPerAddress?: number;
  readonly loginBackoffMax?: number;
  readonly quotaBackendBytes: number;
  readonly autoCompactionMode: "periodic" | "revision";
  readonly autoCompactionRetention: string;
  readonly compactionBatchLimit?: number;
  readonly watchProgressNotifyInterval?: number;
  readonly maxRequestBytes: number;
  readonly maxTxnOps: number;
  readonly maxConcurrentStreams?: number;
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
  readonly socketThreads?: number;
  readonly grpcKeepaliveMinTime?: number;
  readonly grpcKeepaliveInterval?: number;
  readonly grpcKeepaliveTimeout?: number;
  readonly heartbeatInterval: number;
  readonly electionTimeout: number;
}

/** What etcd allows a gRPC message to be larger than a request (LIM-2), and the default quota (MAINT-6). */
const messageOverheadBytes = 524_288;
const watchProgressIntervalMinMs = 100;
/** The longest a timer can be told to wait: "never". */
const neverMs = 2 ** 31 - 1;

/** Throws `UsageError` for settings that contradict each other. */
export function serverOptions(raw: RawSettings): Omit<ServerOptions, "dataDir" | "logger" | "onFatal"> {
  return defined({
    listen: raw.listen,
    allowInsecureListen: raw.allowInsecureListen,
    listenHttp: raw.listenClientHttpUrls,
    listenMetrics: raw.listenMetricsUrls,
    advertise: raw.advertiseClientUrls,
    name: raw.name,
    tls: tlsOptions(raw),
    auth: authOptions(raw),
    quotaBytes: quotaBytes(raw.quotaBackendBytes),
    autoCompaction: autoCompaction(raw.autoCompactionMode, raw.autoCompactionRetention),
    http: {
      gateway: raw.enableGrpcGateway,
      corsOrigins: raw.cors,
      allowedHosts: raw.hostWhitelist,
      metrics: raw.metrics,
    },
    serviceLimits: serviceLimits(raw),
    replicaLimits: defined({ sweepItems: raw.compactionBatchLimit }),
    transportLimits: transportLimits(raw),
    netLimits: netLimits(raw),
  });
}

/** etcd's 0 is its default, and a negative number no bound. */
function quotaBytes(asked: number): number | undefined {
  return asked === 0 ? undefined : asked;
}

function tlsOptions(raw: RawSettings): TlsOptions | undefined {
  if ((raw.certFile === undefined) !== (raw.keyFile === undefined)) {
    throw new UsageError("--cert-file and --key-file are only of use together");
  }
  if (raw.clientCertAuth && raw.trustedCaFile === undefined && !raw.autoTls) {
    throw new UsageError("--client-cert-auth needs --trusted-ca-file, to know whose certificates to accept");
  }
  if (raw.certFile === undefined && !raw.autoTls) {
    refuseWithoutCertificate(raw);
    return undefined;
  }
  return defined({
    certFile: raw.certFile,
    keyFile: raw.keyFile,
    autoTls: raw.autoTls,
    selfSignedValidityYears: raw.selfSignedCertValidity,
    trustedCaFile: raw.trustedCaFile,
    clientCertAuth: raw.clientCertAuth,
    crlFile: raw.clientCrlFile,
    allowedCommonNames: raw.clientCertAllowedCn,
    allowedHostnames: raw.clientCertAllowedHostname,
    minVersion: raw.tlsMinVersion,
    maxVersion: raw.tlsMaxVersion,
    cipherSuites: raw.cipherSuites,
  });
}

/** Who asks for certificates of clients and gets a server in clear text believes it protected. */
function refuseWithoutCertificate(raw: RawSettings): void {
  const asked = {
    "--trusted-ca-file": raw.trustedCaFile,
    "--client-crl-file": raw.clientCrlFile,
    "--client-cert-allowed-cn": raw.clientCertAllowedCn,
    "--client-cert-allowed-hostname": raw.clientCertAllowedHostname,
  };
  const useless = Object.entries(asked).find(([, value]) => value !== undefined);
  if (useless === undefined) return;
  throw new UsageError(
    `${useless[0]} needs --cert-file and --key-file (or --auto-tls): without, nothing is served over TLS`,
  );
}

function authOptions(raw: RawSettings): AuthOptions {
  return { token: tokenKind(raw.authToken), tokenTtlSeconds: raw.authTokenTtl, passwordCost: raw.bcryptCost };
}

const jwtKeys: readonly string[] = ["sign-method", "pub-key", "priv-key", "ttl"];

/** `simple`, or `jwt,key=value,...` (AUTH-10). Options of `simple` are passed over, as in etcd. */
function tokenKind(text: string): "simple" | JwtOptions {
  const [kind, ...pairs] = text.split(",");
  if (kind === "simple") return "simple";
  if (kind !== "jwt") throw new UsageError(`--auth-token "${text}" is invalid: want simple or jwt,...`);
  const values = new Map(pairs.map((pair) => keyAndValue(pair, text)));
  const signMethod = values.get("sign-method");
  if (signMethod === undefined) throw new UsageError(`--auth-token "${text}" is invalid: want a sign-method`);
  const ttl = values.get("ttl");
  return defined({
    signMethod,
    publicKeyFile: values.get("pub-key"),
    privateKeyFile: values.get("priv-key"),
    ttlSeconds: ttl === undefined ? undefined : durationOf("--auth-token: ttl", ttl) / 1_000,
  });
}

function keyAndValue(pair: string, whole: string): [string, string] {
  const at = pair.indexOf("=");
  const key = pair.slice(0, at);
  if (at < 0 || !jwtKeys.includes(key)) {
    throw new UsageError(`--auth-token "${whole}" is invalid: "${pair}" is none of ${jwtKeys.join("=, ")}=`);
  }
  return [key, pair.slice(at + 1)];
}

/** A bare number of a periodic retention counts hours (LIM-6). */
function autoCompaction(mode: "periodic" | "revision", retention: string): AutoCompaction | undefined {
  const isNumber = /^\d+$/.test(retention);
  if (mode === "revision") {
    if (!isNumber)
      throw new UsageError(`--auto-compaction-retention "${retention}" is invalid: want a number of revisions`);
    const retentionRevisions = wholeNumber(0)(retention);
    return retentionRevisions === 0 ? undefined : { mode, retentionRevisions };
  }
  const retentionMs = durationOf("--auto-compaction-retention", isNumber ? `${retention}h` : retention);
  return retentionMs === 0 ? undefined : { mode, retentionMs };
}

function durationOf(flag: string, text: string): number {
  try {
    return durationMs(text);
  } catch (error) {
    throw new UsageError(`${flag} "${text}" is invalid: ${error instanceof Error ? error.message : error}`);
  }
}

function serviceLimits(raw: RawSettings): NonNullable<ServerOptions["serviceLimits"]> {
  const progressMs = raw.watchProgressNotifyInterval;
  if (progressMs !== undefined && progressMs < watchProgressIntervalMinMs) {
    throw new UsageError(`--watch-progress-notify-interval must be at least ${watchProgressIntervalMinMs}ms`);
  }
  return defined({
    requestBytes: raw.maxRequestBytes,
    transactionOperations: raw.maxTxnOps,
    leaseTtlMinSeconds: leaseTtlMinSeconds(raw.heartbeatInterval, raw.electionTimeout),
    watchFragmentBytes: raw.maxRequestBytes + messageOverheadBytes,
    watchProgressIntervalMs: progressMs,
    loginFailuresPerUser: raw.loginFailuresPerUser,
    loginFailuresPerAddress: raw.loginFailuresPerAddress,
    loginBackoffMaxMs: raw.loginBackoffMax,
  });
}

/** LEASE-6. */
export function leaseTtlMinSeconds(heartbeatMs: number, electionMs: number): number {
  if (electionMs < 5 * heartbeatMs) {
    throw new UsageError("--election-timeout must be at least five times --heartbeat-interval");
  }
  const electionTicks = Math.floor(electionMs / heartbeatMs);
  return Math.ceil((Math.floor((3 * electionTicks) / 2) * heartbeatMs) / 1_000);
}

function transportLimits(raw: RawSettings): NonNullable<ServerOptions["transportLimits"]> {
  return defined({
    messageBytesMax: raw.maxRequestBytes + messageOverheadBytes,
    streamsPerConnectionMax: raw.maxConcurrentStreams,
    connectionsTotalMax: raw.maxConnections,
    pingFloorMs: raw.grpcKeepaliveMinTime,
    keepaliveIdleMs: raw.grpcKeepaliveInterval === 0 ? neverMs : raw.grpcKeepaliveInterval,
    keepaliveTimeoutMs: raw.grpcKeepaliveTimeout === 0 ? neverMs : raw.grpcKeepaliveTimeout,
  });
}

function netLimits(raw: RawSettings): NonNullable<ServerOptions["netLimits"]> {
  return defined({
    connectionsPerAddressMax:
      raw.maxConnectionsPerAddress === 0 ? Number.MAX_SAFE_INTEGER : raw.maxConnectionsPerAddress,
    connectionsFromLoopbackMax: raw.maxConnections,
    socketThreadsMax: raw.socketThreads,
  });
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** `settings` without what is undefined: not said is not the same as said to be nothing. */
function defined<T extends object>(settings: T): Defined<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Defined<T>;
}
