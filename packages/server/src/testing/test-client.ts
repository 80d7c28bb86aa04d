/** Our own gRPC client with typed calls, and short ways to ask for what most tests need. */
import {
  type ByteString,
  createPutRequest,
  createRequestOp,
  createWatchCreateRequest,
  type KeyValue,
  kvService,
  leaseService,
  lockService,
  type MethodDescriptor,
  type PutResponse,
  type RangeRequest,
  type RangeResponse,
  type RequestOp,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
  watchService,
} from "@holdfast/protocol";
import { type CallOptions, GrpcClient, type TransportSocket } from "@holdfast/transport";
import { StatusError } from "./status-error.js";
import { TestStream } from "./test-stream.js";

type Unary<Request, Response> = MethodDescriptor<Request, Response, "unary">;
type ServerStream<Request, Response> = MethodDescriptor<Request, Response, "serverStream">;
type Bidi<Request, Response> = MethodDescriptor<Request, Response, "bidi">;

/** etcd's clients take answers of any size (CLI-12). */
const clientLimits = { messageBytesMax: 64 * 1024 * 1024, unsentBytesPerConnectionMax: 64 * 1024 * 1024 };

export class TestClient {
  readonly grpc: GrpcClient;
  /** What every call of this client says of itself, unless it says something else. */
  readonly #defaults: CallOptions;

  constructor(grpc: GrpcClient, defaults: CallOptions = {}) {
    this.grpc = grpc;
    this.#defaults = defaults;
  }

  /** A client on the same connection that sends this metadata. */
  sending(...metadata: (readonly [string, string])[]): TestClient {
    return new TestClient(this.grpc, { metadata });
  }

  /** A client on the same connection that calls with this token. */
  withToken(token: string): TestClient {
    return this.sending(["token", token]);
  }

  static async connect(port: number): Promise<TestClient> {
    return new TestClient(await GrpcClient.connect({ host: "127.0.0.1", port }, { limits: clientLimits }));
  }

  /** A client on a socket that is connected. */
  static on(socket: TransportSocket): TestClient {
    return new TestClient(new GrpcClient(socket, "localhost", { limits: clientLimits }));
  }

  /** Makes a unary call. Rejects with `StatusError`. */
  async call<Request, Response>(
    method: Unary<Request, Response>,
    fields: Partial<Request> = {},
    options: CallOptions = {},
  ): Promise<Response> {
    const { request, response, path } = method;
    const bytes = await this.unary(path, request.encode(request.create(fields)), options);
    return response.decode(bytes);
  }

  /** A unary call of bytes. Rejects with `StatusError`. */
  async unary(path: string, request: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const { status, message } = await this.grpc.unary(path, request, { ...this.#defaults, ...options });
    if (status.code !== 0 || message === undefined) throw new StatusError(status);
    return message;
  }

  /** Opens a bidirectional call. */
  open<Request, Response>(method: Bidi<Request, Response>, options: CallOptions = {}): TestStream<Request, Response> {
    const stream = new TestStream(method.request, method.response);
    stream.call = this.grpc.open(method.path, stream, { ...this.#defaults, ...options });
    return stream;
  }

  /** Makes a server-streaming call. */
  stream<Request, Response>(
    method: ServerStream<Request, Response>,
    fields: Partial<Request> = {},
    options: CallOptions = {},
  ): TestStream<Request, Response> {
    const stream = new TestStream(method.request, method.response);
    stream.call = this.grpc.open(method.path, stream, { ...this.#defaults, ...options });
    stream.send(fields);
    stream.call.halfClose();
    return stream;
  }

  put(key: string, value = "", lease = 0n): Promise<PutResponse> {
    return this.call(kvService.methods.put, { key: byteString(key), value: bytes(value), lease });
  }

  range(key: string, fields: Partial<RangeRequest> = {}): Promise<RangeResponse> {
    return this.call(kvService.methods.range, { key: byteString(key), ...fields });
  }

  /** The key's pair now, or undefined if there is none. */
  async get(key: string): Promise<KeyValue | undefined> {
    return (await this.range(key)).kvs[0];
  }

  /** All keys that begin with `prefix`, in key order. */
  async keys(prefix: string): Promise<string[]> {
    const last = prefix.length - 1;
    const rangeEnd = prefix === "" ? "\0" : prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
    const response = await this.range(prefix === "" ? "\0" : prefix, { rangeEnd: byteString(rangeEnd) });
    return response.kvs.map((kv) => kv.key);
  }

  /** Deletes a key, or with `rangeEnd` an interval; how many keys that were. */
  async delete(key: string, rangeEnd = ""): Promise<number> {
    const fields = { key: byteString(key), rangeEnd: byteString(rangeEnd) };
    return (await this.call(kvService.methods.deleteRange, fields)).deleted;
  }

  /** The store's revision now. */
  async revision(): Promise<number> {
    return (await this.range("no such key")).header?.revision ?? 0;
  }

  async compact(revision: number): Promise<void> {
    await this.call(kvService.methods.compact, { revision });
  }

  async grant(id: bigint, ttl = 600): Promise<void> {
    await this.call(leaseService.methods.leaseGrant, { id, ttl });
  }

  async revoke(id: bigint): Promise<void> {
    await this.call(leaseService.methods.leaseRevoke, { id });
  }

  /** Locks and answers the key. */
  async lock(name: string, lease: bigint, options: CallOptions = {}): Promise<string> {
    return (await this.call(lockService.methods.lock, { name: byteString(name), lease }, options)).key;
  }

  async unlock(key: string): Promise<void> {
    await this.call(lockService.methods.unlock, { key: byteString(key) });
  }

  /** A watch stream with one watcher on it, whose `created` response has been taken. */
  async watch(fields: Partial<WatchCreateRequest>): Promise<TestStream<WatchRequest, WatchResponse>> {
    const stream = this.open(watchService.methods.watch);
    stream.send({ createRequest: createWatchCreateRequest(fields) });
    await stream.next();
    return stream;
  }
}

/** A key as the protocol has it. */
export function byteString(text: string): ByteString {
  return text as ByteString;
}

export function bytes(value: string): Uint8Array {
  return Uint8Array.from(Buffer.from(value));
}

export function text(value: Uint8Array): string {
  return Buffer.from(value).toString();
}

/** "key=value create/mod/version", for one-line comparisons. */
export function show(kv: KeyValue): string {
  return `${kv.key}=${text(kv.value)} ${kv.createRevision}/${kv.modRevision}/${kv.version}`;
}

/** Every event of a watch response as "key=value@revision" or "-key@revision". */
export function showEvents(response: WatchResponse): string[] {
  return response.events.map(({ type, kv }) =>
    type === 1
      ? `-${kv?.key}@${kv?.modRevision}`
      : `${kv?.key}=${text(kv?.value ?? new Uint8Array())}@${kv?.modRevision}`,
  );
}

export function putOp(key: string, value = "", lease = 0n): RequestOp {
  return createRequestOp({ requestPut: createPutRequest({ key: byteString(key), value: bytes(value), lease }) });
}
