/** Uses keys as registers: writes, reads of both kinds, and compare-and-swap. */
import { type ByteString, CompareResult, CompareTarget, SortOrder, SortTarget } from "@holdfast/protocol";
import type { Actor } from "../actor.js";
import type { Role } from "../role.js";
import { taggedValue } from "../supplies.js";
import { comparison, getOp, putOp } from "../txn-parts.js";

export class RegisterUser implements Role {
  readonly #actor: Actor;
  /** What this client saw last of each key: what its next compare-and-swap expects. */
  readonly #modRevisions = new Map<ByteString, number>();

  constructor(actor: Actor) {
    this.#actor = actor;
  }

  async step(): Promise<void> {
    const { random, scene } = this.#actor;
    const key = random.pick(scene.supplies.keys);
    const choice = random.below(100);
    if (choice < 30) await this.#put(key);
    else if (choice < 50) await this.#get(key, false);
    else if (choice < 60) await this.#get(key, true);
    else if (choice < 70) await this.#range();
    else if (choice < 90) await this.#compareAndSwap(key);
    else if (choice < 95) await this.#delete(key);
    else await this.#oddPut(key);
  }

  async settle(): Promise<void> {
    const { supplies } = this.#actor.scene;
    await this.#actor.until(async () => {
      const key = supplies.keys[0]!;
      return (await this.#put(key)) && (await this.#get(key, false));
    });
  }

  async #put(key: ByteString): Promise<boolean> {
    const { random, scene } = this.#actor;
    const bytes = scene.supplies.valueBytes(random);
    const prevKv = random.chance(0.3);
    const fate = await this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag, bytes), prevKv }));
    return fate.fate === "done";
  }

  async #get(key: ByteString, serializable: boolean): Promise<boolean> {
    const fate = await this.#actor.call("range", () => ({ key, serializable }));
    if (fate.fate !== "done") return false;
    this.#modRevisions.set(key, fate.response.kvs[0]?.modRevision ?? 0);
    return true;
  }

  async #range(): Promise<void> {
    const { random, scene } = this.#actor;
    const interval = scene.supplies.interval(random);
    await this.#actor.call("range", () => ({
      ...interval,
      serializable: random.chance(0.3),
      limit: random.chance(0.3) ? random.between(1, 3) : 0,
      keysOnly: random.chance(0.1),
      countOnly: random.chance(0.1),
      ...(random.chance(0.3) ? { sortOrder: SortOrder.DESCEND, sortTarget: SortTarget.MOD } : {}),
    }));
  }

  async #compareAndSwap(key: ByteString): Promise<void> {
    const expected = this.#modRevisions.get(key) ?? 0;
    const compare = [
      comparison({ key, target: CompareTarget.MOD, result: CompareResult.EQUAL, modRevision: expected }),
    ];
    const fate = await this.#actor.call("txn", (tag) => ({
      compare,
      success: [putOp({ key, value: taggedValue(tag) })],
      failure: [getOp({ key })],
    }));
    if (fate.fate !== "done") return;
    const { succeeded, header, responses } = fate.response;
    const found = responses[0]?.responseRange?.kvs[0]?.modRevision ?? 0;
    this.#modRevisions.set(key, succeeded ? (header?.revision ?? 0) : found);
  }

  async #delete(key: ByteString): Promise<void> {
    const { random, scene } = this.#actor;
    const interval = random.chance(0.2) ? scene.supplies.interval(random) : { key };
    await this.#actor.call("deleteRange", () => ({ ...interval, prevKv: random.chance(0.3) }));
  }

  /** Puts that keep the value or the lease, and puts that are refused. */
  async #oddPut(key: ByteString): Promise<void> {
    const { random, scene } = this.#actor;
    const choice = random.below(5);
    await this.#actor.call("put", (tag) => {
      if (choice === 0) return { key, ignoreValue: true };
      if (choice === 1) return { key, value: taggedValue(tag), ignoreLease: true };
      if (choice === 2) return { key, value: taggedValue(tag), lease: scene.supplies.leaseId(random) };
      if (choice === 3) return { key, value: taggedValue(tag), ignoreValue: true };
      return { value: taggedValue(tag) };
    });
  }
}
