/** A client that grants a lease and keeps it alive, one refresh at a time, and takes down how long each answer took. */
import { leaseService } from "@holdfast/protocol";
import { Client, type ClientOptions, type Stream } from "./client.js";
import { nowMs } from "./waiting.js";

export interface LeaseKeeperOptions extends ClientOptions {
  readonly ttlSeconds: number;
  /** Time between the sending of two refreshes. */
  readonly everyMs: number;
}

export class LeaseKeeper {
  readonly client: Client;
  readonly lease: bigint;
  readonly #stream: Stream<{ readonly id: bigint }>;
  readonly #timer: NodeJS.Timeout;
  /** When the refreshes were sent whose answers are still to come: answers come in order. */
  readonly #sentMs: number[] = [];
  #latenciesMs: number[] = [];
  /** Refreshes that were answered with "there is no such lease". */
  lostCount = 0;
  answeredCount = 0;

  private constructor(client: Client, lease: bigint, everyMs: number) {
    this.client = client;
    this.lease = lease;
    this.#stream = client.keepAlives(({ ttl }) => this.#answered(ttl));
    this.#timer = setInterval(() => this.#refresh(), everyMs);
  }

  static async start(endpoint: string, options: LeaseKeeperOptions): Promise<LeaseKeeper> {
    const client = await Client.connect(endpoint, options);
    const { id } = await client.must(leaseService.methods.leaseGrant, { ttl: options.ttlSeconds });
    return new LeaseKeeper(client, id, options.everyMs);
  }

  /** Refreshes sent and not answered. */
  get waitingCount(): number {
    return this.#sentMs.length;
  }

  /** Forgets the latencies so far. */
  forget(): void {
    this.#latenciesMs = [];
  }

  /**
   * The latency in milliseconds that this share (0 … 1) of the refreshes stayed below. A refresh without an answer counts
   * with the time it has waited so far.
   */
  latencyMs(share: number): number {
    const waiting = this.#sentMs.map((sentMs) => nowMs() - sentMs);
    const sorted = [...this.#latenciesMs, ...waiting].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }

  /** No further refreshes; the lease will end. */
  letGo(): void {
    clearInterval(this.#timer);
  }

  stop(): void {
    this.letGo();
    this.client.destroy();
  }

  #refresh(): void {
    if (!this.client.usable) return;
    this.#sentMs.push(nowMs());
    this.#stream.send({ id: this.lease });
  }

  #answered(ttl: number): void {
    const sentMs = this.#sentMs.shift();
    if (sentMs !== undefined) this.#latenciesMs.push(nowMs() - sentMs);
    this.answeredCount++;
    if (ttl <= 0) this.lostCount++;
  }
}
