/**
 * One listening socket for as long as it is open: who accepts its connections, the main thread at first, socket threads
 * once there are many.
 */
import { createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ListenAddress } from "./address.js";
import { backlog, bind } from "./bind.js";
import type { ClientSocket } from "./client-socket.js";
import type { NetLimits } from "./limits.js";
import { SocketThreads, socketThreadsFor } from "./threads/socket-threads.js";

const bindAgainMs = 1_000;
/** As the transport has it for its sockets (`keepaliveIdleMs`). */
const keepAliveMs = 30_000;

/** Takes what is accepted. */
export interface Acceptor {
  /** Returns how many connections are open. */
  admit(socket: ClientSocket): number;
  acceptFailed(cause: Error): void;
  /** Threads could not be started, or have ended; what they had is gone, and listening goes on. */
  threadsFailed(cause: Error): void;
}

export class OpenListener {
  readonly #acceptor: Acceptor;
  readonly #limits: NetLimits;
  #server: Server;
  #address: ListenAddress;
  #threads: SocketThreads | undefined = undefined;
  #threadsAsked = false;
  #closing = false;
  /** Resolve with the last connection of each server that accepts no more. */
  readonly #closed: Promise<void>[] = [];

  constructor(address: ListenAddress, limits: NetLimits, acceptor: Acceptor) {
    this.#acceptor = acceptor;
    this.#limits = limits;
    this.#address = address;
    this.#server = this.#createServer();
  }

  /** Where it really listens: port 0 has become a number. */
  get address(): ListenAddress {
    return this.#address;
  }

  /** Begins. Throws the system's error. */
  async open(): Promise<void> {
    await bind(this.#server, this.#address);
    // Without a listener an error event would end the process.
    this.#server.on("error", (cause) => this.#acceptor.acceptFailed(cause));
    this.#address = boundAddress(this.#server, this.#address);
  }

  /** Accepts no more. Resolves when the last connection is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#closeServer();
    await Promise.all([...this.#closed, this.#threads?.stop()]);
  }

  #createServer(): Server {
    return createServer({ noDelay: true }, (socket) => this.#admit(socket));
  }

  #admit(socket: ClientSocket): void {
    const open = this.#acceptor.admit(socket);
    if (this.#threadsAsked || open < this.#limits.socketThreadsFrom) return;
    this.#threadsAsked = true;
    const count = socketThreadsFor(this.#address, this.#limits);
    if (count > 0) void this.#startThreads(count);
  }

  async #startThreads(count: number): Promise<void> {
    const acceptor = this.#acceptor;
    try {
      this.#threads = new SocketThreads(
        this.#server,
        count,
        { backlog, keepAliveMs },
        {
          opened: (socket) => void acceptor.admit(socket),
          acceptFailed: (cause) => acceptor.acceptFailed(cause),
          threadLost: (cause, left) => void this.#threadLost(cause, left),
        },
      );
      await this.#threads.listening;
      this.#closeServer();
    } catch (cause) {
      if (this.#closing) return;
      acceptor.threadsFailed(cause as Error);
      await this.#threads?.stop();
    }
  }

  /** Those that are left accept; without any, the main thread does again, and starts none any more. */
  async #threadLost(cause: Error, left: number): Promise<void> {
    this.#acceptor.threadsFailed(cause);
    if (left > 0) return;
    this.#threads = undefined;
    for (this.#server = this.#createServer(); !this.#closing; await delay(bindAgainMs)) {
      const failure = await this.open().catch((error: Error) => error);
      if (failure === undefined && this.#closing) this.#closeServer();
      if (failure === undefined) return;
      this.#acceptor.acceptFailed(failure as Error);
    }
  }

  #closeServer(): void {
    const server = this.#server;
    if (server.listening) this.#closed.push(new Promise((resolve) => server.close(() => resolve())));
  }
}

function boundAddress(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  if (asked.kind === "unix" || bound === null || typeof bound === "string") return asked;
  return { ...asked, port: bound.port };
}
