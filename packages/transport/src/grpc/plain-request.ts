/**
 * Requests over HTTP/2 that are not gRPC. They are collected and handed to a hook, so that the HTTP gateway can
 * answer them like those over HTTP/1.1; without a hook they get status 415, as gRPC servers answer.
 */
import type { HeaderFields } from "../hpack/index.js";
import { ByteCollector } from "../http2/byte-collector.js";
import type { RequestHeaders } from "../http2/header-rules.js";
import { Http2Stream, type StreamHost } from "../http2/stream.js";
import type { CancelReason, Peer } from "./types.js";

/** One request with its whole body. All methods are no-ops once it has been answered or lost. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  /** `:authority`, or the `host` header, or undefined. */
  readonly authority: string | undefined;
  /** Lower-case names and values in order, pseudo-headers excepted. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Valid until the answer is complete. */
  readonly body: Uint8Array;
  readonly peer: Peer;
  /** Answers at once. Names must be lower case; a `content-length` is added. */
  respond(status: number, headers: PlainHeaders, body: Uint8Array | string): void;
  /** Begins an answer whose body comes in pieces. */
  begin(status: number, headers: PlainHeaders): void;
  /**
   * Sends a piece of the body, copied. A request that goes on writing while `congested`, above `unsentBytesPerCallMax`, is
   * reset.
   */
  write(piece: Uint8Array | string): void;
  /** Ends an answer that was begun. */
  finish(): void;
  /** Called at most once, if the client goes away before the answer is complete. */
  onCancel(listener: (reason: CancelReason) => void): void;
  /** Bytes written and not yet taken by the socket. */
  readonly unsentBytes: number;
  /** So much is unsent that no more should be written until `onDrain`; like `ServerCall.congested`. */
  readonly congested: boolean;
  /** Called each time writing may go on after `congested` was read as true. */
  onDrain(listener: () => void): void;
  /**
   * Called once, by the time nothing of the answer waits any more: it was taken, or its client is gone. At once if that is
   * so already. A second listener replaces the first.
   */
  onTaken(listener: () => void): void;
}

export type PlainHeaders = Iterable<readonly [name: string, value: string]>;
export type PlainRequestHandler = (request: PlainRequest) => void;

const NO_BYTES = new Uint8Array(0);
const PAYLOAD_TOO_LARGE = 413;
const UNSUPPORTED_MEDIA_TYPE = 415;
const REQUEST_TIMEOUT = 408;
const TEXT: PlainHeaders = [["content-type", "text/plain; charset=utf-8"]];

/** The answer of a server that speaks gRPC only. */
export function refusePlainRequest(request: PlainRequest): void {
  request.respond(UNSUPPORTED_MEDIA_TYPE, TEXT, "this port speaks gRPC: content-type must be application/grpc\n");
}

export class PlainStream extends Http2Stream {
  readonly #request: RequestHeaders;
  readonly #handler: PlainRequestHandler;
  readonly #exchange: PlainExchange;
  readonly #body: ByteCollector;

  constructor(
    host: StreamHost,
    id: number,
    nowMs: number,
    request: RequestHeaders,
    peer: Peer,
    handler: PlainRequestHandler,
  ) {
    super(host, id, nowMs);
    this.#request = request;
    this.#handler = handler;
    this.#body = new ByteCollector(host.buffers);
    this.#exchange = new PlainExchange(this, request, peer);
  }

