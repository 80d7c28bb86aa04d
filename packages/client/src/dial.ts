/** From an endpoint to a connection that speaks HTTP/2: sockets, TLS, and the time they may take. */
import { readFileSync } from "node:fs";
import { connect as connectClear, isIP, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  type TLSSocket,
  type ConnectionOptions as TlsSettings,
} from "node:tls";
import { GrpcClient } from "@holdfast/transport";
import type { Endpoint } from "./endpoint.js";
import { ClientOptionError } from "./errors.js";
import { type ClientLimits, transportLimits } from "./limits.js";
import type { ClientTlsOptions } from "./options.js";

const http2 = "h2";

/** Reads the files and checks the options. Throws `ClientOptionError`. */
export function readTls(options: ClientTlsOptions | undefined): TlsSettings | undefined {
  if (options === undefined) return undefined;
  const { caFile, certFile, keyFile, serverName, insecureSkipVerify = false } = options;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new ClientOptionError("a client certificate and its key are only of use together");
  }
  return {
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
    ...(certFile === undefined || keyFile === undefined ? {} : { cert: read(certFile), key: read(keyFile) }),
    ...(serverName === undefined ? {} : named(serverName)),
    rejectUnauthorized: !insecureSkipVerify,
  };
}

/** Connects, within the time allowed. Rejects with the system's error, or with one that says what the server lacks. */
export async function dial(
  endpoint: Endpoint,
  tls: TlsSettings | undefined,
  limits: ClientLimits,
): Promise<GrpcClient> {
  const secure = endpoint.secure === "yes" || (endpoint.secure === "if-set-up" && tls !== undefined);
  const socket = secure ? openTls(endpoint, tls ?? {}) : openClear(endpoint);
  await ready(socket, secure ? "secureConnect" : "connect", limits.connectMs);
  if (secure && (socket as TLSSocket).alpnProtocol !== http2) {
    socket.destroy();
    throw new Error("the server does not speak HTTP/2 over TLS");
  }
  socket.setNoDelay(true);
  return new GrpcClient(socket, authorityOf(endpoint), {
    limits: transportLimits(limits),
    scheme: secure ? "https" : "http",
  });
}

function openClear(endpoint: Endpoint): Socket {
  return endpoint.kind === "unix" ? connectClear(endpoint.path) : connectClear(endpoint.port, endpoint.host);
}

function openTls(endpoint: Endpoint, settings: TlsSettings): TLSSocket {
  const place =
    endpoint.kind === "unix"
      ? { path: endpoint.path }
      : { host: endpoint.host, port: endpoint.port, ...sni(endpoint.host) };
  return connectTls({ ...place, ALPNProtocols: [http2], minVersion: "TLSv1.2", ...settings });
}

/** A name for the server to choose a certificate by; addresses are none (RFC 6066, section 3). */
function sni(host: string): TlsSettings {
  return isIP(host) === 0 ? { servername: host } : {};
}

function named(serverName: string): TlsSettings {
  return {
    ...sni(serverName),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
  };
}

/** What clients of etcd send for a socket that has no name. */
function authorityOf(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return "localhost";
  return endpoint.host.includes(":") ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

function ready(socket: Socket, event: "connect" | "secureConnect", withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${withinMs} ms`)), withinMs);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once("error", onError);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off("error", onError);
      resolve();
    });
  });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ClientOptionError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}
