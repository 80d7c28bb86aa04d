/**
 * The connections that have not said yet which protocol they speak. When there are too many, the oldest of the address
 * that has most goes, and not the newcomer: whoever holds silent connections could otherwise keep everybody else out
 * (fault-model F25).
 */
import type { ClientSocket } from "./client-socket.js";

export class UndecidedConnections {
  readonly #max: number;
  /** By address (`placeOf` it), in the order of arrival. */
  readonly #byAddress = new Map<string, Set<ClientSocket>>();
  #count = 0;

  /** `max` is `undecidedConnectionsMax`. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Adds a connection. Returns the one that must go for it, removed already; undefined if there is room. */
  add(address: string, socket: ClientSocket): ClientSocket | undefined {
    const evicted = this.#count >= this.#max ? this.#evict() : undefined;
    const known = this.#byAddress.get(address);
    if (known === undefined) this.#byAddress.set(address, new Set([socket]));
    else known.add(socket);
    this.#count++;
    return evicted;
  }

  /** It has said what it speaks, or is gone. Harmless if it is not there. */
  delete(address: string, socket: ClientSocket): void {
    const known = this.#byAddress.get(address);
    if (known?.delete(socket) !== true) return;
    this.#count--;
    if (known.size === 0) this.#byAddress.delete(address);
  }

  destroyAll(): void {
    for (const sockets of this.#byAddress.values()) for (const socket of sockets) socket.destroy();
  }

  #evict(): ClientSocket | undefined {
    let busiest = "";
    let most = 0;
    for (const [address, { size }] of this.#byAddress) {
      if (size <= most) continue;
      busiest = address;
      most = size;
    }
    const oldest = this.#byAddress.get(busiest)?.values().next().value;
    if (oldest !== undefined) this.delete(busiest, oldest);
    return oldest;
  }
}
