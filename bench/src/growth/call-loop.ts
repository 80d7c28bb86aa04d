/**
 * Callers that make one unary call after the other, for a time: what fills a round where every call is of one method.
 * That each answer's status is OK the connection sees; one answer of many is handed out to be looked at.
 */
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import type { Connections } from "../load/connections.js";

/** What is called. */
export interface LoopedCall {
  readonly path: string;
  /** The request of the next call. */
  next(): Uint8Array;
  /** Looks at the answer in `chunk[from, to)`. @throws Error when it is not what was asked for. */
  check(chunk: Uint8Array, from: number, to: number): void;
}

/** Of each caller's answers, the first is looked at and then one of so many. */
const sampleEvery = 500;
const lastAnswersWithinMs = 60_000;

/** A number of callers on some connections. */
export class CallLoop {
  readonly call: LoopedCall;
  readonly #connections: Connections;
  readonly #callers: readonly Caller[];
  #calls = 0;
  #busy = 0;
  #stopAtMs = 0;
  #finished: () => void = () => {};

  constructor(connections: Connections, callers: number, call: LoopedCall) {
    this.call = call;
    this.#connections = connections;
    this.#callers = Array.from({ length: callers }, (_, number) => new Caller(this, connections.at(number)));
  }

  /** Lets every caller call for so long; rejects when anything goes wrong. */
  async run(seconds: number): Promise<{ operations: number; seconds: number }> {
    const startMs = performance.now();
    this.#calls = 0;
    this.#stopAtMs = startMs + seconds * 1000;
    this.#busy = this.#callers.length;
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    for (const caller of this.#callers) caller.start();
    await this.#connections.during("the last answers", seconds * 1000 + lastAnswersWithinMs, finished);
    return { operations: this.#calls, seconds: (performance.now() - startMs) / 1000 };
  }

  /** A call has been answered; returns whether its caller shall go on. */
  answered(): boolean {
    this.#calls += 1;
    if (performance.now() < this.#stopAtMs) return true;
    this.#busy -= 1;
    if (this.#busy === 0) this.#finished();
    return false;
  }
}

class Caller implements CallListener {
  readonly #loop: CallLoop;
  readonly #connection: DriverConnection;
  #untilSample = 0;

  constructor(loop: CallLoop, connection: DriverConnection) {
    this.#loop = loop;
    this.#connection = connection;
  }

  start(): void {
    const { call } = this.#loop;
    this.#connection.unary(call.path, call.next(), this);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    if (this.#untilSample-- > 0) return;
    this.#untilSample = sampleEvery;
    this.#loop.call.check(chunk, from, to);
  }

  end(): void {
    if (this.#loop.answered()) this.start();
  }
}
