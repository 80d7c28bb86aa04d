/**
 * A closed loop: a number of callers that begin their next operation when the last one is done, without a pause, for a
 * time. Keeps the count, the time and the durations; what an operation is, its callers know.
 */
import { Latencies } from "../latencies.js";
import type { Connections } from "./connections.js";
import type { RoundDone } from "./round-done.js";

const lastOperationsWithinMs = 60_000;

/** Runs one round after the other over the same connections. */
export class ClosedLoop {
  readonly #connections: Connections;
  readonly #operationsName: string;
  #latencies = new Latencies();
  #busy = 0;
  #stopAtMs = 0;
  #finished: () => void = () => {};

  /** `operationsName` says in an error what did not end in time: "grants". */
  constructor(connections: Connections, operationsName: string) {
    this.#connections = connections;
    this.#operationsName = operationsName;
  }

  /**
   * Calls `begin` with the time, which shall start one operation of each of so many callers; resolves when the time is over
   * and each has finished its last. Rejects when a connection fails, or a minute after the time is over.
   */
  async run(seconds: number, callers: number, begin: (nowMs: number) => void): Promise<RoundDone> {
    const latencies = new Latencies();
    this.#latencies = latencies;
    const startMs = performance.now();
    this.#stopAtMs = startMs + seconds * 1000;
    this.#busy = callers;
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    begin(startMs);
    const withinMs = seconds * 1000 + lastOperationsWithinMs;
    await this.#connections.during(`the last ${this.#operationsName}`, withinMs, finished);
    return { operations: latencies.total, seconds: (performance.now() - startMs) / 1000, latencies };
  }

  /** A caller has finished what it began at `startMs`; returns whether it shall go on. */
  done(startMs: number, nowMs: number): boolean {
    this.#latencies.add(nowMs - startMs);
    if (nowMs < this.#stopAtMs) return true;
    this.#busy -= 1;
    if (this.#busy === 0) this.#finished();
    return false;
  }
}
