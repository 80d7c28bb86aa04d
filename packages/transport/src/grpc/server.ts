/**
 * A gRPC server over sockets that others accept: takes connections within its limits, watches their times, and ends in
 * order. It opens no port; the composition root does.
 */
import type { TransportCounters } from "../counters.js";
import { type Clock, systemClock } from "../environment.js";
import { TransportContext, type TransportLog } from "../http2/context.js";
import { ServerConnection } from "../http2/server-connection.js";
import type { TransportSocket } from "../http2/socket-writer.js";
import { defaultLimits, type TransportLimits } from "../limits.js";
import { Sweeper } from "../sweeper.js";
import { DeadlineWheel } from "./deadline-wheel.js";
import type { MethodCounters } from "./method-counters.js";
import { type PlainRequestHandler, refusePlainRequest } from "./plain-request.js";
import { Router } from "./router.js";
import type { CallEndListener } from "./server-call.js";
import { ServerSession, type SessionServices } from "./server-session.js";
import type { Method, Peer } from "./types.js";

export interface GrpcServerOptions {
  readonly methods: Iterable<Method>;
  /** Replaces single defaults of `limits.ts`. */
  readonly limits?: Partial<TransportLimits>;
  readonly clock?: Clock;
  /** Takes requests whose content type is not gRPC; by default they are answered with 415. */
  readonly onPlainRequest?: PlainRequestHandler;
  /**
   * A handler threw, which is a bug; the call has been ended with INTERNAL. By default the error is thrown again outside
   * the transport, where it ends the process (F17).
   */
  readonly onHandlerError?: (path: string, error: unknown) => void;
  /** Told of the end of every call, for histograms of how long they take. By default nobody reads the clock for it. */
  readonly onCallEnded?: CallEndListener;
  readonly log?: TransportLog;
}

/** What is particular about one connection. */
export interface ConnectionOptions {
  /** Becomes `Peer.certificateName`; to be given only if the certificate was verified. */
  readonly certificateName?: string | undefined;
  /** False: gRPC requests are handed to the plain handler like all others. Default true. */
  readonly grpc?: boolean;
  /** Takes this connection's plain requests instead of the server's own handler. */
  readonly onPlainRequest?: PlainRequestHandler;
}

export class GrpcServer {
  readonly #context: TransportContext;
  readonly #services: SessionServices;
  readonly #connections: Sweeper<ServerConnection>;
  readonly #connectionsByAddress = new Map<string, number>();
  #closing = false;
  /** Waiting for the last connection to go. */
  #onEmpty: (() => void) | undefined = undefined;

  /** @throws RangeError if two methods have the same path, or one has none that gRPC knows. */
  constructor(options: GrpcServerOptions) {
    const clock = options.clock ?? systemClock;
    const limits = { ...defaultLimits, ...options.limits };
    this.#context = new TransportContext(clock, limits, options.log ?? (() => {}));
    this.#connections = new Sweeper(clock, limits.sweepIntervalMs);
    this.#services = {
      router: new Router(options.methods),
      deadlines: new DeadlineWheel(clock),
      plainHandler: options.onPlainRequest ?? refusePlainRequest,
      callEnded: options.onCallEnded,
      handlerFailed: options.onHandlerError ?? throwLater,
    };
  }

  /** Live counters, by name. */
  get counters(): Readonly<TransportCounters> {
    return this.#context.counters;
  }

  /** Live counters of each method, in the order in which they were given. */
  get methodCounters(): readonly MethodCounters[] {
    return this.#services.router.counters();
  }

  /** Connections open now. */
  get connectionCount(): number {
    return this.#connections.items.size;
  }

  /** Streams open now, on all connections. */
  get streamCount(): number {
    return this.#context.streamsOpen;
  }

  /** Bytes of unfinished requests held now, on all connections. */
  get bufferedBytes(): number {
    return this.#context.bufferedBytes;
  }

  /** Bytes that wait for their peers now, on all connections. */
  get unsentBytes(): number {
    return this.#context.unsent.bytes;
  }

  /**
   * Speaks HTTP/2 on `socket` from now on; `alreadyRead` is what was read from it before. A connection above the limits
   * is destroyed. Never throws, whatever the peer sends.
   */
  handleConnection(socket: TransportSocket, alreadyRead?: Buffer, options: ConnectionOptions = {}): void {
    const address = socket.remoteAddress ?? "";
    if (!this.#hasRoomFor(address)) {
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    this.#context.counters.connectionsAccepted++;
    const session = new ServerSession(this.#services, peerOf(socket, options.certificateName), options);
    const connection = new ServerConnection(this.#context, socket, session, () => this.#closed(connection));
    this.#connections.add(connection);
    this.#connectionsByAddress.set(address, (this.#connectionsByAddress.get(address) ?? 0) + 1);
    connection.start(alreadyRead);
  }

  /**
   * Ends every connection in order: no new calls, open ones may finish. Resolves when all are gone, which is at the
   * latest after `deadlineMs`: what is open then is cut off. New connections are refused from now on.
   */
  drain(deadlineMs: number = this.#context.limits.gracefulLingerMs): Promise<void> {
    this.#closing = true;
    for (const connection of [...this.#connections.items]) connection.drain();
    if (this.connectionCount === 0) return Promise.resolve();
    const cutOff = this.#context.clock.after(deadlineMs, () => this.close());
    return new Promise((resolve) => {
      const waiting = this.#onEmpty;
      this.#onEmpty = () => {
        waiting?.();
        cutOff.cancel();
        resolve();
      };
    });
  }

  /** Cuts off every connection at once and refuses new ones. */
  close(): void {
    this.#closing = true;
    for (const connection of [...this.#connections.items]) connection.destroy();
  }

  #hasRoomFor(address: string): boolean {
    const { counters, limits } = this.#context;
    if (this.#closing) counters.connectionsRefusedClosing++;
    else if (this.connectionCount >= limits.connectionsTotalMax) counters.connectionsRefusedTotal++;
    else if (address !== "" && (this.#connectionsByAddress.get(address) ?? 0) >= limits.connectionsPerAddressMax) {
      counters.connectionsRefusedPerAddress++;
    } else return true;
    return false;
  }

  #closed(connection: ServerConnection): void {
    this.#connections.delete(connection);
    const address = connection.peerAddress;
    const left = (this.#connectionsByAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#connectionsByAddress.set(address, left);
    else this.#connectionsByAddress.delete(address);
    if (this.connectionCount === 0) this.#onEmpty?.();
  }
}

function peerOf(socket: TransportSocket, certificateName: string | undefined): Peer {
  const peer = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
  return certificateName === undefined ? peer : { ...peer, certificateName };
}

/** Outside the reading of a connection, whose state must not be left halfway. */
function throwLater(_path: string, error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
