/** Puts TLS together: settings, certificates, the gate that connections pass, and the look-out for changed files. */
import { hostname, networkInterfaces } from "node:os";
import { basename, join } from "node:path";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "../logger.js";
import { isWildcard, type ListenAddress, parseListenAddress } from "../net/address.js";
import type { NetCounters } from "../net/counters.js";
import type { NetLimits } from "../net/limits.js";
import type { ThrottledLog } from "../net/throttled-log.js";
import { Certificates } from "../net/tls/certificates.js";
import type { KeyPair } from "../net/tls/credentials.js";
import { CertificateError } from "../net/tls/errors.js";
import { selfSignedPair } from "../net/tls/self-signed.js";
import { readTlsOptions, type TlsSettings } from "../net/tls/settings.js";
import { TlsGate } from "../net/tls/tls-gate.js";
import type { ServerOptions } from "../server-options.js";
import type { PlannedAddress } from "./addresses.js";

export interface TlsParts {
  readonly gate: TlsGate;
  /** Reads the files again. Throws `CertificateError`. */
  reload(): void;
  /** Looks for changed files no more. */
  stop(): void;
}

export interface TlsSurroundings {
  readonly options: ServerOptions;
  readonly logger: Logger;
  readonly log: ThrottledLog;
  readonly environment: ServerEnvironment;
  readonly limits: NetLimits;
  readonly counters: NetCounters;
  /** The addresses that speak TLS. */
  readonly addresses: readonly ListenAddress[];
}

/** What TLS is to be like; undefined if no address speaks it. Reads no file. Throws `TlsOptionError`. */
export function planTls({ tls }: ServerOptions, planned: readonly PlannedAddress[]): TlsSettings | undefined {
  if (tls === undefined || planned.every(({ address }) => !address.secure)) return undefined;
  return readTlsOptions(tls);
}

/** Throws `CertificateError`. */
export async function openTls(settings: TlsSettings, around: TlsSurroundings): Promise<TlsParts> {
  const { logger, limits, counters, log, environment } = around;
  const ownPair = settings.pair === undefined ? await makeOwnPair(around, settings.selfSignedValidityYears) : undefined;
  const certificates = new Certificates(settings, ownPair, logger, counters);
  const gate = new TlsGate({ settings, limits, counters, log }, certificates.pair, certificates.trust);
  certificates.onReload((pair, trust) => gate.replace(pair, trust));
  const stop = environment.every(limits.certificateCheckIntervalMs, () => void certificates.look());
  return { gate, stop, reload: () => certificates.reload() };
}

/** Kept where etcd keeps its own. */
async function makeOwnPair({ options, addresses }: TlsSurroundings, validityYears: number): Promise<KeyPair> {
  const folder = options.dataDir === undefined ? undefined : join(options.dataDir, "fixtures", "client");
  const reached = [...addresses, ...(options.advertise ?? []).map(parseListenAddress)];
  const furtherHosts = addresses.some(isWildcard) ? [hostname(), ...ownAddresses()] : [];
  try {
    return await selfSignedPair({ folder, hosts: hostsOf(reached), furtherHosts, validityYears });
  } catch (cause) {
    throw new CertificateError(folder ?? "in memory", "cannot make or keep a certificate of our own", cause);
  }
}

/** The names under which clients surely reach these addresses. */
function hostsOf(addresses: readonly ListenAddress[]): string[] {
  const hosts = addresses.flatMap((address) => {
    if (address.kind === "unix") return ["localhost", ...socketName(address.path)];
    return isWildcard(address) ? ["localhost", "127.0.0.1", "::1"] : [address.host];
  });
  return [...new Set(hosts)];
}

/** etcd's Go client takes the name of the socket's file for the name of the server. */
function socketName(path: string): string[] {
  const name = basename(path);
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(name) ? [name] : [];
}

/** May be others at the next start, which is no reason for another certificate. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ scopeid = 0 }) => scopeid === 0).map(({ address }) => address);
}
