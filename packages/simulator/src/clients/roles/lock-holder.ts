/**
 * Takes a lock, writes to the outside resource while it believes to hold it, and gives it back. A careful holder keeps its
 * lease alive and stops in time by its own clock (I4c); a careless one may sleep for longer than its lease lives and goes on
 * writing, which is what the tokens are for (I5).
 */
import { type ByteString, CompareResult, CompareTarget } from "@holdfast/protocol";
import { Holder } from "../holder.js";
import type { LeaseKeeper } from "../lease-keeper.js";
import { taggedValue } from "../supplies.js";
import { Tenure } from "../tenure.js";
import { comparison, putOp } from "../txn-parts.js";

const WRITES_MAX = 6;

export class LockHolder extends Holder {
  protected async hold(lease: LeaseKeeper): Promise<boolean> {
    const { random, scene } = this.actor;
    const name = random.pick(scene.supplies.lockNames);
    const deadlineMs = scene.healing ? scene.config.waitMs : random.within(1_000, scene.config.waitMs);
    const fate = await this.actor.call("lock", () => ({ name, lease: lease.id }), { deadlineMs });
    if (fate.fate !== "done") return false;
    const from = scene.recorder.moment();
    const { key } = fate.response;
    const token = await this.#tokenOf(key);
    if (token === undefined) return false;
    const tenure = Tenure.begin(this.actor, lease, { name, kind: "lock", key, token, from }, this.careful);
    if (tenure === undefined) return false;
    await this.#use(tenure, key);
    tenure.end();
    if (scene.healing || random.chance(0.8)) await this.actor.call("unlock", () => ({ key }));
    return true;
  }

  /** The token is the create revision of the owner key, never the revision of a header (I5). */
  async #tokenOf(key: ByteString): Promise<number | undefined> {
    const fate = await this.actor.call("range", () => ({ key }));
    return fate.fate === "done" ? fate.response.kvs[0]?.createRevision : undefined;
  }

  async #use(tenure: Tenure, key: ByteString): Promise<void> {
    const { random, scene } = this.actor;
    const writes = scene.healing ? 1 : random.between(1, WRITES_MAX);
    for (let written = 0; written < writes; written++) {
      if (!tenure.write()) return;
      if (random.chance(0.3)) await this.#guardedPut(tenure.token, key);
      await this.#betweenWrites();
    }
  }

  /** A write inside of the store, that happens only while the owner key is the one that was granted. */
  async #guardedPut(token: number, owner: ByteString): Promise<void> {
    const key = this.actor.random.pick(this.actor.scene.supplies.keys);
    const compare = [
      comparison({ key: owner, target: CompareTarget.CREATE, result: CompareResult.EQUAL, createRevision: token }),
    ];
    await this.actor.call("txn", (tag) => ({ compare, success: [putOp({ key, value: taggedValue(tag) })] }));
  }

  async #betweenWrites(): Promise<void> {
    const { party, random, scene } = this.actor;
    const { ttlSecondsMax, mayVanish } = scene.config;
    // Garbage collection, a virtual machine that is moved, a laptop that is closed.
    const naps = !scene.healing && mayVanish && random.chance(this.careful ? 0.05 : 0.2);
    if (naps) party.pause(random.within(0, ttlSecondsMax * 3_000));
    await party.sleep(random.within(1, 800));
  }
}
