/** Queues up for a lock and gives up while it waits, by cancelling, by its deadline, or with its connection (F24). */
import type { Actor } from "../actor.js";
import { dropLease, grantLease } from "../lease-keeper.js";
import type { Role } from "../role.js";

export class Contender implements Role {
  readonly #actor: Actor;

  constructor(actor: Actor) {
    this.#actor = actor;
  }

  async step(): Promise<void> {
    const { random, scene } = this.#actor;
    const lease = await grantLease(this.#actor, scene.supplies.ttlSeconds(random));
    if (lease === undefined) return;
    if (random.chance(0.6)) lease.start();
    await this.#contend(lease.id);
    await dropLease(this.#actor, lease);
  }

  async settle(): Promise<void> {
    await this.#actor.until(async () => {
      const lease = await grantLease(this.#actor, this.#actor.scene.config.ttlSecondsMax);
      if (lease === undefined) return false;
      lease.start();
      const locked = await this.#lockAndUnlock(lease.id);
      await dropLease(this.#actor, lease);
      return locked;
    });
  }

  async #contend(lease: bigint): Promise<void> {
    const { line, party, random, scene } = this.#actor;
    const patienceMs = random.within(1, 3_000);
    const how = random.below(3);
    const giveUp = new AbortController();
    const timer = party.clock.after(patienceMs, () => (how === 0 ? giveUp.abort() : line.drop()));
    if (how === 1) timer.cancel();
    const name = random.pick(scene.supplies.lockNames);
    const deadlineMs = how === 1 ? patienceMs : scene.config.waitMs;
    const fate = await this.#actor.call("lock", () => ({ name, lease }), { deadlineMs, signal: giveUp.signal });
    timer.cancel();
    if (fate.fate === "done") await this.#actor.call("unlock", () => ({ key: fate.response.key }));
  }

  async #lockAndUnlock(lease: bigint): Promise<boolean> {
    const { random, scene } = this.#actor;
    const name = random.pick(scene.supplies.lockNames);
    const fate = await this.#actor.call("lock", () => ({ name, lease }), { deadlineMs: scene.config.waitMs });
    if (fate.fate !== "done") return false;
    const unlocked = await this.#actor.call("unlock", () => ({ key: fate.response.key }));
    return unlocked.fate === "done";
  }
}
