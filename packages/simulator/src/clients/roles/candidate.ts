/** Stands for election, proclaims while it leads, and resigns. Careful or careless in the same way as holders of locks. */
import type { LeaderKey } from "@holdfast/protocol";
import { Holder } from "../holder.js";
import type { LeaseKeeper } from "../lease-keeper.js";
import { taggedValue } from "../supplies.js";
import { Tenure } from "../tenure.js";

const PROCLAMATIONS_MAX = 4;

export class Candidate extends Holder {
  protected async hold(lease: LeaseKeeper): Promise<boolean> {
    const { random, scene } = this.actor;
    const name = random.pick(scene.supplies.electionNames);
    const deadlineMs = scene.healing ? scene.config.waitMs : random.within(1_000, scene.config.waitMs);
    const campaign = (tag: string) => ({ name, lease: lease.id, value: taggedValue(tag) });
    const fate = await this.actor.call("campaign", campaign, { deadlineMs });
    if (fate.fate !== "done" || fate.response.leader === undefined) return false;
    const { leader } = fate.response;
    const from = scene.recorder.moment();
    const grant = { name, kind: "election" as const, key: leader.key, token: leader.rev, from };
    const tenure = Tenure.begin(this.actor, lease, grant, this.careful);
    if (tenure === undefined) return false;
    await this.#lead(tenure, leader);
    tenure.end();
    if (scene.healing || random.chance(0.7)) await this.actor.call("resign", () => ({ leader }));
    return true;
  }

  async #lead(tenure: Tenure, leader: LeaderKey): Promise<void> {
    const { party, random, scene } = this.actor;
    const count = scene.healing ? 1 : random.between(0, PROCLAMATIONS_MAX);
    for (let done = 0; done < count; done++) {
      if (!tenure.write()) return;
      const fate = await this.actor.call("proclaim", (tag) => ({ leader, value: taggedValue(tag) }));
      // Not the leader any more: then it is over, for the careless as well.
      if (fate.fate === "refused") return;
      await party.sleep(random.within(1, 800));
    }
  }
}
