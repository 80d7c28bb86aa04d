/** Leases that are renewed again as soon as a renewal is answered: how many renewals a server answers. */
import { ClosedLoop } from "../load/closed-loop.js";
import type { Connections } from "../load/connections.js";
import { grantLeases, lastingTtlSeconds } from "../load/leases.js";
import type { RoundDone } from "../load/round-done.js";
import { KeepAliveStream } from "./keep-alive-stream.js";

export class Renewals {
  readonly #loop: ClosedLoop;
  readonly #leases: number;
  readonly #streams: readonly KeepAliveStream[];

  private constructor(connections: Connections, leases: readonly bigint[], streams: number) {
    this.#loop = new ClosedLoop(connections, "renewals");
    this.#leases = leases.length;
    const plan = { count: streams, ttlSeconds: lastingTtlSeconds };
    this.#streams = KeepAliveStream.openAll(connections, leases, plan, this.#answered);
  }

  /** Grants the leases and opens the streams; every lease has its own turn in flight. */
  static async prepare(connections: Connections, streams: number, leasesPerStream: number): Promise<Renewals> {
    const leases = await grantLeases(connections, streams * leasesPerStream, lastingTtlSeconds);
    return new Renewals(connections, leases, streams);
  }

  /** Renews for so long; resolves when every renewal is answered. */
  run(seconds: number): Promise<RoundDone> {
    return this.#loop.run(seconds, this.#leases, (nowMs) => {
      for (const stream of this.#streams) {
        for (let lease = 0; lease < stream.leases.length; lease += 1) stream.renew(lease, nowMs);
      }
    });
  }

  readonly #answered = (stream: KeepAliveStream, lease: number, tookMs: number, isAlive: boolean): void => {
    if (!isAlive) throw new Error(`lease ${stream.leases[lease]} was lost`);
    const nowMs = performance.now();
    if (this.#loop.done(nowMs - tookMs, nowMs)) stream.renew(lease, nowMs);
  };
}
