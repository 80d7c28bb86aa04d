/** A connection with typed calls: finds an endpoint that answers, logs in, and does both again when that is lost. */
import { performance } from "node:perf_hooks";
import type { ConnectionOptions as TlsSettings } from "node:tls";
import { type MethodDescriptor, StatusCode } from "@holdfast/protocol";
import type { GrpcClient, CallOptions as TransportCallOptions, UnaryResult } from "@holdfast/transport";
import { dial, readTls } from "./dial.js";
import { type Duplex, DuplexCall } from "./duplex.js";
import { type Endpoint, parseEndpoint } from "./endpoint.js";
import { ClientOptionError, ConnectError, EtcdError } from "./errors.js";
import { type ClientLimits, defaultClientLimits } from "./limits.js";
import { Login } from "./login.js";
import type { CallOptions, ConnectOptions } from "./options.js";

type Unary<Request, Response> = MethodDescriptor<Request, Response, "unary">;
type ServerStream<Request, Response> = MethodDescriptor<Request, Response, "serverStream">;
type Bidi<Request, Response> = MethodDescriptor<Request, Response, "bidi">;

/**
 * Connects, and logs in if there are credentials. Throws `ClientOptionError` for what cannot be used, `ConnectError` if no
 * endpoint answers, `EtcdError` if the login is refused.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const texts = typeof options.endpoints === "string" ? options.endpoints.split(",") : options.endpoints;
  if (texts.length === 0) throw new ClientOptionError("no endpoint to connect to");
  const endpoints = texts.map((text) => parseEndpoint(text.trim()));
  const limits = { ...defaultClientLimits, ...options.limits };
  const login = options.credentials === undefined ? undefined : new Login(options.credentials);
  const connection = new Connection(endpoints, readTls(options.tls), login, limits);
  try {
    await connection.ready();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** What can be read off a call's end. */
interface Ended {
  readonly status: UnaryResult["status"];
  readonly neverProcessed: boolean;
}

/** Made by `connect`. */
export class Connection {
  readonly #endpoints: readonly Endpoint[];
  readonly #tls: TlsSettings | undefined;
  readonly #login: Login | undefined;
  readonly #limits: ClientLimits;
  #client: GrpcClient | undefined;
  #endpoint: Endpoint | undefined;
  #dialing: Promise<GrpcClient> | undefined;
  #closed = false;

  constructor(
    endpoints: readonly Endpoint[],
    tls: TlsSettings | undefined,
    login: Login | undefined,
    limits: ClientLimits,
  ) {
    this.#endpoints = endpoints;
    this.#tls = tls;
    this.#login = login;
    this.#limits = limits;
  }

  /** The endpoint in use, as it was given; undefined before there is one. */
  get endpoint(): string | undefined {
    return this.#endpoint?.text;
  }

  /** Resolves once calls can be made. Throws as `connect` does. */
  async ready(): Promise<void> {
    const client = await this.#usable();
    await this.#login?.ensure(client);
  }

