/**
 * An open loop: operations begin at a fixed rate, whether or not those before them have ended, so that a server that
 * falls behind is seen to be late for all who came meanwhile. (In a closed loop they would not have come.)
 */

import type { DriverConnection } from "../driver/driver-connection.js";
import { Latencies } from "../latencies.js";
import type { Connections } from "../load/connections.js";

/** One operation; `done` is called once, when it is over. */
export type Operation = (number: number, connection: DriverConnection, done: () => void) => void;

const tickMs = 1;
/** Below what servers allow. Operations that find no room wait for it, and their time runs. */
const callsPerConnectionMax = 900;

export class OpenLoop {
  readonly #connections: Connections;
  readonly #perSecond: number;
  readonly #operation: Operation;
  readonly #latencies = new Latencies();
  #begun = 0;
  #running = 0;
  #ended = 0;
  /** Since when each waits for a connection with room; the first of them is operation `#begun - #waiting.length`. */
  readonly #waiting: number[] = [];

  constructor(connections: Connections, perSecond: number, operation: Operation) {
    this.#connections = connections;
    this.#perSecond = perSecond;
    this.#operation = operation;
  }

  /** Begins operations for so long; resolves when all have ended. */
  run(seconds: number): Promise<Latencies> {
    const count = Math.round(seconds * this.#perSecond);
    const startMs = performance.now();
    return new Promise((resolve, reject) => {
      const tick = (): void => {
        const nowMs = performance.now();
        try {
          this.#beginAll(Math.min(count, Math.floor(((nowMs - startMs) / 1000) * this.#perSecond)), nowMs);
        } catch (error) {
          reject(error);
          return;
        }
        if (this.#ended === count) resolve(this.#latencies);
        else setTimeout(tick, tickMs);
      };
      tick();
    });
  }

  /** All that are due by now. */
  #beginAll(due: number, nowMs: number): void {
    while (this.#begun < due) {
      this.#begun += 1;
      this.#waiting.push(nowMs);
    }
    while (this.#waiting.length > 0 && this.#running < callsPerConnectionMax * this.#connections.all.length) {
      const number = this.#begun - this.#waiting.length;
      this.#begin(number, this.#waiting.shift() ?? nowMs);
    }
  }

  #begin(number: number, sinceMs: number): void {
    this.#running += 1;
    this.#operation(number, this.#roomiest(number), () => {
      this.#running -= 1;
      this.#ended += 1;
      this.#latencies.add(performance.now() - sinceMs);
    });
  }

  /** Connections in turn, but none that is full. */
  #roomiest(number: number): DriverConnection {
    for (let offset = 0; offset < this.#connections.all.length; offset += 1) {
      const connection = this.#connections.at(number + offset);
      if (connection.openCalls < callsPerConnectionMax) return connection;
    }
    throw new Error("no connection has room for another call");
  }
}
