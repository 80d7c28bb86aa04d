/** Ten thousand connections and some more, from several addresses of this machine, since one address may not have all. */
import { FloodConnection, type FloodCounts, type FloodPlan } from "./flood-connection.js";

/** The first address of the crowd; the others follow. 127.0.0.1 is the honest client's. */
const firstLastOctet = 2;
const connectingAtOnce = 100;

export class Crowd {
  readonly counts: FloodCounts = { answered: 0, refused: 0, closed: 0 };
  readonly connections: readonly FloodConnection[];
  /** Connections that were closed instead of served. */
  readonly refusedConnections: number;

  private constructor(counts: FloodCounts, connections: readonly FloodConnection[], refusedConnections: number) {
    this.counts = counts;
    this.connections = connections;
    this.refusedConnections = refusedConnections;
  }

  /** Connects so many times from each of so many addresses. */
  static async connect(port: number, addresses: number, perAddress: number): Promise<Crowd> {
    const counts = { answered: 0, refused: 0, closed: 0 };
    const all: (FloodConnection | undefined)[] = [];
    for (let from = 0; from < addresses * perAddress; from += connectingAtOnce) {
      const some = Array.from({ length: connectingAtOnce }, (_, index) => {
        const lastOctet = firstLastOctet + Math.floor((from + index) / perAddress);
        return FloodConnection.connect({ port, localAddress: `127.0.0.${lastOctet}` }, counts);
      });
      all.push(...(await Promise.all(some)));
    }
    const served = all.filter((connection) => connection !== undefined);
    counts.closed = 0;
    return new Crowd(counts, served, all.length - served.length);
  }

  /** Gives each connection what it shall ask for from now on, by its number. */
  follow(planOf: (number: number) => FloodPlan | undefined): void {
    for (const [number, connection] of this.connections.entries()) connection.follow(planOf(number));
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}
