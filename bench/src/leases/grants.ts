/** Leases that are granted as fast as the server can, so many calls at a time. */
import { leaseService } from "@holdfast/protocol";
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import { ClosedLoop } from "../load/closed-loop.js";
import type { Connections } from "../load/connections.js";
import { countLeases, lastingTtlSeconds } from "../load/leases.js";
import type { RoundDone } from "../load/round-done.js";

const { path, request, response } = leaseService.methods.leaseGrant;
const message = request.encode(request.create({ ttl: lastingTtlSeconds }));
/** One answer of so many is decoded and looked at in full. */
const sampleEvery = 100;

export class Grants {
  readonly #connections: Connections;
  readonly #loop: ClosedLoop;
  readonly #callers: readonly Caller[];

  constructor(connections: Connections, inFlight: number) {
    this.#connections = connections;
    this.#loop = new ClosedLoop(connections, "grants");
    this.#callers = Array.from(
      { length: inFlight },
      (_, number) => new Caller(this.#loop, connections.at(number), number),
    );
  }

  /** Grants for so long. */
  run(seconds: number): Promise<RoundDone> {
    return this.#loop.run(seconds, this.#callers.length, (nowMs) => {
      for (const caller of this.#callers) caller.grant(nowMs);
    });
  }

  /** Makes sure that `work`, with so many grants as operations, left exactly so many leases more. */
  async checked<Done extends { readonly operations: number }>(work: () => Promise<Done>): Promise<Done> {
    const before = await countLeases(this.#connections);
    const done = await work();
    const more = (await countLeases(this.#connections)) - before;
    if (more !== done.operations) throw new Error(`${done.operations} grants made ${more} leases`);
    return done;
  }
}

class Caller implements CallListener {
  readonly #loop: ClosedLoop;
  readonly #connection: DriverConnection;
  #startMs = 0;
  #untilSample: number;

  constructor(loop: ClosedLoop, connection: DriverConnection, number: number) {
    this.#loop = loop;
    this.#connection = connection;
    this.#untilSample = number % sampleEvery;
  }

  grant(nowMs: number): void {
    this.#startMs = nowMs;
    this.#connection.unary(path, message, this);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    if (this.#untilSample-- > 0) return;
    this.#untilSample = sampleEvery - 1;
    const { id, ttl } = response.decode(chunk, from, to);
    if (id <= 0n || ttl !== lastingTtlSeconds) throw new Error(`LeaseGrant answered lease ${id} with TTL ${ttl}`);
  }

  end(): void {
    const nowMs = performance.now();
    if (this.#loop.done(this.#startMs, nowMs)) this.grant(nowMs);
  }
}
