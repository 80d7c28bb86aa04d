/**
 * The driver's connections to one server, and what befalls them: any failure ends whatever is being waited for.
 */

import { DriverConnection } from "../driver/driver-connection.js";
import { Failures } from "../driver/failures.js";
import type { Server } from "../servers/server.js";

/** Some connections to one server. */
export class Connections {
  readonly all: DriverConnection[] = [];
  readonly #failures = new Failures();

  static async open(server: Pick<Server, "port" | "tls">, count: number): Promise<Connections> {
    const connections = new Connections();
    for (let number = 0; number < count; number += 1) {
      const target = { port: server.port, certificate: server.tls?.certificate };
      connections.all.push(await DriverConnection.connect(target, connections.#failures.report));
    }
    return connections;
  }

  /** The one with this number; numbers go round. */
  at(number: number): DriverConnection {
    const connection = this.all[number % this.all.length];
    if (connection === undefined) throw new RangeError("no connections");
    return connection;
  }

  /** As `work`, but rejects as soon as a connection fails, or with `what` after `withinMs`. */
  async during<Result>(what: string, withinMs: number, work: Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: not done within ${withinMs / 1000} s`)), withinMs);
    });
    try {
      return await this.#failures.during(Promise.race([work, late]));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends what is waited for: something went wrong that no connection noticed. */
  fail(error: Error): void {
    this.#failures.report(error);
  }

  close(): void {
    for (const connection of this.all) connection.close();
  }
}
