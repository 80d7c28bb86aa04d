/**
 * A gRPC client over one connection, for the SDK, the conformance suites and our own tests. It keeps within the
 * server's stream limit and says which calls were certainly never processed; connecting again and repeating calls are
 * left to its user.
 */
import { connect, type Socket } from "node:net";
import type { TransportCounters } from "../counters.js";
import { type Clock, systemClock } from "../environment.js";
import type { HeaderFields } from "../hpack/index.js";
import { ClientConnection } from "../http2/client-connection.js";
import { TransportContext } from "../http2/context.js";
import type { TransportSocket } from "../http2/socket-writer.js";
import { defaultLimits, type TransportLimits } from "../limits.js";
import { Sweeper } from "../sweeper.js";
import type { CallEnd, CallListener } from "./client-call.js";
import { DeadlineWheel } from "./deadline-wheel.js";
import { encodeMetadataValue, HeaderMetadata } from "./metadata.js";
import { type ClientCall, OpenCall } from "./open-call.js";
import { CONTENT_TYPE, INTERNAL, OK, UNAVAILABLE } from "./status.js";
import { formatTimeout } from "./timeout.js";
import type { Metadata, Status } from "./types.js";

/** Where the server is: an address to connect to, or a socket (plain or TLS) that is connected or connecting. */
export type ClientTarget =
  | { readonly host: string; readonly port: number }
  | { readonly socket: TransportSocket; readonly authority?: string };

export interface GrpcClientOptions {
  /** Replaces single defaults of `limits.ts`. */
  readonly limits?: Partial<TransportLimits>;
  readonly clock?: Clock;
  /** `https` if the socket is encrypted. */
  readonly scheme?: "http" | "https";
}

export interface CallOptions {
  /** Names must be lower case; values of names that end in `-bin` are raw bytes in latin1. */
  readonly metadata?: Iterable<readonly [name: string, value: string]>;
  /** Milliseconds from now after which the call ends with DEADLINE_EXCEEDED, here and at the server. */
  readonly deadlineMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

export interface UnaryResult extends CallEnd {
  /** The response. Always there if the status is OK. */
  readonly message: Uint8Array | undefined;
  readonly headers: Metadata;
}

const NO_FIELDS: HeaderFields = { names: [], values: [] };
const CONNECTION_CLOSED: Status = { code: UNAVAILABLE, message: "connection closed" };

/** So long that a turn never ends. */
const NO_TURNS_MS = 2 ** 30;

export class GrpcClient {
  readonly #context: TransportContext;
  readonly #connections: Sweeper<ClientConnection>;
  readonly #connection: ClientConnection;
  readonly #deadlines: DeadlineWheel;
  readonly #authority: string;
  readonly #scheme: string;
  /** Calls that wait for room on the connection, oldest first. */
  readonly #waiting = new Set<OpenCall>();
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;

  /** Speaks HTTP/2 on `socket` from now on. */
  constructor(socket: TransportSocket, authority: string, options: GrpcClientOptions = {}) {
    const clock = options.clock ?? systemClock;
    // There are no other connections that would wait for their turn.
    const limits = { ...defaultLimits, turnMs: NO_TURNS_MS, ...options.limits };
    this.#context = new TransportContext(clock, limits, () => {});
    this.#connections = new Sweeper(clock, limits.sweepIntervalMs);
    this.#deadlines = new DeadlineWheel(clock);
    this.#authority = authority;
    this.#scheme = options.scheme ?? "http";
    const gone = deferred();
    this.closed = gone.promise;
    const onRoom = (): void => this.#startWaiting();
    this.#connection = new ClientConnection(this.#context, socket, onRoom, () => this.#lost(gone.resolve));
    this.#connections.add(this.#connection);
    this.#connection.start();
  }

  /** Connects to an address, or takes a socket over. Rejects with the socket's error if there is no connection. */
  static async connect(target: ClientTarget, options: GrpcClientOptions = {}): Promise<GrpcClient> {
    if ("socket" in target) return new GrpcClient(target.socket, target.authority ?? "localhost", options);
    const socket = await connected(connect(target.port, target.host));
    return new GrpcClient(socket, `${target.host}:${target.port}`, options);
  }

