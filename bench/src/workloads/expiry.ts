/**
 * Many leases with a key each that run out at the same moment: from the first DELETE event that a watcher sees to the
 * last. All are renewed in one go at the end of the preparation, so that they are due together; what is measured begins
 * when the first is due.
 *
 * One operation is one lease. The events are counted exactly, and at the end no key is left.
 */

import {
  byteStringFromText,
  createLeaseKeepAliveRequest,
  createPutRequest,
  EventType,
  kvService,
  leaseService,
  type WatchResponse,
} from "@holdfast/protocol";
import { callMany } from "../driver/calls.js";
import { Connections } from "../load/connections.js";
import { grantLeases } from "../load/leases.js";
import { measureUsage } from "../load/usage.js";
import { endOfPrefix } from "../referee/requests.js";
import type { Server } from "../servers/server.js";
import { TurnReader } from "../turns/turn-reader.js";
import { WatcherStream } from "../watch/watcher-stream.js";
import type { Bench, Load, Sample, Workload } from "../workload.js";

const keyPrefix = "expiring/";
const loadingConnections = 4;
const callsInFlight = 500;
const prepareWithinMs = 120_000;
/** etcd ends about a thousand leases per second. */
const msPerLeaseMax = 10;
const quickLeases = 2_000;
/** Shorter spreads are not told apart: everything may come in one message. */
const spreadMsMin = 1;

/** Long enough to prepare so many before the first is due. */
function ttlSecondsOf(leases: number): number {
  return leases > 20_000 ? 60 : 5;
}

function checkDeletions(_watcher: number, { events }: WatchResponse): void {
  if (events.some(({ type }) => type !== EventType.DELETE)) throw new Error("an event that is no DELETE");
}

class ExpiryLoad implements Load {
  readonly #server: Server;
  readonly #turns: TurnReader;
  readonly #connections: Connections;
  readonly #leases: number;

  constructor(server: Server, turns: TurnReader, connections: Connections, leases: number) {
    this.#server = server;
    this.#turns = turns;
    this.#connections = connections;
    this.#leases = leases;
  }

  async round(): Promise<Sample> {
    const ids = await grantLeases(this.#connections, this.#leases, ttlSecondsOf(this.#leases));
    await this.#putAll(ids);
    await this.#renewAll(ids);
    await this.#turns.longestTurnMs();
    const used = measureUsage(this.#server);
    const spreadMs = await this.#awaitDeletions();
    const sample = {
      figure: this.#leases / (Math.max(spreadMs, spreadMsMin) / 1000),
      operations: this.#leases,
      ...used(),
    };
    const longestTurnMs = await this.#turns.longestTurnMs();
    await this.#checkEmpty();
    return longestTurnMs === undefined ? sample : { ...sample, longestTurnMs };
  }

  async close(): Promise<void> {
    this.#connections.close();
    this.#turns.close();
  }

  async #putAll(ids: readonly bigint[]): Promise<void> {
    const { path, request } = kvService.methods.put;
    const plan = { path, count: this.#leases, inFlight: callsInFlight };
    const put = callMany(this.#connections.all, plan, (number) =>
      request.encode(createPutRequest({ key: byteStringFromText(`${keyPrefix}${number}`), lease: ids[number] ?? 0n })),
    );
    await this.#connections.during("putting keys", prepareWithinMs, put);
  }

  /** Every lease gets its full time again. */
  #renewAll(ids: readonly bigint[]): Promise<void> {
    const { path, request, response } = leaseService.methods.leaseKeepAlive;
    const renewed = new Promise<void>((resolve, reject) => {
      const listener = {
        message: (chunk: Uint8Array, from: number, to: number) => {
          if (response.decode(chunk, from, to).ttl <= 0) reject(new Error("a lease ended before it was renewed"));
        },
        end: () => resolve(),
      };
      const stream = this.#connections.at(0).open(path, listener);
      for (const id of ids) stream.send(request.encode(createLeaseKeepAliveRequest({ id })));
      stream.halfClose();
    });
    return this.#connections.during("renewing leases", prepareWithinMs, renewed);
  }

  /** Resolves with the time from the first DELETE to the last. */
  #awaitDeletions(): Promise<number> {
    const deleted = new Promise<number>((resolve, reject) => {
      let seen = 0;
      let firstMs = 0;
      const events = (_watcher: number, count: number): void => {
        if (seen === 0) firstMs = performance.now();
        seen += count;
        if (seen > this.#leases) reject(new Error(`${seen} events of ${this.#leases} leases`));
        if (seen < this.#leases) return;
        stream.cancel();
        resolve(performance.now() - firstMs);
      };
      const watched = { key: keyPrefix, rangeEnd: endOfPrefix(keyPrefix) };
      const listener = { created: () => {}, events, sample: checkDeletions };
      const stream = new WatcherStream(this.#connections.at(1), [watched], listener);
    });
    const withinMs = ttlSecondsOf(this.#leases) * 1000 + Math.max(30_000, this.#leases * msPerLeaseMax);
    return this.#connections.during("the end of all leases", withinMs, deleted);
  }

  async #checkEmpty(): Promise<void> {
    const client = await this.#server.connect();
    const { count } = await client.range(keyPrefix, { rangeEnd: endOfPrefix(keyPrefix), isCountOnly: true });
    client.close();
    if (count !== 0) throw new Error(`${count} keys are left after all DELETE events`);
  }
}

async function open(bench: Bench, leases: number): Promise<Load> {
  const turns = new TurnReader();
  const server = await bench.start(turns.startOptions);
  return new ExpiryLoad(server, turns, await Connections.open(server, loadingConnections), leases);
}

function expiryWorkload(leases: number, isLong: boolean): Workload {
  return {
    name: `${leases.toLocaleString("en-US")} leases expire together (quick: ${quickLeases.toLocaleString("en-US")})`,
    group: "expiry",
    unit: "leases/s",
    goal: { ratio: 20, sense: "at least", longestTurnMsMax: 50 },
    isLong,
    roundsMax: isLong ? 1 : 2,
    open: (bench) => open(bench, bench.isQuick ? Math.min(leases, quickLeases) : leases),
  };
}

export const expiryWorkloads: readonly Workload[] = [expiryWorkload(10_000, false), expiryWorkload(100_000, true)];
