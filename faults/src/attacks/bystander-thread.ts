/**
 * The thread of the well-behaved client: renews a lease, puts and reads at a steady pace, and takes down how long each answer
 * took. In a thread of its own, so that the work of attacking, which goes on in the main one, does not count as the server's.
 */
import { parentPort, workerData } from "node:worker_threads";
import { byteStringFromText, kvService, leaseService } from "@holdfast/protocol";
import { Client } from "../client.js";
import { nowMs } from "../waiting.js";
import type { BystanderFigures, BystanderOrder } from "./bystander.js";

const LEASE_SECONDS = 60;
/** Between two renewals. Each is followed by a put and a read. */
const PACE_MS = 10;

const { endpoint, token } = workerData as { readonly endpoint: string; readonly token: string | undefined };
const key = byteStringFromText("bystander");

class Bystander {
  readonly #client: Client;
  readonly #keepAlives: ReturnType<Client["keepAlives"]>;
  readonly #lease: bigint;
  readonly #sentMs: number[] = [];
  #keepAlivesMs: number[] = [];
  #callsMs: number[] = [];
  #failures: string[] = [];
  #count = 0;

  constructor(client: Client, lease: bigint) {
    this.#client = client;
    this.#lease = lease;
    this.#keepAlives = client.keepAlives(({ ttl }) => this.#renewed(ttl));
    this.#keepAlives.ended.then(({ code, message }) => this.#failures.push(`keepalives ended with ${code} ${message}`));
    setInterval(() => this.#act(), PACE_MS);
  }

  figures(): BystanderFigures {
    const waiting = this.#sentMs.map((sentMs) => nowMs() - sentMs);
    return {
      keepAlivesMs: [...this.#keepAlivesMs, ...waiting],
      callsMs: this.#callsMs,
      failures: this.#failures,
    };
  }

  forget(): void {
    this.#keepAlivesMs = [];
    this.#callsMs = [];
    this.#failures = [];
  }

  #act(): void {
    this.#sentMs.push(nowMs());
    this.#keepAlives.send({ id: this.#lease });
    const value = Buffer.from(String(this.#count++));
    void this.#time(() => this.#client.call(kvService.methods.put, { key, value }));
    void this.#time(() => this.#client.call(kvService.methods.range, { key }));
  }

  async #time(call: () => Promise<{ readonly code: number; readonly message: string }>): Promise<void> {
    const startedMs = nowMs();
    const { code, message } = await call();
    this.#callsMs.push(nowMs() - startedMs);
    if (code !== 0) this.#failures.push(`a call ended with ${code} ${message}`);
  }

  #renewed(ttl: number | bigint): void {
    const sentMs = this.#sentMs.shift();
    if (sentMs !== undefined) this.#keepAlivesMs.push(nowMs() - sentMs);
    if (Number(ttl) <= 0) this.#failures.push("the lease is gone");
  }
}

async function main(): Promise<void> {
  const client = await Client.connect(endpoint, token === undefined ? {} : { token });
  const { id } = await client.must(leaseService.methods.leaseGrant, { ttl: LEASE_SECONDS });
  const bystander = new Bystander(client, id);
  parentPort?.on("message", (order: BystanderOrder) => {
    if (order === "report") parentPort?.postMessage(bystander.figures());
    bystander.forget();
  });
  parentPort?.postMessage("ready");
}

await main();
