/** From the options to addresses and what each of them serves. Nothing is opened here. */
import {
  checkAdvertisedUrl,
  formatAddress,
  InvalidAddressError,
  isLocal,
  type ListenAddress,
  parseListenAddress,
} from "../net/address.js";
import { TlsOptionError } from "../net/tls/errors.js";
import type { ServerOptions } from "../server-options.js";

/** "http" is everything but gRPC, "metrics" only the pages for monitoring. */
export type Serves = "all" | "grpc" | "http" | "metrics";

export interface PlannedAddress {
  readonly serves: Serves;
  readonly address: ListenAddress;
}

/** An address that other machines can reach would be served in clear text, and nobody has said that this is meant. */
export class InsecureListenError extends Error {
  /** As it was asked for. */
  readonly address: string;

  constructor(address: string) {
    super(
      `refusing to listen on ${address} in clear text, where other machines can reach it: use https:// with --cert-file ` +
        "and --key-file (or --auto-tls), or a loopback address; if something else protects it, say " +
        "--allow-insecure-listen, HOLDFAST_ALLOW_INSECURE_LISTEN=true, or allow-insecure-listen: true in the config file " +
        "(startServer: allowInsecureListen)",
    );
    this.name = "InsecureListenError";
    this.address = address;
  }
}

const defaultListen = "127.0.0.1:2379";

/**
 * In the order asked for, those for clients first. Throws `InvalidAddressError`, `TlsOptionError` for want of TLS, or
 * `InsecureListenError`, whatever the address would serve.
 */
export function planAddresses(options: ServerOptions): PlannedAddress[] {
  const http = listOf(options.listenHttp ?? []);
  const forClients = listOf(options.listen ?? defaultListen);
  if (forClients.length === 0) throw new InvalidAddressError("");
  const planned = [
    ...plan(forClients, http.length === 0 ? "all" : "grpc"),
    ...plan(http, "http"),
    ...plan(listOf(options.listenMetrics ?? []), "metrics"),
  ];
  const secure = planned.find(({ address }) => address.secure);
  if (secure !== undefined && options.tls === undefined) {
    throw new TlsOptionError(`${secure.text} speaks TLS, which needs a certificate and its key, or autoTls`);
  }
  const insecure = planned.find(({ address }) => !address.secure && !isLocal(address));
  if (insecure !== undefined && options.allowInsecureListen !== true) {
    throw new InsecureListenError(formatAddress(insecure.address));
  }
  return planned;
}

/** Throws `InvalidAddressError`. */
export function advertisedUrls({ advertise = [] }: ServerOptions): readonly string[] {
  return advertise.map(checkAdvertisedUrl);
}

function listOf(texts: string | readonly string[]): string[] {
  return [texts].flat().flatMap((text) => text.split(","));
}

function plan(texts: readonly string[], serves: Serves): (PlannedAddress & { readonly text: string })[] {
  return texts.map((text) => ({ serves, text, address: parseListenAddress(text) }));
}
