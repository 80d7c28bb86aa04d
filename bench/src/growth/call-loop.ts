/**
 * Callers that make one unary call after the other, for a time: what fills a round where every call is of one method.
 * That each answer's status is OK the connection sees; one answer of many is handed out to be looked at.
 */
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import { ClosedLoop } from "../load/closed-loop.js";
import type { Connections } from "../load/connections.js";
import type { RoundDone } from "../load/round-done.js";

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

/** A number of callers on some connections. */
export class CallLoop {
  readonly #loop: ClosedLoop;
  readonly #callers: readonly Caller[];

  constructor(connections: Connections, callers: number, call: LoopedCall) {
    this.#loop = new ClosedLoop(connections, "answers");
    this.#callers = Array.from(
      { length: callers },
      (_, number) => new Caller(this.#loop, connections.at(number), call),
    );
  }

  /** Lets every caller call for so long; rejects when anything goes wrong. */
  run(seconds: number): Promise<RoundDone> {
    return this.#loop.run(seconds, this.#callers.length, (nowMs) => {
      for (const caller of this.#callers) caller.start(nowMs);
    });
  }
}

class Caller implements CallListener {
  readonly #loop: ClosedLoop;
  readonly #connection: DriverConnection;
  readonly #call: LoopedCall;
  #startMs = 0;
  #untilSample = 0;

  constructor(loop: ClosedLoop, connection: DriverConnection, call: LoopedCall) {
    this.#loop = loop;
    this.#connection = connection;
    this.#call = call;
  }

  start(nowMs: number): void {
    this.#startMs = nowMs;
    this.#connection.unary(this.#call.path, this.#call.next(), this);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    if (this.#untilSample-- > 0) return;
    this.#untilSample = sampleEvery - 1;
    this.#call.check(chunk, from, to);
  }

  end(): void {
    const nowMs = performance.now();
    if (this.#loop.done(this.#startMs, nowMs)) this.start(nowMs);
  }
}
