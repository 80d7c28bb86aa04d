/**
 * A network in memory: who listens, who is connected to whom, how long bytes take, and what keeps them from arriving. The
 * bytes themselves go through sockets (`socket.ts`); nothing is lost or reordered inside a connection, as with TCP.
 */
import type { TransportSocket } from "@holdfast/transport";
import type { Owner } from "./owner.js";
import type { SeededRandom } from "./random.js";
import type { Scheduler } from "./scheduler.js";
import { type LinkSettings, SimulatedSocket } from "./socket.js";

/** How one direction between two parties is. */
export interface NetworkSettings extends LinkSettings {
  /** How long a caller waits for an answer that does not come. */
  readonly connectTimeoutMs: number;
}

/** A network without troubles. */
const calm: Partial<NetworkSettings> = { latencyMs: 0.5, spikeChance: 0, pieceBytesMax: 65_536 };

/** Who takes connections under a name. */
export interface Listener {
  readonly owner: Owner;
  accept(socket: TransportSocket): void;
}

/** A pair of sockets. */
export interface Connection {
  readonly client: SimulatedSocket;
  readonly server: SimulatedSocket;
}

export class Network {
  /** Changed by the run: calmer when the faults are over. */
  settings: NetworkSettings;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #listeners = new Map<string, Listener>();
  readonly #connections = new Set<Connection>();
  /** True time until which a client and the servers do not hear each other. */
  readonly #partitions = new Map<string, number>();
  #ports = 1024;

  constructor(scheduler: Scheduler, random: SeededRandom, settings: NetworkSettings) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.settings = settings;
  }

  /** Connections of which at least one end is open. */
  get connections(): readonly Connection[] {
    for (const connection of this.#connections) {
      if (connection.client.destroyed && connection.server.destroyed) this.#connections.delete(connection);
    }
    return [...this.#connections];
  }

  listen(name: string, listener: Listener): void {
    this.#listeners.set(name, listener);
  }

  /** Ends of a server that wait for a client who has vanished without a word. */
  get widowed(): number {
    return this.connections.filter(({ client, server }) => client.vanished && !server.destroyed && !server.vanished)
      .length;
  }

  /** Callers are refused from now on. */
  unlisten(name: string): void {
    this.#listeners.delete(name);
  }

  /** Rejects with ECONNREFUSED or ETIMEDOUT. Never settles if the caller dies. */
  connect(from: Owner, to: string): Promise<TransportSocket> {
    const { latencyMs, connectTimeoutMs } = this.settings;
    const cutMs = (this.#partitions.get(from.name) ?? 0) - this.#scheduler.nowMs;
    return new Promise((resolve, reject) => {
      const fail = (code: string): void => reject(Object.assign(new Error(`connect ${code} ${to}`), { code }));
      if (cutMs > connectTimeoutMs) {
        this.#scheduler.after(connectTimeoutMs, "input", from, () => fail("ETIMEDOUT"));
        return;
      }
      const delayMs = Math.max(0, cutMs) + this.#random.wait(latencyMs) + this.#random.wait(latencyMs);
      this.#scheduler.after(delayMs, "input", from, () => {
        const listener = this.#listeners.get(to);
        if (listener === undefined) fail("ECONNREFUSED");
        else resolve(this.#pair(from, listener));
      });
    });
  }

  /** For `ms`, nothing passes between `name` and the servers; it comes later. New connections wait, or time out. */
  partition(name: string, ms: number): void {
    this.#partitions.set(name, this.#scheduler.nowMs + ms);
    for (const { client, server } of this.connections) {
      if (client.owner.name !== name) continue;
      client.clog(ms);
      server.clog(ms);
    }
  }

  /** Ends every partition, and is as good as networks are from now on. What is a black hole stays one. */
  heal(): void {
    this.settings = { ...this.settings, ...calm };
    this.#partitions.clear();
    for (const { client, server } of this.#connections) {
      client.unclog();
      server.unclog();
    }
  }

  /** What becomes of the sockets of somebody who dies: closed by the system, or, if `silently`, nobody hears of it. */
  drop(owner: Owner, silently: boolean): void {
    for (const { client, server } of this.connections) {
      const own = client.owner === owner ? client : server;
      if (own.owner !== owner) continue;
      if (silently) own.vanish();
      else own.abandon(this.#random.chance(0.5) ? "reset" : "end");
    }
  }

  /** The other end is back and knows nothing of these connections: whoever still has one hears so once he says something. */
  forget(name: string): void {
    for (const { client, server } of this.connections)
      if (server.owner.name === name && server.vanished) client.orphan();
  }

  #pair(from: Owner, listener: Listener): TransportSocket {
    const scheduler = this.#scheduler;
    const port = ++this.#ports;
    const random = this.#random.fork(`connection ${port}`);
    const settings = this.settings;
    const client = new SimulatedSocket({
      scheduler,
      owner: from,
      random: random.fork("up"),
      settings,
      peer: "server",
      port,
    });
    const server = new SimulatedSocket({
      scheduler,
      owner: listener.owner,
      random: random.fork("down"),
      settings,
      peer: from.name,
      port,
    });
    client.join(server);
    server.join(client);
    this.#connections.add({ client, server });
    // The client may hear of it before the server does; what befalls the connection until then, the server never sees.
    const unaccepted = (): void => {};
    server.on("error", unaccepted);
    scheduler.after(random.wait(settings.latencyMs), "input", listener.owner, () => {
      server.off("error", unaccepted);
      if (!server.destroyed) listener.accept(server);
    });
    return client;
  }
}
