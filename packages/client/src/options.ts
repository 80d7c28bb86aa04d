/** What can be said about a connection. */
import type { ClientLimits } from "./limits.js";

export interface ConnectOptions {
  /**
   * "host:port", "http://…", "https://…", "unix:/path" or "unixs:/path"; the first that can be reached is used, and when
   * the connection is lost, the first again. With "https" and "unixs" TLS is spoken, with "http" and "unix" clear text,
   * with a bare "host:port" TLS if `tls` is given.
   */
  readonly endpoints: string | readonly string[];
  readonly tls?: ClientTlsOptions;
  /** Logs in before the first call. Where authentication is switched off, calls are made without (CLI-4). */
  readonly credentials?: Credentials;
  readonly limits?: Partial<ClientLimits>;
}

/** Files are PEM. */
export interface ClientTlsOptions {
  /** Authorities that vouch for the server. Default: those that Node trusts. */
  readonly caFile?: string;
  /** The client's own certificate, and its key. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The name that the server's certificate must have. Default: the endpoint's host. */
  readonly serverName?: string;
  /** Takes any certificate for the server's: whoever sits in between can read and change everything. Default false. */
  readonly insecureSkipVerify?: boolean;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What can be said about one call. */
export interface CallOptions {
  /** Milliseconds from now after which the call ends with DEADLINE_EXCEEDED. Default: none. */
  readonly deadlineMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}
