/**
 * What the headers of an HTTP request say about the call it makes: its metadata and its deadline, as etcd's gateway reads
 * them (etcd-v3-wire.md 4.7).
 */
import { StatusCode } from "@holdfast/protocol";
import type { Metadata, PlainRequest, Status } from "@holdfast/transport";

/** `timeoutMs` of a call without a deadline. */
export const noTimeout = -1;

export interface CallHead {
  readonly metadata: Metadata;
  /** Time that the client gives the call, or `noTimeout`. */
  readonly timeoutMs: number;
}

const metadataPrefix = "grpc-metadata-";
/** Marks well-known headers in the metadata. */
const gatewayPrefix = "grpcgateway-";

/** Headers of HTTP itself that services get to see. */
const passedOn: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-language",
  "accept-ranges",
  "authorization",
  "cache-control",
  "content-type",
  "cookie",
  "date",
  "expect",
  "from",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-schedule-tag-match",
  "if-unmodified-since",
  "max-forwards",
  "origin",
  "pragma",
  "referer",
  "user-agent",
  "via",
  "warning",
]);

/** A status if the headers cannot be read. */
export function readCallHead(request: PlainRequest): CallHead | Status {
  const metadata = new PairMetadata();
  const forwarded = { for: "", host: request.authority ?? "" };
  let timeoutMs = noTimeout;
  for (const [name, value] of request.headers) {
    if (name === "x-forwarded-for") forwarded.for = forwarded.for === "" ? value : forwarded.for;
    else if (name === "x-forwarded-host") forwarded.host = value;
    else if (name === "grpc-timeout") {
      const parsed = parseGatewayTimeout(value);
      if (parsed === undefined) return refusal(`invalid grpc-timeout: ${value}`);
      timeoutMs = parsed;
    } else if (!addHeader(metadata, name, value)) {
      return refusal(`invalid binary header ${canonicalName(name)}: illegal base64 data`);
    }
  }
  if (forwarded.host !== "") metadata.add("x-forwarded-host", forwarded.host);
  const hops = [forwarded.for, request.peer.address].filter((hop) => hop !== "");
  if (hops.length > 0) metadata.add("x-forwarded-for", hops.join(", "));
  return { metadata, timeoutMs };
}

/** False if the header should hold base64 and does not. */
function addHeader(metadata: PairMetadata, name: string, value: string): boolean {
  if (name === "authorization") metadata.add(name, value);
  if (passedOn.has(name)) metadata.addText(gatewayPrefix + name, value);
  if (!name.startsWith(metadataPrefix)) return true;
  const key = name.slice(metadataPrefix.length);
  if (!key.endsWith("-bin")) {
    metadata.addText(key, value);
    return true;
  }
  if (!isBase64(value)) return false;
  if (/^[a-z0-9._-]+$/.test(key)) metadata.add(key, Buffer.from(value, "base64").toString("latin1"));
  return true;
}

/** Padded to a multiple of four characters, or without any padding. */
function isBase64(text: string): boolean {
  if (text.length % 4 === 0) return /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  return text.length % 4 !== 1 && /^[A-Za-z0-9+/]*$/.test(text);
}

function refusal(message: string): Status {
  return { code: StatusCode.invalidArgument, message };
}

function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

const unitMs: ReadonlyMap<string, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1_000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);

/**
 * Milliseconds; `noTimeout` for none, which a timeout of zero means here. Unlike over gRPC, a sign and any number of
 * digits may stand before the unit. Undefined for anything else.
 */
function parseGatewayTimeout(text: string): number | undefined {
  if (text === "") return noTimeout;
  const unit = unitMs.get(text.slice(-1));
  const digits = text.slice(0, -1);
  if (unit === undefined || !/^[+-]?[0-9]+$/.test(digits)) return undefined;
  const timeoutMs = Number(digits) * unit;
  return timeoutMs === 0 ? noTimeout : Math.max(0, timeoutMs);
}

/** Metadata in the order in which it was added. */
class PairMetadata implements Metadata {
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  add(name: string, value: string): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  /** Leaves out what gRPC cannot carry: values that are not printable ASCII, and odd names. */
  addText(name: string, value: string): void {
    if (/^[\x20-\x7e]*$/.test(value) && /^[a-z0-9._-]+$/.test(name)) this.add(name, value);
  }

  get(key: string): string | undefined {
    const at = this.#names.indexOf(key);
    return at < 0 ? undefined : this.#values[at];
  }

  getAll(key: string): readonly string[] {
    return this.#values.filter((_, at) => this.#names[at] === key);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const [at, name] of this.#names.entries()) yield [name, this.#values[at] as string];
  }
}
