// One client of one server, as scripts use it: every call is recorded, and nothing throws because a server refused.

import { type ClientHttp2Session, connect } from "node:http2";
import { Answer } from "./answer.js";
import type { ClientCertificate } from "./certificates.js";
import { envelope, GrpcCall } from "./grpc-call.js";
import { TypedMessage } from "./masks.js";
import { noSlot, recordMetadata, type Slot } from "./recorder.js";
import type { RunContext } from "./run-context.js";
import { MessageStream } from "./stream.js";
import { decodeMessage, type Message, type Method, messageBytes, methodNamed, type Request } from "./wire.js";

/** What a script may add to one call. */
export interface CallOptions {
  /** The name of the exchange, for the paths of divergences; without one, its number and method. */
  readonly as?: string;
  readonly metadata?: Metadata;
  /** The deadline told to the server; the client itself has none. */
  readonly deadlineMs?: number;
  /** The reason why this exchange is not compared. Its assertions then hold for both servers. */
  readonly unobserved?: string;
}

/** Headers by name; they replace the usual ones of the same name. Those undefined are not sent. */
export type Metadata = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A unary call under way. */
export interface PendingCall {
  /** Its end, however it ends. Never rejects because the server refused. */
  readonly answer: Promise<Answer>;
  /** Gives the call up; its answer then has the status `CANCELLED BY THE CLIENT`. */
  cancel(): void;
}

/** What one client is made with. */
export interface ClientOptions {
  /** Sent with every call. */
  readonly metadata?: Metadata;
  /** The common name of its certificate, where the server speaks TLS. */
  readonly certificate?: string;
}

/** One connection, opened when it is first needed and again after it was lost. */
export class Client {
  readonly #run: RunContext;
  readonly #metadata: Metadata;
  readonly #certificate: ClientCertificate | undefined;
  #session: ClientHttp2Session | undefined;

  constructor(run: RunContext, metadata: Metadata = {}, certificate?: ClientCertificate) {
    this.#run = run;
    this.#metadata = metadata;
    this.#certificate = certificate;
    run.onEnd(() => this.disconnect());
  }

  /** Makes a unary call. A request given as bytes is sent as the message it is (or is not). */
  unary(method: string, request: Request | Uint8Array, options: CallOptions = {}): Promise<Answer> {
    return this.start(method, request, options).answer;
  }

  /** Starts a unary call that the script may wait for later, or cancel. */
  start(method: string, request: Request | Uint8Array, options: CallOptions = {}): PendingCall {
    const known = methodNamed(method);
    return this.#begin(method, known, envelope(messageBytes(known, request)), options);
  }

  /**
   * Sends a body as it is, envelope and all, to any path: for what no decent client sends. The messages of the answer
   * are compared as bytes.
   */
  raw(path: string, body: Uint8Array, options: CallOptions = {}): Promise<Answer> {
    return this.#begin(path, undefined, body, options).answer;
  }

  /** Opens a streaming call. A request given here is the only one; without, the script sends its own. */
  stream(method: string, request?: Request | Uint8Array, options: CallOptions = {}): MessageStream {
    const known = methodNamed(method);
    const slot = this.#slot(method, options);
    const call = this.#open(known.path, options);
    const demand = this.#run.demand(options.unobserved !== undefined);
    const overTls = this.#certificate !== undefined;
    const stream = new MessageStream(this.#run, {
      call,
      method: known,
      slot,
      name: options.as ?? method,
      demand,
      overTls,
    });
    if (request !== undefined) {
      stream.send(request);
      stream.halfClose();
    }
    return stream;
  }

  /** Reads a key, or with `range_end` an interval. */
  range(key: string, more: Request = {}, options?: CallOptions): Promise<Answer> {
    return this.unary("etcdserverpb.KV/Range", { key, ...more }, options);
  }

  put(key: string, value: string, more: Request = {}, options?: CallOptions): Promise<Answer> {
    return this.unary("etcdserverpb.KV/Put", { key, value, ...more }, options);
  }

  deleteRange(key: string, more: Request = {}, options?: CallOptions): Promise<Answer> {
    return this.unary("etcdserverpb.KV/DeleteRange", { key, ...more }, options);
  }

  txn(request: Request, options?: CallOptions): Promise<Answer> {
    return this.unary("etcdserverpb.KV/Txn", request, options);
  }

  compact(revision: number, more: Request = {}, options?: CallOptions): Promise<Answer> {
    return this.unary("etcdserverpb.KV/Compact", { revision, ...more }, options);
  }

  /** Grants a lease; scripts choose its id unless the server's choice is the point. */
  grant(ttlSeconds: number, id: number, options?: CallOptions): Promise<Answer> {
    return this.unary("etcdserverpb.Lease/LeaseGrant", { TTL: ttlSeconds, ID: id }, options);
  }

  /** Opens a watch stream with one watcher, and waits until it is created. */
  async watch(create: Request, options?: CallOptions): Promise<MessageStream> {
    const stream = this.stream("etcdserverpb.Watch/Watch", undefined, options);
    stream.send({ create_request: create });
    await stream.next();
    return stream;
  }

  /** Breaks the connection off without a farewell. The next call opens another. */
  disconnect(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #begin(what: string, method: Method | undefined, body: Uint8Array, options: CallOptions): PendingCall {
    const slot = this.#slot(method === undefined ? what : what.slice(what.indexOf(".") + 1), options);
    const call = this.#open(method?.path ?? what, options);
    call.write(body);
    call.halfClose();
    const answer = this.#run.waitFor(options.as ?? what, this.#finish(call, method, slot, options));
    return { answer, cancel: () => call.cancel() };
  }

  /** Reads a unary call to its end and records it. */
  async #finish(call: GrpcCall, method: Method | undefined, slot: Slot, options: CallOptions): Promise<Answer> {
    const messages: Buffer[] = [];
    for (let next = await call.next(); next !== undefined; next = await call.next()) {
      messages.push(next);
    }
    const [headers, ending] = await Promise.all([call.headers, call.ending]);
    const { status, message: details } = ending;
    slot.set("status", status);
    slot.set("message", details);
    recordMetadata(slot, headers, ending, this.#certificate !== undefined);
    const first = messages[0];
    let decoded: Message | undefined;
    if (method === undefined || messages.length > 1) {
      slot.set(
        "bytes",
        messages.map((bytes) => bytes.toString("hex")),
      );
    } else if (first !== undefined) {
      decoded = decodeMessage(method.response, first);
      slot.set("response", new TypedMessage(method.response, decoded));
    }
    return new Answer(status, details, decoded, this.#run.demand(options.unobserved !== undefined));
  }

  #slot(what: string, { as, unobserved }: CallOptions): Slot {
    return unobserved === undefined ? this.#run.recorder.slot(what, as) : noSlot;
  }

  #open(path: string, { metadata, deadlineMs }: CallOptions): GrpcCall {
    const timeout: Metadata = deadlineMs === undefined ? {} : { "grpc-timeout": `${deadlineMs}m` };
    return new GrpcCall(this.#connected(), {
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...timeout,
      ...this.#metadata,
      ...metadata,
    });
  }

  #connected(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      const scheme = this.#certificate === undefined ? "http" : "https";
      this.#session = connect(`${scheme}://${this.#run.endpoint}`, { ...this.#certificate });
      // Every call on the connection tells of its loss.
      this.#session.on("error", () => undefined);
    }
    return this.#session;
  }
}