  /** Live counters, by name. */
  get counters(): Readonly<TransportCounters> {
    return this.#context.counters;
  }

  /** False once no new call can be made. */
  get usable(): boolean {
    return this.#connection.usable;
  }

  /** Streams open now. */
  get streamCount(): number {
    return this.#context.streamsOpen;
  }

  /** Makes a call with one request and one response. Always resolves; how the call ended is in `status`. */
  unary(path: string, request: Uint8Array, options: CallOptions = {}): Promise<UnaryResult> {
    return new Promise((resolve) => {
      const listener = new UnaryListener(resolve);
      this.#make(path, options, listener).sendLast(request);
    });
  }

  /** Opens a call with any number of messages either way. `listener` hears how it goes on. */
  open(path: string, listener: CallListener, options: CallOptions = {}): ClientCall {
    return this.#make(path, options, listener);
  }

  /** Takes no new calls; the connection is closed when the open ones have ended. */
  close(): void {
    for (const call of this.#waiting) call.giveUp(CONNECTION_CLOSED);
    this.#connection.closeWhenIdle();
  }

  /** Cuts the connection; open calls end with UNAVAILABLE. */
  destroy(): void {
    this.#connection.destroy();
  }

  #make(path: string, options: CallOptions, listener: CallListener): OpenCall {
    const call = new OpenCall(this.#connection, this.#requestFields(path, options), listener, this.#deadlines);
    if (options.deadlineMs !== undefined) call.limit(this.#context.clock.nowMs() + options.deadlineMs);
    const { signal } = options;
    const onAbort = (): void => call.cancel();
    signal?.addEventListener("abort", onAbort);
    call.onEnded(() => {
      this.#waiting.delete(call);
      signal?.removeEventListener("abort", onAbort);
    });
    this.#waiting.add(call);
    if (!this.#connection.usable) queueMicrotask(() => call.giveUp(CONNECTION_CLOSED));
    else if (signal?.aborted === true) queueMicrotask(onAbort);
    else this.#startWaiting();
    return call;
  }

  #startWaiting(): void {
    if (!this.#connection.usable && this.#connection.peerSaidGoodbye) this.#giveUpWaiting();
    for (const call of this.#waiting) {
      if (!this.#connection.hasRoom) return;
      this.#waiting.delete(call);
      call.start();
    }
  }

  #giveUpWaiting(): void {
    for (const call of this.#waiting) call.giveUp(CONNECTION_CLOSED);
  }

  #lost(resolve: () => void): void {
    this.#connections.delete(this.#connection);
    this.#giveUpWaiting();
    resolve();
  }

  #requestFields(path: string, options: CallOptions): HeaderFields {
    const names = [":method", ":scheme", ":path", ":authority", "te", "content-type"];
    const values = ["POST", this.#scheme, path, this.#authority, "trailers", CONTENT_TYPE];
    if (options.deadlineMs !== undefined) {
      names.push("grpc-timeout");
      values.push(formatTimeout(options.deadlineMs));
    }
    for (const [name, value] of options.metadata ?? []) {
      names.push(name);
      values.push(encodeMetadataValue(name, value));
    }
    return { names, values };
  }
}

/** Collects the response of a unary call. */
class UnaryListener implements CallListener {
  readonly #resolve: (result: UnaryResult) => void;
  #headers: Metadata = new HeaderMetadata(NO_FIELDS);
  #message: Uint8Array | undefined = undefined;
  #messages = 0;

  constructor(resolve: (result: UnaryResult) => void) {
    this.#resolve = resolve;
  }

  headers(headers: Metadata): void {
    this.#headers = headers;
  }

  message(bytes: Uint8Array): void {
    this.#messages++;
    this.#message ??= Uint8Array.prototype.slice.call(bytes);
  }

  end(end: CallEnd): void {
    this.#resolve({ ...end, status: this.#statusOf(end.status), message: this.#message, headers: this.#headers });
  }

  #statusOf(status: Status): Status {
    if (status.code !== OK || this.#messages === 1) return status;
    return { code: INTERNAL, message: `cardinality violation: ${this.#messages} messages for a unary call` };
  }
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
