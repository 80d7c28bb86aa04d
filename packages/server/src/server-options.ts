/** What can be set about a server, and what it refuses before anything is opened. How each is meant is documented here. */
import type { ReplicaLimits } from "@holdfast/replica";
import type { TransportLimits } from "@holdfast/transport";
import type { ServiceLimits } from "./limits.js";
import type { Logger } from "./logger.js";
import type { NetLimits } from "./net/limits.js";

export interface ServerOptions {
  /** Folder for the log and snapshots; made if missing. Without it everything is kept in memory and lost at `close`. */
  readonly dataDir?: string;
  /**
   * Where to serve clients: "host:port", "[ipv6]:port", "http://…", "https://…", "unix:/path" or "unixs:/path", several in
   * an array or separated by commas; port 0 picks a free one. https and unixs speak TLS and need `tls`; all others speak
   * clear text, whatever `tls` says, as in etcd. Default 127.0.0.1:2379.
   */
  readonly listen?: string | readonly string[];
  /**
   * Whether an address that other machines can reach may be served in clear text, whatever it serves: they could read and
   * change what is sent, passwords and tokens included. Default false: `startServer` throws `InsecureListenError`.
   */
  readonly allowInsecureListen?: boolean;
  /** Further addresses that serve HTTP (JSON gateway and pages) only; `listen` serves gRPC only then. Default none. */
  readonly listenHttp?: string | readonly string[];
  /** Further addresses that serve /metrics and the health pages only. Default none. */
  readonly listenMetrics?: string | readonly string[];
  /** The URLs that clients are told to use: http://, https://, unix:// or unixs://. Default: where it listens. */
  readonly advertise?: readonly string[];
  /** Certificates for the addresses that speak TLS. */
  readonly tls?: TlsOptions;
  /** The member's name, as `etcdctl member list` shows it. Default "default". */
  readonly name?: string;
  /** How tokens are made and passwords hashed. Authentication itself is switched on by a client (AuthEnable). */
  readonly auth?: AuthOptions;
  /** Bytes of keys, values and history from which writes are refused with NOSPACE; 0 or less: no bound. Default 2 GiB (MAINT-6). */
  readonly quotaBytes?: number;
  /** Compacts the history by itself (LIM-6). Default: never. */
  readonly autoCompaction?: AutoCompaction;
  readonly http?: HttpOptions;
  /** Default: says nothing. */
  readonly logger?: Logger;
  readonly serviceLimits?: Partial<ServiceLimits>;
  readonly replicaLimits?: Partial<ReplicaLimits>;
  readonly transportLimits?: Partial<TransportLimits>;
  /** Of the listeners: what binds connections before, and whatever, they speak. */
  readonly netLimits?: Partial<NetLimits>;
  /**
   * Whether nothing but this server runs in the process. Then the log is synced on the threads on which Node.js runs file
   * calls, which is faster and saves a thread of 12 MB; anything else that keeps them busy (UV_THREADPOOL_SIZE) would hold up
   * every write. Default false.
   */
  readonly ownsProcess?: boolean;
  /** Storage failed for good and the server has stopped. Default: logged only. */
  readonly onFatal?: (cause: Error) => void;
}

/** Files are PEM, and read again when they change or `RunningServer.reloadCertificates` is called. */
export interface TlsOptions {
  readonly certFile?: string;
  readonly keyFile?: string;
  /**
   * Makes a certificate of its own where no files are given, valid for the hosts of `listen` and `advertise`. It is kept
   * in the data folder under fixtures/client and used again until it has run out. Default false.
   */
  readonly autoTls?: boolean;
  /** Years for which such a certificate is valid. Default 1. */
  readonly selfSignedValidityYears?: number;
  /** Authorities of client certificates. With it, every client must show a certificate that one of them vouches for. */
  readonly trustedCaFile?: string;
  /** Whether the common name in a client's certificate is the user it calls as, without a token. Needs `trustedCaFile`. Default false. */
  readonly clientCertAuth?: boolean;
  /**
   * Client certificates revoked by their authority, PEM or DER. There must be a list of every authority in a client's
   * chain, and one that has run out turns all its clients away: what is not known to be good is not let in.
   */
  readonly crlFile?: string;
  /** Common names one of which a client certificate must have. Default: any. */
  readonly allowedCommonNames?: readonly string[];
  /** Host names or IP addresses one of which a client certificate must be valid for. Default: any. */
  readonly allowedHostnames?: readonly string[];
  /** "TLS1.2" (the default) or "TLS1.3". */
  readonly minVersion?: TlsVersion;
  /** Default: the newest. */
  readonly maxVersion?: TlsVersion;
  /** Names of cipher suites, as OpenSSL or as the standard has them. Those of TLS 1.3 stay all unless one is named. Default: Node's. */
  readonly cipherSuites?: readonly string[];
}