  override receive(bytes: Buffer, start: number, end: number, ended: boolean): void {
    if (this.#exchange.ended) return;
    if (end > start && !this.#keep(bytes, start, end)) return;
    if (!ended) return;
    if (this.host.postponing) this.host.postpone(this);
    else this.begin();
  }

  override begin(): void {
    if (this.#exchange.ended) return;
    this.#exchange.body = this.#body.view();
    this.#handler(this.#exchange);
  }

  override aborted(): void {
    this.#body.clear();
    this.#exchange.taken();
    this.#exchange.cancelled("cancelled");
  }

  override lost(): void {
    this.#body.clear();
    this.#exchange.taken();
    this.#exchange.cancelled("connection-lost");
  }

  override sweep(nowMs: number): void {
    const { limits, counters } = this.host.context;
    if (this.remoteClosed || this.#exchange.ended || nowMs - this.openedAtMs < limits.unaryBodyMs) return;
    counters.bodyTimeouts++;
    this.#exchange.respond(REQUEST_TIMEOUT, TEXT, "request not received in time\n");
  }

  override drained(): void {
    this.#exchange.drained();
  }

  /** Sends the response's headers; `last` if there is no body. */
  sendHead(fields: HeaderFields, last: boolean): void {
    this.host.headers.write(this.id, fields, last);
    this.host.guard.forgivePings();
    if (last) this.sendingDone();
    this.host.touch();
  }

  sendBody(bytes: Uint8Array, last: boolean): void {
    if (last) this.write(NO_BYTES, bytes, true);
    else this.writeOneOfMany(NO_BYTES, bytes);
  }

  override sendingDone(): void {
    this.#body.clear();
    super.sendingDone();
    this.#exchange.taken();
  }

  get isHead(): boolean {
    return this.#request.method === "HEAD";
  }

  #keep(bytes: Buffer, start: number, end: number): boolean {
    const { plainBodyBytesMax } = this.host.context.limits;
    const fits = this.#body.length + end - start <= plainBodyBytesMax;
    if (fits && this.#body.append(bytes, start, end, plainBodyBytesMax)) return true;
    this.#exchange.respond(PAYLOAD_TOO_LARGE, TEXT, "request too large\n");
    return false;
  }
}

/** The request as the hook sees it. */
class PlainExchange implements PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly peer: Peer;
  body: Uint8Array = NO_BYTES;
  ended = false;
  readonly #stream: PlainStream;
  #begun = false;
  #taken = false;
  #cancelListener: ((reason: CancelReason) => void) | undefined = undefined;
  #drainListener: (() => void) | undefined = undefined;
  #takenListener: (() => void) | undefined = undefined;

  constructor(stream: PlainStream, request: RequestHeaders, peer: Peer) {
    this.#stream = stream;
    this.method = request.method;
    this.path = request.path;
    this.authority = request.authority ?? request.list.get("host");
    this.headers = regularFields(request.list);
    this.peer = peer;
  }

  respond(status: number, headers: PlainHeaders, body: Uint8Array | string): void {
    if (this.ended || this.#begun) return;
    const bytes = toBytes(body);
    const empty = bytes.length === 0 || this.#stream.isHead;
    this.ended = true;
    this.#stream.sendHead(responseFields(status, [...headers, ["content-length", String(bytes.length)]]), empty);
    if (!empty) this.#stream.sendBody(bytes, true);
  }

  begin(status: number, headers: PlainHeaders): void {
    if (this.ended || this.#begun) return;
    this.#begun = true;
    this.#stream.sendHead(responseFields(status, headers), false);
  }

  write(piece: Uint8Array | string): void {
    if (this.#begun && !this.ended && !this.#stream.isHead) this.#stream.sendBody(toBytes(piece), false);
  }

  finish(): void {
    if (!this.#begun || this.ended) return;
    this.ended = true;
    this.#stream.sendBody(NO_BYTES, true);
  }

  onCancel(listener: (reason: CancelReason) => void): void {
    if (!this.ended) this.#cancelListener = listener;
  }

  get unsentBytes(): number {
    return this.#stream.queuedBytes;
  }

  get congested(): boolean {
    return this.#stream.congested;
  }

  onDrain(listener: () => void): void {
    if (!this.ended) this.#drainListener = listener;
  }

  onTaken(listener: () => void): void {
    if (this.#taken) listener();
    else this.#takenListener = listener;
  }

  /** Nothing of the answer waits for the client any more. */
  taken(): void {
    if (this.#taken) return;
    this.#taken = true;
    this.#takenListener?.();
  }

  drained(): void {
    if (!this.ended) this.#drainListener?.();
  }

  cancelled(reason: CancelReason): void {
    if (this.ended) return;
    this.ended = true;
    this.#cancelListener?.(reason);
  }
}

function toBytes(body: Uint8Array | string): Uint8Array {
  return typeof body === "string" ? Buffer.from(body, "utf8") : body;
}

function regularFields({ names, values }: HeaderFields): (readonly [string, string])[] {
  return names.map((name, at) => [name, values[at]] as const).filter(([name]) => !name.startsWith(":"));
}

function responseFields(status: number, headers: PlainHeaders): HeaderFields {
  const names = [":status"];
  const values = [String(status)];
  for (const [name, value] of headers) {
    names.push(name);
    values.push(value);
  }
  return { names, values };
}
