/**
 * The leases of an import: granted at the target under the ids they have at the source, and renewed until the import is over,
 * so that each has its full lifetime left when the clients come over. Late is allowed, early never.
 */
import { performance } from "node:perf_hooks";
import { type Connection, EtcdError, etcdErrors, leaseService } from "@holdfast/client";
import { RefusedError } from "../remote/outcome-errors.js";
import { importLimits } from "./limits.js";

const { leaseLeases, leaseTimeToLive, leaseGrant, leaseKeepAlive } = leaseService.methods;

export class LeaseBook {
  readonly #source: Connection;
  readonly #target: Connection;
  /** Of every lease looked up: whether the target has it. */
  readonly #known = new Map<bigint, boolean>();
  #granted = 0;
  #shortestTtlSeconds = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> | undefined;
  #renewedMs = 0;

  constructor(source: Connection, target: Connection) {
    this.#source = source;
    this.#target = target;
  }

  /** Leases that the target has now because of this import. */
  get granted(): number {
    return this.#granted;
  }

  /** Leases of the source that the target has, whoever granted them. */
  get present(): number {
    return this.#ids().length;
  }

  /** Leases that ended at the target in the middle of the import. */
  lost = 0;

  /** Whether the target has the lease; undefined if `ensure` has to be asked. */
  state(leaseId: bigint): boolean | undefined {
    return this.#known.get(leaseId);
  }

  /** Copies every lease of the source. Throws `EtcdError`, `RefusedError`. */
  async copyAll(): Promise<void> {
    const { leases } = await this.#source.call(leaseLeases);
    const left = leases.map(({ id }) => id);
    const worker = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) await this.ensure(id);
    };
    await Promise.all(Array.from({ length: importLimits.leasesAtOnce }, worker));
  }

  /** Copies a lease unless that was done; false if it has ended at the source. Throws `EtcdError`, `RefusedError`. */
  async ensure(leaseId: bigint): Promise<boolean> {
    const known = this.#known.get(leaseId);
    if (known !== undefined) return known;
    const { grantedTtl } = await this.#source.call(leaseTimeToLive, { id: leaseId });
    // LEASE-28: a lease that is unknown was granted no time.
    const exists = grantedTtl > 0;
    if (exists) await this.#grant(leaseId, grantedTtl);
    this.#known.set(leaseId, exists);
    return exists;
  }

  /** Renews what was copied whenever a third of the shortest lifetime has passed, until `stop`. */
  start(): void {
    this.#renewedMs = performance.now();
    this.#timer = setInterval(() => this.#renewIfDue(), importLimits.renewalCheckMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Gives every lease its full lifetime again, and finds those that have ended. Throws `EtcdError`. */
  async renew(): Promise<void> {
    await this.#renewal?.catch(() => undefined);
    this.#renewal = this.#renewAll();
    await this.#renewal;
  }

  #renewIfDue(): void {
    const now = performance.now();
    if (now - this.#renewedMs < (this.#shortestTtlSeconds * 1_000) / 3) return;
    // What fails here is seen by the calls that copy keys, and by the renewal at the end.
    this.renew().catch(() => undefined);
  }

  async #renewAll(): Promise<void> {
    this.#renewedMs = performance.now();
    const ids = this.#ids();
    if (ids.length === 0) return;
    const stream = await this.#target.open(leaseKeepAlive);
    for (const id of ids) stream.send({ id });
    stream.halfClose();
    for await (const { id, ttl } of stream) {
      if (ttl > 0) continue;
      this.#known.delete(id);
      this.lost += 1;
    }
  }

  async #grant(leaseId: bigint, ttlSeconds: number): Promise<void> {
    this.#shortestTtlSeconds = Math.min(this.#shortestTtlSeconds, ttlSeconds);
    try {
      await this.#target.call(leaseGrant, { id: leaseId, ttl: ttlSeconds });
      this.#granted += 1;
    } catch (error) {
      if (!(error instanceof EtcdError && error.is(etcdErrors.leaseExist))) throw error;
      await this.#checkTtl(leaseId, ttlSeconds);
    }
  }

  /** Its client would renew a lease of the target's as seldom as its own lifetime demands. */
  async #checkTtl(leaseId: bigint, ttlSeconds: number): Promise<void> {
    const { grantedTtl } = await this.#target.call(leaseTimeToLive, { id: leaseId });
    if (grantedTtl === 0) await this.#grant(leaseId, ttlSeconds);
    else if (grantedTtl < ttlSeconds) {
      const name = BigInt.asUintN(64, leaseId).toString(16);
      throw new RefusedError(
        `lease ${name} has ${grantedTtl} s at the target and ${ttlSeconds} s at the source, and would end early; ` +
          "revoke it at the target, then run the import again",
      );
    }
  }

  #ids(): bigint[] {
    return [...this.#known].filter(([, exists]) => exists).map(([id]) => id);
  }
}
