/** Grants leases, hangs keys on them, keeps some alive, gives some back and lets others run out (I6, I7, F15, F18, F22). */
import type { Actor } from "../actor.js";
import { Refresher } from "../keep-alive.js";
import type { Role } from "../role.js";
import { taggedValue } from "../supplies.js";

/** Nobody means to wait for the end of these; the longest there is has nine digits more than a timer takes (F15). */
const LONG_TTLS_SECONDS = [3_600, 2_592_000, 9_000_000_000];
const LEASES_MAX = 4;

/** A lease that may exist. */
interface Lease {
  readonly id: bigint;
  readonly ttlMs: number;
  /** When the last refresh that was answered, or the grant, was sent, on the client's clock. */
  sentMs: number;
}

export class LeaseUser implements Role {
  readonly #actor: Actor;
  readonly #refreshers: readonly Refresher[];
  #leases: Lease[] = [];

  constructor(actor: Actor) {
    this.#actor = actor;
    // The same leases over two connections (F22).
    const second = new Refresher(actor, "refresh-2", actor.newLine("second line"));
    this.#refreshers = [new Refresher(actor, "refresh"), second];
  }

  async step(): Promise<void> {
    const { random } = this.#actor;
    const choice = random.below(100);
    const lease = this.#leases.length === 0 ? undefined : random.pick(this.#leases);
    if (lease === undefined || (choice < 20 && this.#leases.length < LEASES_MAX)) await this.#grant();
    else if (choice < 40) await this.#attach(lease);
    else if (choice < 58) await this.#refresh(lease);
    else if (choice < 70) await this.#refreshLate();
    else if (choice < 80) await this.#ask(lease);
    else if (choice < 84) await this.#actor.call("leaseLeases", () => ({}));
    else if (choice < 93) await this.#revoke(lease);
    else if (choice < 97) this.#forget(lease);
    else await this.#oddCall(lease);
  }

  async settle(): Promise<void> {
    // What was to last for weeks would outlast the run.
    for (const lease of [...this.#leases]) await this.#actor.until(() => this.#revoke(lease));
    await this.#actor.until(async () => {
      const lease = await this.#grant();
      return lease !== undefined && (await this.#refresh(lease)) && (await this.#revoke(lease));
    });
  }

  /** Returns the lease if it is certain that it was granted; otherwise it is remembered all the same. */
  async #grant(short = false): Promise<Lease | undefined> {
    const { party, random, scene } = this.#actor;
    const long = !short && !scene.healing && random.chance(0.15);
    const ttl = long ? random.pick(LONG_TTLS_SECONDS) : scene.supplies.ttlSeconds(random);
    const lease = { id: scene.supplies.leaseId(random), ttlMs: ttl * 1_000, sentMs: party.clock.nowMs() };
    this.#leases.push(lease);
    const fate = await this.#actor.call("leaseGrant", () => ({ id: lease.id, ttl }));
    return fate.fate === "done" ? lease : undefined;
  }

  /** `branch` tells apart what is under way at a time. */
  async #attach({ id }: Lease, branch?: string): Promise<void> {
    const { random, scene } = this.#actor;
    const key = random.pick(scene.supplies.keys);
    const settings = branch === undefined ? {} : { branch };
    await this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag), lease: id }), settings);
  }

  async #ask({ id }: Lease): Promise<void> {
    await this.#actor.call("leaseTimeToLive", () => ({ id, keys: this.#actor.random.chance(0.5) }));
  }

  /** Returns whether the lease was found alive; forgets one that is gone. */
  async #refresh(lease: Lease): Promise<boolean> {
    const { party, random } = this.#actor;
    const sentMs = party.clock.nowMs();
    const used = random.chance(0.2) ? this.#refreshers : [random.pick(this.#refreshers)];
    const fates = await Promise.all(used.map((refresher) => refresher.refresh(lease.id)));
    const ttls = fates.flatMap((fate) => (fate.fate === "done" ? [fate.response.ttl] : []));
    const alive = ttls.some((ttl) => ttl > 0);
    if (alive) lease.sentMs = sentMs;
    else if (ttls.length > 0) this.#forget(lease);
    return alive;
  }

  /** Refreshes leases about when they end: who is told that one lives must find it alive (I7). */
  async #refreshLate(): Promise<void> {
    const leases = this.#leases.filter(({ ttlMs }) => ttlMs < LONG_TTLS_SECONDS[0]! * 1_000);
    while (leases.length < LEASES_MAX) {
      const lease = await this.#grant(true);
      if (lease === undefined) break;
      leases.push(lease);
    }
    await Promise.all(leases.map((lease) => this.#refreshAtItsEnd(lease)));
  }

  async #refreshAtItsEnd(lease: Lease): Promise<void> {
    const { party, random } = this.#actor;
    const leftMs = lease.sentMs + lease.ttlMs - party.clock.nowMs();
    await party.sleep(Math.max(1, leftMs + random.within(-20, 300)));
    if (!(await this.#refresh(lease))) return;
    if (random.chance(0.5)) await this.#refresh(lease);
    await this.#attach(lease, `late-${lease.id}`);
  }

  async #revoke(lease: Lease): Promise<boolean> {
    const fate = await this.#actor.call("leaseRevoke", () => ({ id: lease.id }));
    // Refused: there is no such lease. Who does not know asks again one day.
    if (fate.fate === "unknown") return false;
    this.#forget(lease);
    return true;
  }

  /** It ends by itself, if it is not one of those that last. */
  #forget(lease: Lease): void {
    this.#leases = this.#leases.filter((other) => other !== lease);
  }

  /** Calls that are refused, and one in which the server chooses the id. */
  async #oddCall({ id }: Lease): Promise<void> {
    const { random, scene } = this.#actor;
    const unused = scene.supplies.leaseId(random);
    const choice = random.below(5);
    if (choice === 0) await this.#actor.call("leaseGrant", () => ({ id, ttl: 2 }));
    else if (choice === 1) await this.#actor.call("leaseGrant", () => ({ id: unused, ttl: 9_000_000_001 }));
    else if (choice === 2) await this.#actor.call("leaseGrant", () => ({ id: 0n, ttl: 2 }));
    else if (choice === 3) await this.#actor.call("leaseRevoke", () => ({ id: unused }));
    else await this.#attach({ id: unused, ttlMs: 0, sentMs: 0 });
  }
}
