/** Makes transactions of every shape: nested, with all comparisons, previous values, and reads of the past and the future. */
import {
  type ByteString,
  type Compare,
  CompareResult,
  CompareTarget,
  type RequestOp,
  type TxnRequest,
} from "@holdfast/protocol";
import type { Actor } from "../actor.js";
import type { Role } from "../role.js";
import { taggedValue } from "../supplies.js";
import { comparison, deleteOp, getOp, putOp, txnOp } from "../txn-parts.js";

const DEPTH_MAX = 3;
const COMPARE_RESULTS = [CompareResult.EQUAL, CompareResult.GREATER, CompareResult.LESS, CompareResult.NOT_EQUAL];

export class TransactionUser implements Role {
  readonly #actor: Actor;
  /** Puts that the transaction under construction has so far: each writes a value of its own. */
  #puts = 0;
  /** Keys that it has not written so far. To write one twice is refused, and worth trying only now and then. */
  #unwritten: ByteString[] = [];
  #lastValue = "";

  constructor(actor: Actor) {
    this.#actor = actor;
  }

  async step(): Promise<void> {
    const { random } = this.#actor;
    if (random.chance(0.2)) await this.#readAt(this.#someRevision());
    else if (random.chance(0.03)) await this.#tooMany();
    else await this.#transaction();
  }

  async settle(): Promise<void> {
    await this.#actor.until(async () => {
      const [key = "k" as never] = this.#actor.scene.supplies.keys;
      const fate = await this.#actor.call("txn", (tag) => ({
        success: [putOp({ key, value: taggedValue(tag) }), txnOp({ success: [getOp({ key })] })],
      }));
      return fate.fate === "done";
    });
  }

  async #transaction(): Promise<void> {
    const fate = await this.#actor.call("txn", (tag) => {
      this.#puts = 0;
      this.#unwritten = this.#actor.random.shuffled(this.#actor.scene.supplies.keys);
      this.#lastValue = `${tag}/1`;
      return this.#txn(tag, 1);
    });
    if (fate.fate === "done") this.#actor.scene.heard(fate.response.header?.revision);
  }

  #txn(tag: string, depth: number): Partial<TxnRequest> {
    const { random } = this.#actor;
    return {
      compare: this.#several(2, () => this.#compare()),
      success: this.#several(3, () => this.#op(tag, depth)),
      failure: this.#several(3, () => this.#op(tag, depth)),
      ...(random.chance(0.3) ? { compare: [] } : {}),
    };
  }

  #op(tag: string, depth: number): RequestOp {
    const { random, scene } = this.#actor;
    const interval = scene.supplies.interval(random);
    const choice = random.below(100);
    if (choice < 45) return this.#putOp(tag);
    if (choice < 58) return this.#deleteOp();
    if (choice < 60) return deleteOp({ ...interval, prevKv: random.chance(0.5) });
    if (choice < 80 || depth === DEPTH_MAX) return this.#getOp();
    if (choice < 85) return getOp({ ...interval, revision: this.#someRevision() });
    return txnOp(this.#txn(tag, depth + 1));
  }

  #putOp(tag: string): RequestOp {
    const { random } = this.#actor;
    this.#puts++;
    const key = this.#keyToWrite();
    if (key === undefined) return this.#getOp();
    const prevKv = random.chance(0.4);
    if (random.chance(0.05)) return putOp({ key, ignoreValue: true, prevKv });
    return putOp({ key, value: taggedValue(`${tag}/${this.#puts}`), prevKv });
  }

  #deleteOp(): RequestOp {
    const key = this.#keyToWrite();
    return key === undefined ? this.#getOp() : deleteOp({ key, prevKv: this.#actor.random.chance(0.5) });
  }

  #getOp(): RequestOp {
    const { random, scene } = this.#actor;
    return getOp({ ...scene.supplies.interval(random), limit: random.below(3) });
  }

  #keyToWrite(): ByteString | undefined {
    const { random, scene } = this.#actor;
    return random.chance(0.03) ? random.pick(scene.supplies.keys) : this.#unwritten.pop();
  }

  #compare(): Compare {
    const { random, scene } = this.#actor;
    const fields = {
      key: random.pick(scene.supplies.keys),
      result: random.pick(COMPARE_RESULTS),
      ...(random.chance(0.15) ? { rangeEnd: scene.supplies.allKeys.rangeEnd } : {}),
    };
    const revision = random.chance(0.4) ? 0 : Math.max(0, scene.latestRevision - random.below(20));
    const choice = random.below(5);
    if (choice === 0) return comparison({ ...fields, target: CompareTarget.VERSION, version: random.below(4) });
    if (choice === 1) return comparison({ ...fields, target: CompareTarget.CREATE, createRevision: revision });
    if (choice === 2) return comparison({ ...fields, target: CompareTarget.MOD, modRevision: revision });
    if (choice === 3)
      return comparison({ ...fields, target: CompareTarget.VALUE, value: taggedValue(this.#lastValue) });
    return comparison({ ...fields, target: CompareTarget.LEASE, lease: 0n });
  }

  /** In the past, perhaps compacted; the present; or in the future. */
  #someRevision(): number {
    const { random, scene } = this.#actor;
    const choice = random.below(100);
    if (choice < 10) return scene.latestRevision + random.between(1, 1_000);
    if (choice < 20) return 1;
    // Around where history begins: one before is gone, the first itself is there.
    if (choice < 50) return Math.max(1, scene.compactedRevision + random.between(-1, 1));
    return Math.max(1, scene.latestRevision - random.below(30));
  }

  async #readAt(revision: number): Promise<void> {
    const { random, scene } = this.#actor;
    const interval = scene.supplies.interval(random);
    await this.#actor.call("range", () => ({ ...interval, revision, serializable: random.chance(0.3) }));
  }

  /** Over the limits of operations in one transaction: refused as a whole. */
  async #tooMany(): Promise<void> {
    const { random, scene } = this.#actor;
    const key = random.pick(scene.supplies.keys);
    await this.#actor.call("txn", () => ({ success: Array.from({ length: 129 }, () => getOp({ key })) }));
  }

  #several<T>(most: number, one: () => T): T[] {
    return Array.from({ length: this.#actor.random.between(0, most) }, one);
  }
}
