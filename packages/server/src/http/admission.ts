/**
 * What is checked of every request before it is routed, and what a page of another origin may see of the answers
 * (etcd-v3-wire.md 4.8).
 */
import type { PlainRequest } from "@holdfast/transport";
import type { Door } from "../ops/route.js";
import { respondText } from "./answers.js";
import type { HttpCounters } from "./counters.js";
import type { Headers } from "./wrapped-request.js";

export interface HttpAdmissionOptions {
  /** Origins that pages of browsers may come from; none, or "*" among them: all. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Host names that requests in clear text may be addressed to; none, or "*" among them: all. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whether clients must show a certificate. */
  readonly clientCertAuth?: boolean | undefined;
  /** Whether authentication is on now. Default: never. */
  readonly authEnabled?: (() => boolean) | undefined;
}

const misdirected = 421;
const badRequest = 400;
const noHeaders: Headers = [];
const certificateNameRefused =
  "CommonName of client sending a request against gateway will be ignored and not used as expected";

/** Why a request is not let in. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** What is asked of a request; the rest of it does not matter here. */
export type RequestHead = Pick<PlainRequest, "authority" | "headers" | "peer">;

export class HttpAdmission {
  /** Undefined: all. */
  readonly #hosts: ReadonlySet<string> | undefined;
  readonly #origins: ReadonlySet<string> | undefined;
  readonly #clientCertAuth: boolean;
  readonly #authEnabled: () => boolean;
  readonly #headersForAll = corsHeaders("*");
  readonly #counters: HttpCounters;

  constructor(options: HttpAdmissionOptions, counters: HttpCounters) {
    this.#hosts = setUnlessAll(options.allowedHosts);
    this.#origins = setUnlessAll(options.corsOrigins);
    this.#clientCertAuth = options.clientCertAuth ?? false;
    this.#authEnabled = options.authEnabled ?? (() => false);
    this.#counters = counters;
  }

  /** Why a request is not let in; undefined if it is. `isGateways` if its path is the gateway's. */
  refusalOf(head: RequestHead, isGateways: boolean, door: Door): Refusal | undefined {
    if (!door.secure && !this.#admitsHost(head)) return { status: misdirected, text: misdirectedText(head) };
    if (isGateways && door.secure && !this.#admitsCertificate(head)) {
      return { status: badRequest, text: certificateNameRefused };
    }
    return undefined;
  }

  refuse(request: PlainRequest, { status, text }: Refusal): void {
    if (status === misdirected) this.#counters.hostsRefused++;
    respondText(request, status, text);
  }

  /** The CORS headers for the answer to a request. */
  headersFor({ headers }: RequestHead): Headers {
    if (this.#origins === undefined) return this.#headersForAll;
    const origin = headers.find(([name]) => name === "origin")?.[1];
    return origin !== undefined && this.#origins.has(origin) ? corsHeaders(origin) : noHeaders;
  }

  /** Whether a page of `origin`, undefined for none, may open WebSockets. Counts those that may not. */
  admitsOrigin(origin: string | undefined): boolean {
    if (origin === undefined || this.#origins === undefined || this.#origins.has(origin)) return true;
    this.#counters.originsRefused++;
    return false;
  }

  /** Against pages that have their own name point to us. */
  #admitsHost({ authority }: RequestHead): boolean {
    return this.#hosts === undefined || this.#hosts.has(hostOf(authority));
  }

  /** Calls of the gateway are made without the name in the client's certificate, which a client that counts on it should know. */
  #admitsCertificate({ peer: { certificateName = "" } }: RequestHead): boolean {
    return certificateName === "" || !this.#clientCertAuth || !this.#authEnabled();
  }
}

function setUnlessAll(list: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return list === undefined || list.length === 0 || list.includes("*") ? undefined : new Set(list);
}

function corsHeaders(origin: string): Headers {
  return [
    ["access-control-allow-headers", "accept, content-type, authorization"],
    ["access-control-allow-methods", "POST, GET, OPTIONS, PUT, DELETE"],
    ["access-control-allow-origin", origin],
  ];
}

/** The host in "host:port", "[ipv6]:port" or either without a port. */
function hostOf(authority = ""): string {
  const bracketed = /^\[([^\]]*)\](?::[^:]*)?$/.exec(authority);
  // With several colons and no brackets it is an address of IPv6 without a port.
  return bracketed?.[1] ?? authority.replace(/^([^:]*):[^:]*$/, "$1");
}

function misdirectedText({ authority }: RequestHead): string {
  return `
The request arrived, but its host "${hostOf(authority)}" is none that this server may be asked for.

To be let in, do one of the following:
- Use TLS: there any host is served.
- Add the host to the names that the server allows (--host-whitelist).

This keeps web pages whose name is made to point at this machine away from it (DNS rebinding).
`;
}
