/**
 * The port: accepts connections and hands each to who speaks its protocol, HTTP/2 to the gRPC transport, anything
 * else to HTTP/1.1. Keeps what is not HTTP/2 within its limits: how many there are, and how long they live.
 */
import { createServer, type Server, type Socket } from "node:net";
import { formatAddress, type ListenAddress } from "./address.js";
import { bind } from "./bind.js";
import { readFirstBytes } from "./first-bytes.js";
import { Http1Fallback } from "./http1-fallback.js";

/** Thrown when an address cannot be listened on. */
export class ListenError extends Error {
  /** The system's code, such as EADDRINUSE. */
  readonly code: string;

  constructor(address: string, cause: NodeJS.ErrnoException) {
    const inUse = cause.code === "EADDRINUSE";
    super(inUse ? `address ${address} is already in use` : `cannot listen on ${address}: ${cause.message}`, { cause });
    this.name = "ListenError";
    this.code = cause.code ?? "";
  }
}

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Takes over a connection that opened with the HTTP/2 preface; `alreadyRead` are its first bytes. */
  readonly onHttp2: (socket: Socket, alreadyRead: Buffer) => void;
  /** A connection could not be accepted, for want of file descriptors for example. Listening goes on. */
  readonly onError: (cause: Error) => void;
  /**
   * A connection that has not told its protocol after this long in all is closed (fault-model F26). An HTTP/1.1
   * connection gets the same once more, for its request and the answer.
   */
  readonly firstBytesDeadlineMs: number;
  /** Connections at one time that have not told their protocol or speak HTTP/1.1; more are closed at once. */
  readonly undecidedConnectionsMax?: number;
}

/** Far above what probes and people need, far below what would cost notable memory. */
export const undecidedConnectionsMaxDefault = 1_000;

export interface Listener {
  /** Where it really listens: port 0 has become a number. */
  readonly address: ListenAddress;
  /**
   * Stops accepting, and closes what does not speak HTTP/2. Connections already handed over live on; resolves when
   * the last of them is gone, so they have to be ended meanwhile.
   */
  close(): Promise<void>;
}

/** Starts listening. Throws `ListenError`. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const entrance = new Entrance(options);
  const server = createServer({ noDelay: true }, (socket) => entrance.admit(socket));
  // Without a listener an error event would end the process.
  server.once("listening", () => server.on("error", options.onError));
  try {
    await bind(server, options.address);
  } catch (cause) {
    throw new ListenError(formatAddress(options.address), cause as NodeJS.ErrnoException);
  }
  return { address: boundAddress(server, options.address), close: () => close(server, entrance) };
}

/** The connections that have not been handed to HTTP/2: undecided ones and those that speak HTTP/1.1. */
class Entrance {
  readonly #held = new Set<Socket>();
  readonly #heldMax: number;
  readonly #options: ListenerOptions;
  readonly #http1: Http1Fallback;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#heldMax = options.undecidedConnectionsMax ?? undecidedConnectionsMaxDefault;
    this.#http1 = new Http1Fallback(options.firstBytesDeadlineMs);
  }

  admit(socket: Socket): void {
    if (this.#held.size >= this.#heldMax) {
      socket.destroy();
      return;
    }
    const { onHttp2, firstBytesDeadlineMs } = this.#options;
    const forget = (): void => {
      this.#held.delete(socket);
    };
    this.#held.add(socket);
    socket.once("close", forget);
    readFirstBytes(socket, firstBytesDeadlineMs, (isHttp2, alreadyRead) => {
      if (!isHttp2) return this.#http1.take(socket, alreadyRead);
      socket.off("close", forget);
      forget();
      onHttp2(socket, alreadyRead);
    });
  }

  destroyAll(): void {
    for (const socket of this.#held) socket.destroy();
  }
}

function boundAddress(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  if (asked.kind === "unix" || bound === null || typeof bound === "string") return asked;
  return { kind: "tcp", host: asked.host, port: bound.port };
}

function close(server: Server, entrance: Entrance): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  entrance.destroyAll();
  return closed;
}
