/** One socket thread, seen from the main thread: starts it, and has its connections as streams. */
import { Worker } from "node:worker_threads";
import { type FarPeer, FarSocket } from "./far-socket.js";
import { INFLOW_CREDIT_BYTES } from "./inflow.js";
import {
  ACCEPT_FAILED,
  BYTES,
  CLOSED,
  CREDIT,
  ENDED,
  FINISHED,
  LISTENING,
  OPENED,
  RecordWriter,
  readRecords,
  STOP,
} from "./records.js";

/** What a thread is told at its start. */
export interface SocketThreadData {
  /** Of the listening socket, in this process. The thread makes a copy. */
  readonly descriptor: number;
  readonly backlog: number;
  /** How long a connection is idle before the system asks whether its peer is there. */
  readonly keepAliveMs: number;
}

export interface SocketThreadListener {
  /** A client has connected there. */
  opened(socket: FarSocket): void;
  acceptFailed(cause: Error): void;
}

export class SocketThread {
  /** Resolves when the thread accepts connections; rejects if it has ended before. */
  readonly listening: Promise<void>;
  /** Resolves when the thread is gone, and all its connections with it; to what went wrong, if anything did. */
  readonly ended: Promise<Error | undefined>;
  readonly #worker: Worker;
  readonly #listener: SocketThreadListener;
  readonly #sockets = new Map<number, FarSocket>();
  readonly #out: RecordWriter;
  #onListening = (): void => {};
  #stopping = false;
  #mayEnd = false;
  /** Not told to the thread yet. */
  #readBytes = 0;

  constructor(data: SocketThreadData, listener: SocketThreadListener) {
    this.#listener = listener;
    this.#worker = new Worker(new URL("./socket-thread-body.js", import.meta.url), {
      workerData: data,
      name: "holdfast-sockets",
      execArgv: [],
    });
    this.#out = new RecordWriter((message) => this.#worker.postMessage(message, [message]), queueMicrotask);
    this.#worker.on("message", (message: ArrayBuffer) => this.#read(message));
    this.ended = this.#watch();
    this.listening = new Promise((resolve, reject) => {
      this.#onListening = resolve;
      this.ended.then((error) => reject(error ?? new Error("the socket thread has ended")));
    });
  }

  /** Has it accept no more. It ends with its last connection. */
  stop(): void {
    this.#stopping = true;
    // While it starts, the listening socket is under way through another process, which must have let go of it.
    const settled = (): void => {
      this.#mayEnd = true;
      this.#out.add(STOP, 0);
      this.#endIfIdle();
    };
    this.listening.then(settled, settled);
  }

  record(kind: number, connection: number, bytes: Buffer): void {
    if (kind === BYTES) this.#sockets.get(connection)?.received(bytes);
    else if (kind === OPENED) this.#open(connection, JSON.parse(bytes.toString()) as FarPeer);
    else if (kind === CREDIT) this.#sockets.get(connection)?.credited(bytes.readUInt32LE());
    else if (kind === ENDED) this.#sockets.get(connection)?.ended();
    else if (kind === FINISHED) this.#sockets.get(connection)?.finished();
    else if (kind === CLOSED) this.#sockets.get(connection)?.gone();
    else if (kind === LISTENING) this.#onListening();
    else if (kind === ACCEPT_FAILED) this.#listener.acceptFailed(new Error(bytes.toString()));
  }

  #read(message: ArrayBuffer): void {
    readRecords(message, this);
    this.#readBytes += message.byteLength;
    if (this.#readBytes < INFLOW_CREDIT_BYTES) return;
    this.#out.addCredit(0, this.#readBytes);
    this.#readBytes = 0;
  }

  #open(connection: number, peer: FarPeer): void {
    const socket = new FarSocket(connection, peer, this.#out);
    this.#sockets.set(connection, socket);
    socket.once("close", () => {
      this.#sockets.delete(connection);
      this.#endIfIdle();
    });
    if (this.#stopping) socket.destroy();
    else this.#listener.opened(socket);
  }

  #endIfIdle(): void {
    if (this.#mayEnd && this.#sockets.size === 0) void this.#worker.terminate();
  }

  #watch(): Promise<Error | undefined> {
    return new Promise((resolve) => {
      let cause: Error | undefined;
      this.#worker.once("error", (error) => {
        cause = error;
      });
      this.#worker.once("exit", () => {
        for (const socket of [...this.#sockets.values()]) socket.gone();
        resolve(cause);
      });
    });
  }
}
