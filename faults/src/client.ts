/**
 * One connection to a server under test, with typed calls that tell how they ended instead of throwing. Deliberately without
 * the comforts of the client package: nothing is repeated, nothing reconnects.
 */
import { connect, type Socket } from "node:net";
import {
  createWatchCreateRequest,
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  leaseService,
  type MethodDescriptor,
  StatusCode,
  type WatchCreateRequest,
  type WatchRequest,
  type WatchResponse,
  watchService,
} from "@holdfast/protocol";
import { type CallListener, type ClientCall, GrpcClient, type Status } from "@holdfast/transport";

type Unary<Request, Response> = MethodDescriptor<Request, Response, "unary">;
type Bidi<Request, Response> = MethodDescriptor<Request, Response, "bidi">;

/** A connection takes that long at most. */
const connectMsMax = 5_000;
/** A call without a deadline of its own gets this one. */
const callMsMax = 20_000;

/** How a call ended. `response` is there exactly if the code is 0. */
export interface Answer<Response> {
  readonly code: number;
  readonly message: string;
  readonly response: Response | undefined;
  /** The server has certainly not begun it. */
  readonly neverProcessed: boolean;
}

/** A call that had to succeed did not. */
export class CallError extends Error {
  readonly code: number;

  constructor(path: string, { code, message }: Pick<Answer<unknown>, "code" | "message">) {
    super(`${path} ended with ${code} ${message}`);
    this.code = code;
  }
}

export interface ClientOptions {
  /** The address to connect from. */
  readonly localAddress?: string;
  readonly connectMs?: number;
  /** What every call says of who makes it. */
  readonly token?: string;
}

/** An open streaming call. */
export interface Stream<Request> {
  send(fields: Partial<Request>): void;
  /** Stops widening the server's window: the far end of a slow reader. */
  pauseReading(): void;
  resumeReading(): void;
  cancel(): void;
  /** Resolves with how the call ended. */
  readonly ended: Promise<Status>;
}

export class Client {
  readonly socket: Socket;
  readonly #grpc: GrpcClient;
  readonly #metadata: readonly (readonly [string, string])[];

  private constructor(socket: Socket, authority: string, token: string | undefined) {
    this.socket = socket;
    this.#metadata = token === undefined ? [] : [["token", token]];
    this.#grpc = new GrpcClient(socket, authority);
  }

  /** Connects to `host:port`. @throws the socket's error. */
  static connect(endpoint: string, options: ClientOptions = {}): Promise<Client> {
    const at = endpoint.lastIndexOf(":");
    const { localAddress } = options;
    const local = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ host: endpoint.slice(0, at), port: Number(endpoint.slice(at + 1)), ...local });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => socket.destroy(new Error(`no connection to ${endpoint} in time`)),
        options.connectMs ?? connectMsMax,
      );
      socket.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once("connect", () => {
        clearTimeout(timer);
        // From here on the transport listens for errors.
        resolve(new Client(socket, endpoint, options.token));
      });
    });
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#grpc.closed;
  }

  get usable(): boolean {
    return this.#grpc.usable;
  }

  /** Makes a call; always resolves. */
  async call<Request, Response>(
    { path, request, response }: Unary<Request, Response>,
    fields: Partial<Request> = {},
    deadlineMs: number = callMsMax,
  ): Promise<Answer<Response>> {
    const result = await this.#grpc.unary(path, request.encode(request.create(fields)), {
      deadlineMs,
      metadata: this.#metadata,
    });
    const { code, message } = result.status;
    const decoded =
      code === StatusCode.ok && result.message !== undefined ? response.decode(result.message) : undefined;
    return { code, message, response: decoded, neverProcessed: result.neverProcessed };
  }

  /** Makes a call that must succeed. @throws CallError */
  async must<Request, Response>(
    method: Unary<Request, Response>,
    fields: Partial<Request> = {},
    deadlineMs?: number,
  ): Promise<Response> {
    const answer = await this.call(method, fields, deadlineMs);
    if (answer.response === undefined) throw new CallError(method.path, answer);
    return answer.response;
  }

  /** Opens a streaming call. */
  open<Request, Response>(
    { path, request, response }: Bidi<Request, Response>,
    onMessage: (message: Response) => void,
  ): Stream<Request> {
    let call: ClientCall | undefined;
    const ended = new Promise<Status>((resolve) => {
      const listener: CallListener = {
        message: (bytes) => onMessage(response.decode(bytes)),
        end: ({ status }) => resolve(status),
      };
      call = this.#grpc.open(path, listener, { metadata: this.#metadata });
    });
    return {
      send: (fields) => call?.send(request.encode(request.create(fields))),
      pauseReading: () => call?.pause(),
      resumeReading: () => call?.resume(),
      cancel: () => call?.cancel(),
      ended,
    };
  }

  /** Opens a stream with one watch on it. */
  watch(fields: Partial<WatchCreateRequest>, onResponse: (response: WatchResponse) => void): Stream<WatchRequest> {
    const stream = this.open(watchService.methods.watch, onResponse);
    stream.send({ createRequest: createWatchCreateRequest(fields) });
    return stream;
  }

  /** Opens a stream of keepalives; its messages are sent by `send({ id })`. */
  keepAlives(onResponse: (response: LeaseKeepAliveResponse) => void): Stream<LeaseKeepAliveRequest> {
    return this.open(leaseService.methods.leaseKeepAlive, onResponse);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#grpc.destroy();
  }
}
