/** How many watchers there are on each connection and in all, and when that is enough (fault-model F16). */
import type { Peer } from "@holdfast/transport";
import type { ServiceLimits } from "../limits.js";

export type WatchBound = "watchersPerStream" | "watchersPerConnection" | "watchersTotal";

/** What a client is told. */
export const watchBoundTexts: Readonly<Record<WatchBound, string>> = {
  watchersPerStream: "too many watchers on one stream",
  watchersPerConnection: "too many watchers on one connection",
  watchersTotal: "too many watchers",
};

export class WatchCounts {
  readonly #limits: Pick<ServiceLimits, WatchBound>;
  /** By the object that all calls of one connection share. */
  readonly #byConnection = new Map<Peer, number>();
  #total = 0;

  constructor(limits: Pick<ServiceLimits, WatchBound>) {
    this.#limits = limits;
  }

  /** Watch ids in use, on all streams. */
  get total(): number {
    return this.#total;
  }

  /** Connections that have any. */
  get connections(): number {
    return this.#byConnection.size;
  }

  /** The bound that stands against one more on a stream of `peer` that has `onStream` already; undefined if none does. */
  reachedBy(peer: Peer, onStream: number): WatchBound | undefined {
    const { watchersPerStream, watchersPerConnection, watchersTotal } = this.#limits;
    if (onStream >= watchersPerStream) return "watchersPerStream";
    if ((this.#byConnection.get(connectionOf(peer)) ?? 0) >= watchersPerConnection) return "watchersPerConnection";
    return this.#total >= watchersTotal ? "watchersTotal" : undefined;
  }

  add(peer: Peer): void {
    this.#total += 1;
    const connection = connectionOf(peer);
    this.#byConnection.set(connection, (this.#byConnection.get(connection) ?? 0) + 1);
  }

  remove(peer: Peer, count: number): void {
    this.#total -= count;
    const connection = connectionOf(peer);
    const left = (this.#byConnection.get(connection) ?? 0) - count;
    if (left > 0) this.#byConnection.set(connection, left);
    else this.#byConnection.delete(connection);
  }
}

function connectionOf(peer: Peer): Peer {
  return peer.connection ?? peer;
}
