/** A lease that its client keeps alive, and how long it may trust it by its own clock (I4c). */
import type { Actor } from "./actor.js";
import { Refresher } from "./keep-alive.js";

/** Largest error of a clock's rate that the fault model allows (section 2): 0.5 %. */
const CLOCK_RATE_ERROR = 0.005;
/** What a careful holder leaves for the time between looking at its clock and acting. */
const MARGIN_MS = 100;

export class LeaseKeeper {
  readonly id: bigint;
  readonly ttlMs: number;
  readonly #actor: Actor;
  readonly #refresher: Refresher;
  #sentMs: number;
  #stopped = false;
  #lost = false;

  /** @param sentMs when the grant was sent, on the client's clock. */
  constructor(actor: Actor, id: bigint, ttlSeconds: number, sentMs: number) {
    this.#actor = actor;
    this.id = id;
    this.ttlMs = ttlSeconds * 1_000;
    this.#sentMs = sentMs;
    this.#refresher = new Refresher(actor, "keep-alive");
  }

  /** When a careful holder stops trusting the lease, on its own clock: counted from the sending of the last refresh that was answered. */
  get trustedUntilMs(): number {
    return this.#lost ? 0 : this.#sentMs + this.ttlMs * (1 - 2 * CLOCK_RATE_ERROR) - MARGIN_MS;
  }

  get trusted(): boolean {
    return this.#actor.party.clock.nowMs() < this.trustedUntilMs;
  }

  /** Refreshes every third of the TTL, in the background, until `stop` or until the server says that the lease is gone. */
  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#refresher.close();
  }

  async #run(): Promise<void> {
    const { party } = this.#actor;
    for (;;) {
      await party.sleep(this.ttlMs / 3);
      if (this.#stopped) return;
      const sentMs = party.clock.nowMs();
      const fate = await this.#refresher.refresh(this.id);
      if (fate.fate !== "done") continue;
      if (fate.response.ttl > 0) this.#sentMs = Math.max(this.#sentMs, sentMs);
      else this.#lost = true;
      if (this.#lost) return;
    }
  }
}

/** Grants a lease with an id that nobody has used; undefined unless the answer says that it is granted. */
export async function grantLease(actor: Actor, ttlSeconds: number): Promise<LeaseKeeper | undefined> {
  const { supplies } = actor.scene;
  const id = actor.random.chance(0.1) ? 0n : supplies.leaseId(actor.random);
  await actor.line.ready();
  const sentMs = actor.party.clock.nowMs();
  const fate = await actor.call("leaseGrant", () => ({ id, ttl: ttlSeconds }));
  if (fate.fate !== "done") return undefined;
  return new LeaseKeeper(actor, fate.response.id, fate.response.ttl, sentMs);
}

/** Gives a lease back, or, now and then, just lets it run out. */
export async function dropLease(actor: Actor, lease: LeaseKeeper): Promise<void> {
  lease.stop();
  if (!actor.scene.healing && actor.random.chance(0.25)) return;
  await actor.call("leaseRevoke", () => ({ id: lease.id }));
}
