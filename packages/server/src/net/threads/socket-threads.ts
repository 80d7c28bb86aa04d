/**
 * The socket threads of one listener. Reading and writing a socket takes twice the processor time of a small call, so
 * with many connections the main thread does nothing else; threads take that from it (decision 0014).
 */
import type { Server } from "node:net";
import { availableParallelism } from "node:os";
import type { ListenAddress } from "../address.js";
import type { NetLimits } from "../limits.js";
import { SocketThread, type SocketThreadData, type SocketThreadListener } from "./socket-thread.js";

/** With fewer processors the threads would take turns with the main thread. */
const processorsMin = 4;

/**
 * How many threads a listener at this address may start. Under TLS none: the handshake is judged on the main thread.
 * Elsewhere than on Linux a listening socket cannot be shared in this way, or it was never tried.
 */
export function socketThreadsFor(address: ListenAddress, limits: NetLimits): number {
  if (address.kind !== "tcp" || address.secure || process.platform !== "linux") return 0;
  return availableParallelism() < processorsMin ? 0 : limits.socketThreadsMax;
}

export interface SocketThreadsListener extends SocketThreadListener {
  /** A thread has ended that nobody stopped, and with it its connections; `left` go on. */
  threadLost(cause: Error, left: number): void;
}

export class SocketThreads {
  /** Resolves when all threads accept what connects to the server. Rejects if one cannot; they must be stopped then. */
  readonly listening: Promise<void>;
  readonly #threads: Set<SocketThread>;
  readonly #listener: SocketThreadsListener;
  #stopping = false;

  /** Starts `count` of them. Throws if the listening socket of `server` cannot be shared. */
  constructor(
    server: Server,
    count: number,
    settings: Omit<SocketThreadData, "descriptor">,
    listener: SocketThreadsListener,
  ) {
    this.#listener = listener;
    const data = { descriptor: descriptorOf(server), ...settings };
    this.#threads = new Set(Array.from({ length: count }, () => new SocketThread(data, listener)));
    const threads = [...this.#threads];
    this.listening = Promise.all(threads.map((thread) => thread.listening)).then(() => {
      for (const thread of threads) void thread.ended.then((cause) => this.#lost(thread, cause));
    });
  }

  /** Accepts no more. Resolves when the last connection is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const threads = [...this.#threads];
    for (const thread of threads) thread.stop();
    await Promise.all(threads.map(({ ended }) => ended));
  }

  #lost(thread: SocketThread, cause: Error | undefined): void {
    this.#threads.delete(thread);
    if (this.#stopping) return;
    this.#listener.threadLost(cause ?? new Error("a socket thread has ended"), this.#threads.size);
  }
}

/** Node.js has no documented way to it. */
function descriptorOf(server: Server): number {
  const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd?: number } | null };
  if (handle?.fd === undefined || handle.fd < 0) throw new Error("the descriptor of the listening socket is unknown");
  return handle.fd;
}
