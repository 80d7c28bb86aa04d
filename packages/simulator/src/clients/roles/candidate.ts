/** Stands for election, proclaims while it leads, and resigns. Careful or careless in the same way as holders of locks. */
import type { LeaderKey } from "@holdfast/protocol";
import type { Actor } from "../actor.js";
import { dropLease, grantLease, type LeaseKeeper } from "../lease-keeper.js";
import type { Role } from "../role.js";
import { taggedValue } from "../supplies.js";
import { Tenure } from "../tenure.js";

const PROCLAMATIONS_MAX = 4;

export class Candidate implements Role {
  readonly #actor: Actor;
  readonly #careful: boolean;

  constructor(actor: Actor, careful: boolean) {
    this.#actor = actor;
    this.#careful = careful;
  }

  async step(): Promise<void> {
    await this.#round();
  }

  async settle(): Promise<void> {
    await this.#actor.until(() => this.#round());
  }

  /** One candidacy on a lease of its own. Returns whether it was elected. */
  async #round(): Promise<boolean> {
    const { random, scene } = this.#actor;
    const lease = await grantLease(this.#actor, scene.supplies.ttlSeconds(random));
    if (lease === undefined) return false;
    if (this.#careful || scene.healing || random.chance(0.5)) lease.start();
    const elected = await this.#stand(lease);
    await dropLease(this.#actor, lease);
    return elected;
  }

  async #stand(lease: LeaseKeeper): Promise<boolean> {
    const { random, scene } = this.#actor;
    const name = random.pick(scene.supplies.electionNames);
    const deadlineMs = scene.healing ? scene.config.waitMs : random.within(1_000, scene.config.waitMs);
    const campaign = (tag: string) => ({ name, lease: lease.id, value: taggedValue(tag) });
    const fate = await this.#actor.call("campaign", campaign, { deadlineMs });
    if (fate.fate !== "done" || fate.response.leader === undefined) return false;
    const { leader } = fate.response;
    const from = scene.recorder.moment();
    const grant = { name, kind: "election" as const, key: leader.key, token: leader.rev, from };
    const tenure = Tenure.begin(this.#actor, lease, grant, this.#careful);
    if (tenure === undefined) return false;
    await this.#lead(tenure, leader);
    tenure.end();
    if (scene.healing || random.chance(0.7)) await this.#actor.call("resign", () => ({ leader }));
    return true;
  }

  async #lead(tenure: Tenure, leader: LeaderKey): Promise<void> {
    const { party, random, scene } = this.#actor;
    const count = scene.healing ? 1 : random.between(0, PROCLAMATIONS_MAX);
    for (let done = 0; done < count; done++) {
      if (!tenure.write()) return;
      const fate = await this.#actor.call("proclaim", (tag) => ({ leader, value: taggedValue(tag) }));
      // Not the leader any more: then it is over, for the careless as well.
      if (fate.fate === "refused") return;
      await party.sleep(random.within(1, 800));
    }
  }
}
