/** Leases that are renewed again as soon as a renewal is answered: how many renewals a server answers. */
import { Latencies } from "../latencies.js";
import type { Connections } from "../load/connections.js";
import { grantLeases, lastingTtlSeconds } from "../load/leases.js";
import { KeepAliveStream } from "./keep-alive-stream.js";

const lastAnswersWithinMs = 30_000;

/** What one round did. */
export interface RenewalsDone {
  readonly renewals: number;
  readonly seconds: number;
  readonly latencies: Latencies;
}

export class Renewals {
  readonly #connections: Connections;
  readonly #streams: readonly KeepAliveStream[];
  #latencies = new Latencies();
  #renewals = 0;
  #inFlight = 0;
  #stopAtMs = 0;
  #finished: () => void = () => {};

  private constructor(connections: Connections, leases: readonly bigint[], streams: number) {
    this.#connections = connections;
    const perStream = leases.length / streams;
    this.#streams = Array.from({ length: streams }, (_, number) => {
      const ofStream = leases.slice(number * perStream, (number + 1) * perStream);
      return new KeepAliveStream(connections.at(number), ofStream, lastingTtlSeconds, this.#answered);
    });
  }

  /** Grants the leases and opens the streams; every lease has its own turn in flight. */
  static async prepare(connections: Connections, streams: number, leasesPerStream: number): Promise<Renewals> {
    const leases = await grantLeases(connections, streams * leasesPerStream, lastingTtlSeconds);
    return new Renewals(connections, leases, streams);
  }

  /** Renews for so long; resolves when every renewal is answered. */
  async run(seconds: number): Promise<RenewalsDone> {
    this.#latencies = new Latencies();
    this.#renewals = 0;
    const startMs = performance.now();
    this.#stopAtMs = startMs + seconds * 1000;
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    for (const stream of this.#streams) {
      stream.leases.forEach((_, lease) => {
        this.#inFlight += 1;
        stream.renew(lease, startMs);
      });
    }
    await this.#connections.during("the last renewals", seconds * 1000 + lastAnswersWithinMs, finished);
    const elapsedSeconds = (performance.now() - startMs) / 1000;
    return { renewals: this.#renewals, seconds: elapsedSeconds, latencies: this.#latencies };
  }

  readonly #answered = (stream: KeepAliveStream, lease: number, tookMs: number, isAlive: boolean): void => {
    if (!isAlive) throw new Error(`lease ${stream.leases[lease]} was lost`);
    this.#renewals += 1;
    this.#latencies.add(tookMs);
    const nowMs = performance.now();
    if (nowMs < this.#stopAtMs) stream.renew(lease, nowMs);
    else if (--this.#inFlight === 0) this.#finished();
  };
}
