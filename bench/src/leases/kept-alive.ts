/**
 * Many leases that are kept alive as clients do it, each renewed when a third of its TTL is over: a steady pace, whatever
 * the server could bear. What that costs the server is what is measured.
 *
 * While another server is measured nobody renews these; so a round begins by renewing all of them, and whoever runs it
 * prepares others when some have expired meanwhile.
 */
import { Latencies } from "../latencies.js";
import type { Connections } from "../load/connections.js";
import { grantLeases } from "../load/leases.js";
import type { RoundDone } from "../load/round-done.js";
import { KeepAliveStream } from "./keep-alive-stream.js";

/** As etcd's own client: three renewals per TTL. */
const renewalsPerTtl = 3;
const tickMs = 20;
const answersWithinMs = 60_000;

export class KeptAliveLeases {
  readonly #connections: Connections;
  readonly #ttlSeconds: number;
  readonly #streams: readonly KeepAliveStream[];
  readonly #leasesPerStream: number;
  #latencies = new Latencies();
  /** The lease whose turn is next; its stream is found by the remainder, so that all streams are busy at all times. */
  #next = 0;
  #inFlight = 0;
  #lost = 0;
  #finished: () => void = () => {};

  private constructor(connections: Connections, leases: readonly bigint[], streams: number, ttlSeconds: number) {
    this.#connections = connections;
    this.#ttlSeconds = ttlSeconds;
    this.#leasesPerStream = leases.length / streams;
    this.#streams = KeepAliveStream.openAll(connections, leases, { count: streams, ttlSeconds }, this.#answered);
  }

  /** Grants `count` leases and spreads them over `streams`. */
  static async prepare(
    connections: Connections,
    { count, streams, ttlSeconds }: { count: number; streams: number; ttlSeconds: number },
  ): Promise<KeptAliveLeases> {
    return new KeptAliveLeases(connections, await grantLeases(connections, count, ttlSeconds), streams, ttlSeconds);
  }

  /** Ends the streams; the leases live on. */
  close(): void {
    for (const stream of this.#streams) stream.cancel();
  }

  /** Renews every lease once; resolves with how many had expired. */
  async renewAll(): Promise<number> {
    this.#lost = 0;
    await this.#untilAnswered(() => {
      for (let number = this.#streams.length * this.#leasesPerStream; number > 0; number--) this.#renewNext();
    });
    return this.#lost;
  }

  /** Keeps all leases alive for so long. @throws Error (rejects) when one is lost. */
  async run(seconds: number): Promise<RoundDone> {
    this.#latencies = new Latencies();
    this.#lost = 0;
    const startMs = performance.now();
    const stopAtMs = startMs + seconds * 1000;
    const perMs = (this.#streams.length * this.#leasesPerStream * renewalsPerTtl) / (this.#ttlSeconds * 1000);
    let sent = 0;
    const paced = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const nowMs = Math.min(performance.now(), stopAtMs);
        for (; sent < (nowMs - startMs) * perMs; sent++) this.#renewNext();
        if (nowMs < stopAtMs) return;
        clearInterval(timer);
        resolve();
      }, tickMs);
    });
    await this.#connections.during("keeping leases alive", seconds * 1000 + answersWithinMs, paced);
    await this.#untilAnswered(() => {});
    if (this.#lost > 0) throw new Error(`${this.#lost} leases were lost though they were renewed in time`);
    return { operations: sent, seconds: (performance.now() - startMs) / 1000, latencies: this.#latencies };
  }

  async #untilAnswered(send: () => void): Promise<void> {
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    send();
    if (this.#inFlight > 0) await this.#connections.during("the last renewals", answersWithinMs, finished);
  }

  #renewNext(): void {
    const number = this.#next;
    this.#next = (number + 1) % (this.#streams.length * this.#leasesPerStream);
    this.#inFlight += 1;
    this.#streams[number % this.#streams.length]!.renew(Math.floor(number / this.#streams.length), performance.now());
  }

  readonly #answered = (_stream: KeepAliveStream, _lease: number, tookMs: number, isAlive: boolean): void => {
    if (!isAlive) this.#lost += 1;
    this.#latencies.add(tookMs);
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#finished();
  };
}