  /**
   * Makes a unary call. It is repeated only if the server certainly never looked at it, or turned it away for a login that
   * has run out (AUTH-12, CLI-4). Throws `EtcdError`, and `ConnectError` if the connection is lost and cannot be had again.
   */
  async call<Request, Response>(
    method: Unary<Request, Response>,
    fields: Partial<Request> = {},
    options: CallOptions = {},
  ): Promise<Response> {
    const { path, request, response } = method;
    const bytes = request.encode(request.create(fields));
    const endMs = options.deadlineMs === undefined ? undefined : performance.now() + options.deadlineMs;
    const retries = new Retries(this.#limits.unseenRetriesMax, this.#login !== undefined);
    for (;;) {
      const client = await this.#usable();
      const token = this.#login?.ensure(client);
      const result = await client.unary(path, bytes, transportOptions(await token, options, endMs));
      if (result.status.code === StatusCode.ok && result.message !== undefined) return response.decode(result.message);
      if (!retries.again(result)) throw new EtcdError(result.status.code, result.status.message, path);
      if (isLoginLost(result)) await this.#login?.renew(client, token);
    }
  }

  /** Makes a call with one request and a stream of answers. Throws as `call` does, and repeats likewise before the first. */
  async *stream<Request, Response>(
    method: ServerStream<Request, Response>,
    fields: Partial<Request> = {},
    options: CallOptions = {},
  ): AsyncGenerator<Response, void, undefined> {
    const endMs = options.deadlineMs === undefined ? undefined : performance.now() + options.deadlineMs;
    const retries = new Retries(0, this.#login !== undefined);
    for (;;) {
      const client = await this.#usable();
      const token = this.#login?.ensure(client);
      const call = this.#open(client, method, transportOptions(await token, options, endMs));
      call.send(fields);
      call.halfClose();
      const status = await call.firstSign();
      const ended = status === undefined ? undefined : { status, neverProcessed: false };
      if (ended === undefined || !isLoginLost(ended) || !retries.again(ended)) {
        yield* call;
        return;
      }
      await this.#login?.renew(client, token);
    }
  }

  /** Opens a call with a stream either way. It is never repeated. Throws `ConnectError`. */
  async open<Request, Response>(
    method: Bidi<Request, Response>,
    options: CallOptions = {},
  ): Promise<Duplex<Request, Response>> {
    const endMs = options.deadlineMs === undefined ? undefined : performance.now() + options.deadlineMs;
    const client = await this.#usable();
    return this.#open(client, method, transportOptions(await this.#login?.ensure(client), options, endMs));
  }

  /** Lets open calls end and takes no new ones. */
  close(): void {
    this.#closed = true;
    this.#client?.close();
  }

  #open<Request, Response>(
    client: GrpcClient,
    { path, request, response }: ServerStream<Request, Response> | Bidi<Request, Response>,
    options: TransportCallOptions,
  ): DuplexCall<Request, Response> {
    const call = new DuplexCall(path, request, response, this.#limits.streamWaitingBytes);
    call.begin(client.open(path, call, options));
    return call;
  }

  async #usable(): Promise<GrpcClient> {
    if (this.#client?.usable === true) return this.#client;
    if (this.#closed) throw new ConnectError(["anything: the connection was closed here"]);
    this.#dialing ??= this.#dial().finally(() => {
      this.#dialing = undefined;
    });
    return this.#dialing;
  }

  async #dial(): Promise<GrpcClient> {
    const reasons: string[] = [];
    for (const endpoint of this.#endpoints) {
      try {
        this.#client = await dial(endpoint, this.#tls, this.#limits);
        this.#endpoint = endpoint;
        if (this.#closed) this.#client.close();
        return this.#client;
      } catch (error) {
        reasons.push(`${endpoint.text}: ${reasonOf(error)}`);
      }
    }
    throw new ConnectError(reasons);
  }
}

/** `endMs` is a time of the monotonic clock. */
function transportOptions(
  token: string | undefined,
  { signal }: CallOptions,
  endMs: number | undefined,
): TransportCallOptions {
  return {
    ...(token === undefined ? {} : { metadata: [["token", token]] }),
    ...(endMs === undefined ? {} : { deadlineMs: Math.max(1, Math.ceil(endMs - performance.now())) }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** How often one call may still be repeated. */
class Retries {
  #unseenLeft: number;
  #loginsLeft: number;

  constructor(unseen: number, canLogIn: boolean) {
    this.#unseenLeft = unseen;
    this.#loginsLeft = canLogIn ? 1 : 0;
  }

  /** Whether to repeat a call that ended so. */
  again(ended: Ended): boolean {
    if (isLoginLost(ended)) return this.#loginsLeft-- > 0;
    return ended.neverProcessed && ended.status.code === StatusCode.unavailable && this.#unseenLeft-- > 0;
  }
}

function isLoginLost({ status }: Ended): boolean {
  return Login.isLost(status.message);
}

/** The system's errors for a host with several addresses are several in one, whose own message is empty. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