export type TlsVersion = "TLS1.2" | "TLS1.3";

export interface AuthOptions {
  /** Tokens kept in memory, or signed ones. Default "simple". */
  readonly token?: "simple" | JwtOptions;
  /** Lifetime of a simple token from its last use (AUTH-9). Default 300. */
  readonly tokenTtlSeconds?: number;
  /** Work factor of a password's hash, 4 to 31 (AUTH-14); one more doubles the time. Default 10. */
  readonly passwordCost?: number;
}

/** AUTH-10. */
export interface JwtOptions {
  /** Such as RS256, PS512, ES384, EdDSA or HS256. */
  readonly signMethod: string;
  readonly publicKeyFile?: string;
  /** Without it tokens are only verified. For HS256 and its like the shared secret. */
  readonly privateKeyFile?: string;
  /** Default 300. */
  readonly ttlSeconds?: number;
}

export type AutoCompaction =
  /** Keeps about this much time of history. */
  | { readonly mode: "periodic"; readonly retentionMs: number }
  /** Keeps this many revisions. */
  | { readonly mode: "revision"; readonly retentionRevisions: number };

export interface HttpOptions {
  /** Whether the JSON gateway under /v3/ is served. Default true. */
  readonly gateway?: boolean;
  /** Origins that pages of browsers may come from; "*" is all. Default all (etcd-v3-wire.md 4.8). */
  readonly corsOrigins?: readonly string[];
  /** Host names that HTTP requests in clear text may be addressed to; "*" is all. Default all (etcd-v3-wire.md 4.8). */
  readonly allowedHosts?: readonly string[];
  /** "extensive" adds histograms of how long calls take. Default "basic". */
  readonly metrics?: "basic" | "extensive";
}

export interface RunningServer {
  /** Where it listens for clients, as "host:port", in the order asked for. */
  readonly addresses: readonly string[];
  /** The same of the addresses that serve HTTP only. */
  readonly httpAddresses: readonly string[];
  /** The same of the addresses that serve metrics only. */
  readonly metricsAddresses: readonly string[];
  /** The first address as clients take it: with https:// if it speaks TLS. */
  readonly endpoint: string;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** What the storage has failed with, be it while the server is being closed; undefined as long as it has not. */
  readonly failure: Error | undefined;
  /** Reads the certificate files again, as happens by itself when they change. Connections stay. Throws `CertificateError`. */
  reloadCertificates(): void;
  /** Lets calls in progress end, then releases the port, the folder, timers and sockets. */
  close(): Promise<void>;
}

const optionNames: Record<keyof ServerOptions, true> = {
  dataDir: true,
  listen: true,
  allowInsecureListen: true,
  listenHttp: true,
  listenMetrics: true,
  advertise: true,
  tls: true,
  name: true,
  auth: true,
  quotaBytes: true,
  autoCompaction: true,
  http: true,
  logger: true,
  serviceLimits: true,
  replicaLimits: true,
  transportLimits: true,
  netLimits: true,
  ownsProcess: true,
  onFatal: true,
};

/** A misspelt `dataDir` would otherwise mean a server that forgets everything. Throws `TypeError`. */
export function refuseUnknownOptions(options: ServerOptions): void {
  const unknown = Object.keys(options).find((name) => !(name in optionNames));
  if (unknown !== undefined) throw new TypeError(`startServer: unknown option "${unknown}"`);
  if (options.dataDir !== undefined && (typeof options.dataDir !== "string" || options.dataDir === "")) {
    throw new TypeError("startServer: dataDir must be the path of a folder");
  }
}
