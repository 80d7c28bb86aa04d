/**
 * The round of a client that holds something for as long as its lease lives: a lease, a hold on it, the lease dropped. What is
 * held, and how it is used, is left to the role.
 */
import type { Actor } from "./actor.js";
import { dropLease, grantLease, type LeaseKeeper } from "./lease-keeper.js";
import type { Role } from "./role.js";

/** A role that holds something by a lease of its own. */
export abstract class Holder implements Role {
  protected readonly actor: Actor;
  protected readonly careful: boolean;

  /** A careful one keeps its lease alive, and stops in time by its own clock (I4c). */
  constructor(actor: Actor, careful: boolean) {
    this.actor = actor;
    this.careful = careful;
  }

  /** One hold on `lease`. Returns whether it was granted. */
  protected abstract hold(lease: LeaseKeeper): Promise<boolean>;

  async step(): Promise<void> {
    await this.#round();
  }

  async settle(): Promise<void> {
    await this.actor.until(() => this.#round());
  }

  /**
   * One hold on a lease of its own. Never two on the same: a call of which the outcome is unknown may still be under way, and
   * take away, by its unlocking or its cancelling, what a later one was granted. Returns whether it was granted.
   */
  async #round(): Promise<boolean> {
    const { random, scene } = this.actor;
    const lease = await grantLease(this.actor, scene.supplies.ttlSeconds(random));
    if (lease === undefined) return false;
    if (this.careful || scene.healing || random.chance(0.5)) lease.start();
    const granted = await this.hold(lease);
    await dropLease(this.actor, lease);
    return granted;
  }
}
