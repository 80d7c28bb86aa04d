/** Leases that are granted as fast as the server can, so many calls at a time. */
import { leaseService } from "@holdfast/protocol";
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import { Latencies } from "../latencies.js";
import type { Connections } from "../load/connections.js";
import { countLeases, lastingTtlSeconds } from "../load/leases.js";

const { path, request, response } = leaseService.methods.leaseGrant;
const message = request.encode(request.create({ ttl: lastingTtlSeconds }));
/** One answer of so many is decoded and looked at in full. */
const sampleEvery = 100;
const lastAnswersWithinMs = 30_000;

/** What one round did. */
export interface GrantsDone {
  readonly grants: number;
  readonly seconds: number;
  readonly latencies: Latencies;
}

export class Grants {
  readonly #connections: Connections;
  readonly #inFlight: number;
  latencies = new Latencies();
  #grants = 0;
  #stopAtMs = 0;
  #busy = 0;
  #finished: () => void = () => {};

  constructor(connections: Connections, inFlight: number) {
    this.#connections = connections;
    this.#inFlight = inFlight;
  }

  /** Grants for so long. */
  async run(seconds: number): Promise<GrantsDone> {
    this.latencies = new Latencies();
    this.#grants = 0;
    const startMs = performance.now();
    this.#stopAtMs = startMs + seconds * 1000;
    this.#busy = this.#inFlight;
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    for (let number = 0; number < this.#inFlight; number++) {
      new Caller(this, this.#connections.at(number), number).grant(startMs);
    }
    await this.#connections.during("the last grants", seconds * 1000 + lastAnswersWithinMs, finished);
    return { grants: this.#grants, seconds: (performance.now() - startMs) / 1000, latencies: this.latencies };
  }

  /** Makes sure that `work`, with so many grants as operations, left exactly so many leases more. */
  async checked<Done extends { readonly operations: number }>(work: () => Promise<Done>): Promise<Done> {
    const before = await countLeases(this.#connections);
    const done = await work();
    const more = (await countLeases(this.#connections)) - before;
    if (more !== done.operations) throw new Error(`${done.operations} grants made ${more} leases`);
    return done;
  }

  /** A grant was answered; returns whether its caller shall go on. */
  granted(startMs: number, nowMs: number): boolean {
    this.#grants += 1;
    this.latencies.add(nowMs - startMs);
    if (nowMs < this.#stopAtMs) return true;
    this.#busy -= 1;
    if (this.#busy === 0) this.#finished();
    return false;
  }
}

class Caller implements CallListener {
  readonly #grants: Grants;
  readonly #connection: DriverConnection;
  #startMs = 0;
  #untilSample: number;

  constructor(grants: Grants, connection: DriverConnection, number: number) {
    this.#grants = grants;
    this.#connection = connection;
    this.#untilSample = number % sampleEvery;
  }

  grant(nowMs: number): void {
    this.#startMs = nowMs;
    this.#connection.unary(path, message, this);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    if (this.#untilSample-- > 0) return;
    this.#untilSample = sampleEvery;
    const { id, ttl } = response.decode(chunk, from, to);
    if (id <= 0n || ttl !== lastingTtlSeconds) throw new Error(`LeaseGrant answered lease ${id} with TTL ${ttl}`);
  }

  end(): void {
    const nowMs = performance.now();
    if (this.#grants.granted(this.#startMs, nowMs)) this.grant(nowMs);
  }
}
