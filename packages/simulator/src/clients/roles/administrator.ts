/** Compacts, takes snapshots, defragments, asks for hashes and status, and clears alarms. */
import { maintenanceService, StatusCode } from "@holdfast/protocol";
import type { Actor } from "../actor.js";
import { clearSpaceAlarm } from "../alarms.js";
import type { Role } from "../role.js";
import { readStream } from "../server-stream.js";

const { defragment, hash, hashKv, snapshot, status } = maintenanceService.methods;

export class Administrator implements Role {
  readonly #actor: Actor;

  constructor(actor: Actor) {
    this.#actor = actor;
  }

  async step(): Promise<void> {
    const { random } = this.#actor;
    const choice = random.below(100);
    if (choice < 40) await this.#compact();
    else if (choice < 55) await this.#snapshot();
    else if (choice < 62) await this.#actor.callUnrecorded(defragment, {});
    else if (choice < 72) await this.#actor.callUnrecorded(hashKv, { revision: this.#revision() });
    else if (choice < 78) await this.#actor.callUnrecorded(hash, {});
    else if (choice < 85) await this.#actor.callUnrecorded(status, {});
    else if (choice < 95) await clearSpaceAlarm(this.#actor);
    else await this.#actor.party.sleep(random.within(0, 2_000));
  }

  async settle(): Promise<void> {
    await this.#actor.until(async () => (await this.#compact()) && (await this.#snapshot()));
  }

  async #compact(): Promise<boolean> {
    const { random, scene } = this.#actor;
    const revision = this.#revision();
    // Where nobody writes, there would be nothing but refusals.
    if (!scene.healing && revision <= scene.compactedRevision && random.chance(0.8)) return false;
    const fate = await this.#actor.call("compact", () => ({ revision, physical: random.chance(0.5) }));
    if (fate.fate === "done") scene.heardCompacted(revision);
    return fate.fate !== "unknown";
  }

  /** A little behind the newest; the newest itself; sometimes what is compacted already, or what is not there yet. */
  #revision(): number {
    const { random, scene } = this.#actor;
    const choice = random.below(10);
    if (choice < 3) return scene.latestRevision;
    if (choice === 3) return 1;
    if (choice === 4) return scene.latestRevision + random.between(1, 50);
    return Math.max(1, scene.latestRevision - random.below(20));
  }

  /** Reads a snapshot to its end. Returns whether it came whole. */
  async #snapshot(): Promise<boolean> {
    let remainingBytes = -1;
    const end = await readStream(this.#actor, snapshot, {}, (part) => {
      remainingBytes = part.remainingBytes;
    });
    const whole = end.status.code === StatusCode.ok;
    if (whole && remainingBytes > 0) {
      this.#actor.scene.complain(this.#actor.name, `MAINT-9: a snapshot ended with ${remainingBytes} bytes to come`);
    }
    return whole && remainingBytes <= 0;
  }
}
