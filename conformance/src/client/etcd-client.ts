// A small etcd client on @grpc/grpc-js: every RPC by name, and short forms of those that nearly every test uses.
//
// It does nothing clever: no retry, no resumption, no caching. What the server answers is what a test sees.

import {
  type CallOptions,
  Client,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type * as m from "./messages.js";
import {
  methodDefinition,
  type StreamMethod,
  type StreamMethods,
  type UnaryMethod,
  type UnaryMethods,
} from "./methods.js";
import { MessageStream } from "./stream.js";

/** Grpc-js refuses answers above 4 MiB unless told otherwise; etcd's own clients take up to 2 GiB. */
const receiveBytesMax = 2 ** 31 - 1;

/** What a test may add to one call. */
export interface CallExtras extends CallOptions {
  readonly metadata?: Metadata;
}

/** A unary call that a test can cancel. */
export interface PendingCall<Response> {
  readonly response: Promise<Response>;
  cancel(): void;
  /** False until the call has ended, well or badly. */
  readonly settled: boolean;
}

/** One connection to one endpoint. */
export class EtcdClient {
  readonly #client: Client;

  constructor(endpoint: string) {
    // A pool of its own keeps this client's connection apart from those of other clients in the same process.
    this.#client = new Client(endpoint, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": receiveBytesMax,
      "grpc.max_send_message_length": -1,
    });
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#client.close();
  }

  /** Starts a unary call. */
  start<M extends UnaryMethod>(
    method: M,
    request: UnaryMethods[M][0],
    extras: CallExtras = {},
  ): PendingCall<UnaryMethods[M][1]> {
    return startUnary<UnaryMethods[M][0], UnaryMethods[M][1]>(this.#client, method, request, extras);
  }

  /** Makes a unary call; rejects with a grpc-js `ServiceError`. */
  call<M extends UnaryMethod>(
    method: M,
    request: UnaryMethods[M][0],
    extras: CallExtras = {},
  ): Promise<UnaryMethods[M][1]> {
    return this.start(method, request, extras).response;
  }

  /** Opens a call whose request and response are both streams. */
  duplex<M extends StreamMethod>(
    method: M,
    extras: CallExtras = {},
  ): MessageStream<StreamMethods[M][0], StreamMethods[M][1]> {
    const { metadata = new Metadata(), ...options } = extras;
    const definition = methodDefinition<StreamMethods[M][0], StreamMethods[M][1]>(method);
    return new MessageStream(
      this.#client.makeBidiStreamRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        metadata,
        options,
      ),
    );
  }

  /** Opens a call that answers one request with a stream. */
  serverStream<M extends StreamMethod>(
    method: M,
    request: StreamMethods[M][0],
    extras: CallExtras = {},
  ): MessageStream<StreamMethods[M][0], StreamMethods[M][1]> {
    const { metadata = new Metadata(), ...options } = extras;
    const definition = methodDefinition<StreamMethods[M][0], StreamMethods[M][1]>(method);
    return new MessageStream(
      this.#client.makeServerStreamRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        metadata,
        options,
      ),
    );
  }

  put(key: string, value: string, more: Omit<m.PutRequest, "key" | "value"> = {}): Promise<m.PutResponse> {
    return this.call("etcdserverpb.KV/Put", { key: bytes(key), value: bytes(value), ...more });
  }

  /** The key-value now, or undefined. */
  async get(key: string | Buffer): Promise<m.KeyValue | undefined> {
    const { kvs } = await this.call("etcdserverpb.KV/Range", { key: bytes(key) });
    return kvs[0];
  }

  range(key: string, more: Omit<m.RangeRequest, "key"> = {}): Promise<m.RangeResponse> {
    return this.call("etcdserverpb.KV/Range", { key: bytes(key), ...more });
  }

  /** Every key under the prefix. */
  prefix(prefix: string, more: Omit<m.RangeRequest, "key" | "range_end"> = {}): Promise<m.RangeResponse> {
    return this.call("etcdserverpb.KV/Range", { key: bytes(prefix), range_end: prefixEnd(prefix), ...more });
  }

  delete(key: string | Buffer): Promise<m.DeleteRangeResponse> {
    return this.call("etcdserverpb.KV/DeleteRange", { key: bytes(key) });
  }

  txn(request: m.TxnRequest): Promise<m.TxnResponse> {
    return this.call("etcdserverpb.KV/Txn", request);
  }

  /** Grants a lease and returns its id. */
  async grant(ttlSeconds: m.Int64Input, id: m.Int64Input = 0): Promise<m.Int64> {
    return (await this.call("etcdserverpb.Lease/LeaseGrant", { TTL: ttlSeconds, ID: id })).ID;
  }

  revoke(lease: m.Int64): Promise<m.Headed> {
    return this.call("etcdserverpb.Lease/LeaseRevoke", { ID: lease });
  }

  timeToLive(lease: m.Int64Input, keys = false): Promise<m.LeaseTimeToLiveResponse> {
    return this.call("etcdserverpb.Lease/LeaseTimeToLive", { ID: lease, keys });
  }

  /** Starts taking part in a lock; the answer comes when it is held. */
  lock(name: string, lease: m.Int64Input, extras: CallExtras = {}): PendingCall<m.LockResponse> {
    return this.start("v3lockpb.Lock/Lock", { name: bytes(name), lease }, extras);
  }

  unlock(key: Buffer): Promise<m.Headed> {
    return this.call("v3lockpb.Lock/Unlock", { key });
  }

  /** Starts taking part in an election; the answer comes when it is won. */
  campaign(name: string, lease: m.Int64Input, value: string, extras: CallExtras = {}): PendingCall<m.CampaignResponse> {
    return this.start("v3electionpb.Election/Campaign", { name: bytes(name), lease, value: bytes(value) }, extras);
  }

  /** Opens a watch stream without any watcher. */
  watchStream(extras: CallExtras = {}): MessageStream<m.WatchRequest, m.WatchResponse> {
    return this.duplex("etcdserverpb.Watch/Watch", extras);
  }

  /** The store's present revision. */
  async revision(): Promise<number> {
    return revisionOf(await this.range("\0"));
  }
}

/** Text as UTF-8; bytes as they are. */
export function bytes(value: string | Buffer): Buffer {
  return typeof value === "string" ? Buffer.from(value) : value;
}

/** The end of the interval that holds every key with this ASCII prefix. */
export function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

/** `header.revision` as a number; the suites' stores stay far below 2^53. */
export function revisionOf(response: m.Headed): number {
  return Number(response.header?.revision ?? 0);
}

function startUnary<Request, Response>(
  client: Client,
  method: UnaryMethod,
  request: Request,
  { metadata = new Metadata(), ...options }: CallExtras,
): PendingCall<Response> {
  const definition = methodDefinition<Request, Response>(method);
  let call: ClientUnaryCall | undefined;
  let settled = false;
  const response = new Promise<Response>((resolve, reject) => {
    const onEnd = (error: ServiceError | null, value?: Response): void => {
      settled = true;
      if (error === null && value !== undefined) {
        resolve(value);
      } else {
        reject(error ?? new Error(`${method} ended without a message`));
      }
    };
    const { path, requestSerialize, responseDeserialize } = definition;
    call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, onEnd);
  });
  // A test may look at the outcome late, or never.
  response.catch(() => undefined);
  return {
    response,
    cancel: () => call?.cancel(),
    get settled() {
      return settled;
    },
  };
}
