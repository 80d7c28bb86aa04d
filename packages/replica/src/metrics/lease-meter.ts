/** What is counted and measured of leases. What the numbers are called outside is left to the server. */
import { Histogram, risingBounds } from "./histogram.js";

export class LeaseMeter {
  granted = 0;
  /** Ended for whatever reason. */
  ended = 0;
  /** Those among `ended` whose time had passed. */
  expired = 0;
  renewed = 0;
  /** Lifetimes asked for by grants; the bounds are etcd's. */
  readonly ttlSeconds = new Histogram(risingBounds(1, 2, 24));
  /**
   * The share of its TTL that had passed when a lease was renewed. Clients usually renew after a third; near 1 a lease
   * was almost lost, and above 1 it lives only because its end had not been proposed yet.
   */
  readonly renewalShare = new Histogram([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1]);

  countGrant(ttlSeconds: number): void {
    this.granted++;
    this.ttlSeconds.observe(ttlSeconds);
  }

  countRenewal(ttlSeconds: number, remainingMs: number): void {
    this.renewed++;
    this.renewalShare.observe(1 - remainingMs / (ttlSeconds * 1_000));
  }

  countEnd(expired: boolean): void {
    this.ended++;
    if (expired) this.expired++;
  }
}
