/** The gRPC side of one connection at the server: each well-formed request becomes a call, a plain request or a refusal. */
import type { RequestHeaders } from "../http2/header-rules.js";
import type { RequestListener, ServerConnection } from "../http2/server-connection.js";
import type { Http2Stream } from "../http2/stream.js";
import type { DeadlineWheel } from "./deadline-wheel.js";
import { type PlainRequestHandler, PlainStream } from "./plain-request.js";
import { ReplyWriter } from "./reply-writer.js";
import { RequestHead, readHead } from "./request-head.js";
import type { Router } from "./router.js";
import { type CallEndListener, type CallSession, ServerCallStream } from "./server-call.js";
import type { Peer } from "./types.js";

/** What the sessions of one server share. */
export interface SessionServices {
  readonly router: Router;
  readonly deadlines: DeadlineWheel;
  readonly plainHandler: PlainRequestHandler;
  readonly callEnded: CallEndListener | undefined;
  handlerFailed(path: string, error: unknown): void;
}

/** How a session departs from what its server does with every other. */
export interface SessionOptions {
  readonly grpc?: boolean;
  readonly onPlainRequest?: PlainRequestHandler;
}

/** One per connection. */
export class ServerSession implements RequestListener, CallSession {
  readonly peer: Peer;
  readonly deadlines: DeadlineWheel;
  readonly callEnded: CallEndListener | undefined;
  readonly #services: SessionServices;
  readonly #plainHandler: PlainRequestHandler;
  readonly #grpc: boolean;
  #replies: ReplyWriter | undefined = undefined;

  constructor(services: SessionServices, peer: Peer, options: SessionOptions) {
    this.#services = services;
    this.#plainHandler = options.onPlainRequest ?? services.plainHandler;
    this.#grpc = options.grpc ?? true;
    this.deadlines = services.deadlines;
    this.callEnded = services.callEnded;
    this.peer = peer;
  }

  /** Set with the first request. */
  get replies(): ReplyWriter {
    return this.#replies!;
  }

  open(
    connection: ServerConnection,
    streamId: number,
    request: RequestHeaders,
    ended: boolean,
  ): Http2Stream | undefined {
    this.#replies ??= new ReplyWriter(connection.encoder);
    if (!this.#grpc) return this.#plain(connection, streamId, request);
    const head = request.attachment instanceof RequestHead ? request.attachment : this.#readHead(request);
    if (head.method !== undefined) {
      return new ServerCallStream(connection, streamId, connection.nowMs, head, head.method, this);
    }
    if (head.refusal === undefined) return this.#plain(connection, streamId, request);
    connection.answerAtOnce(streamId, head.refusal, ended);
    return undefined;
  }

  handlerFailed(path: string, error: unknown): void {
    this.#services.handlerFailed(path, error);
  }

  #plain(connection: ServerConnection, streamId: number, request: RequestHeaders): PlainStream {
    return new PlainStream(connection, streamId, connection.nowMs, request, this.peer, this.#plainHandler);
  }

  #readHead(request: RequestHeaders): RequestHead {
    const head = readHead(request, this.#services.router);
    request.attachment = head;
    return head;
  }
}
