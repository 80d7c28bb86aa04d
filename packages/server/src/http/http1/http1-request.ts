/** One request over HTTP/1.1 as the routes see it. When its body is read, and how long it may take, is left to the connection. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CancelReason, Peer, PlainHeaders, PlainRequest } from "@holdfast/transport";
import type { HttpLimits } from "../limits.js";
import type { Headers } from "../wrapped-request.js";

/** What the request tells its connection. */
export interface Http1Host {
  readonly limits: HttpLimits;
  readonly peer: Peer;
  /** The connection is to be closed after this answer. */
  readonly isLast: boolean;
  /** Far too much of the answer waits: nothing of it can be saved. */
  overflowed(): void;
}

export class Http1Request implements PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string | undefined;
  body: Uint8Array = Buffer.alloc(0);
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #host: Http1Host;
  #headers: Headers | undefined = undefined;
  #begun = false;
  #written = false;
  #ended = false;
  #drainOwed = false;
  #cancelListener: ((reason: CancelReason) => void) | undefined = undefined;

  constructor(request: IncomingMessage, response: ServerResponse, host: Http1Host) {
    const target = splitTarget(request.url ?? "/", request.headers.host);
    this.method = request.method ?? "";
    this.path = target.path;
    this.authority = target.authority;
    this.#request = request;
    this.#response = response;
    this.#host = host;
  }

  get headers(): Headers {
    this.#headers ??= pairsOf(this.#request.rawHeaders);
    return this.#headers;
  }

  get peer(): Peer {
    return this.#host.peer;
  }

  /** Answered, as far as the routes are concerned, or lost. */
  get ended(): boolean {
    return this.#ended;
  }

  get unsentBytes(): number {
    return this.#response.writableLength;
  }

  get congested(): boolean {
    if (this.unsentBytes > this.#host.limits.highWaterBytes) this.#drainOwed = true;
    return this.#drainOwed;
  }

  respond(status: number, headers: PlainHeaders, body: Uint8Array | string): void {
    if (this.#ended || this.#begun) return;
    this.#ended = true;
    const fields = this.#flatten(headers);
    fields.push("content-length", String(typeof body === "string" ? Buffer.byteLength(body) : body.length));
    // Node keeps what it cannot write at once, and the caller may use its buffer again.
    this.#response.writeHead(status, fields).end(typeof body === "string" ? body : Buffer.from(body));
  }

  begin(status: number, headers: PlainHeaders): void {
    if (this.#ended || this.#begun) return;
    this.#begun = true;
    this.#response.writeHead(status, this.#flatten(headers));
    // A first piece that comes in the same turn takes them along.
    process.nextTick(() => {
      if (!this.#written && !this.#ended) this.#response.flushHeaders();
    });
  }

  write(piece: Uint8Array | string): void {
    if (!this.#begun || this.#ended) return;
    this.#written = true;
    if (this.unsentBytes > this.#host.limits.unsentBytesMax) this.#host.overflowed();
    else this.#response.write(typeof piece === "string" ? piece : Buffer.from(piece));
  }

  finish(): void {
    if (!this.#begun || this.#ended) return;
    this.#ended = true;
    this.#response.end();
  }

  onCancel(listener: (reason: CancelReason) => void): void {
    if (!this.#ended) this.#cancelListener = listener;
  }

  onDrain(listener: () => void): void {
    this.#response.on("drain", () => {
      if (!this.#drainOwed || this.#ended || this.unsentBytes > this.#host.limits.lowWaterBytes) return;
      this.#drainOwed = false;
      listener();
    });
  }

  onTaken(listener: () => void): void {
    if (this.#response.closed) listener();
    else this.#response.once("close", listener);
  }

  /** The client is gone. */
  lost(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelListener?.("connection-lost");
  }

  #flatten(headers: PlainHeaders): string[] {
    const fields: string[] = [];
    for (const [name, value] of headers) fields.push(name, value);
    if (this.#host.isLast) fields.push("connection", "close");
    return fields;
  }
}

/** A client that takes us for a proxy names the host in the target. */
function splitTarget(url: string, host: string | undefined): { path: string; authority: string | undefined } {
  if (url.startsWith("/")) return { path: url, authority: host };
  const [, authority, path = ""] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  if (authority === undefined) return { path: url, authority: host };
  return { path: path.startsWith("/") ? path : `/${path}`, authority };
}

/** Whether the head names more than one host, of which checks and routes could take different ones (RFC 9112, 3.2). */
export function namesSeveralHosts({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count > 1;
}

/** Pairs of lower-case names and values of Node's list, in which they take turns. */
export function pairsOf(rawHeaders: readonly string[]): Headers {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    pairs.push([(rawHeaders[at] as string).toLowerCase(), rawHeaders[at + 1] as string]);
  }
  return pairs;
}
