/** Does what no good client does, none of which may harm the others: cancels, vanishes, repeats, asks for too much (F19, F22-F24). */
import { type ByteString, maintenanceService } from "@holdfast/protocol";
import type { Actor } from "../actor.js";
import { dropLease, grantLease, type LeaseKeeper } from "../lease-keeper.js";
import type { Line } from "../line.js";
import type { Role } from "../role.js";
import { taggedValue } from "../supplies.js";
import { getOp, txnOp } from "../txn-parts.js";

/** Mean time after which a call is cut short: some are answered before, some have not arrived. */
const CUT_SHORT_MS = 10;
/** Deeper than transactions may be nested. */
const TOO_DEEP = 12;

export class RudeClient implements Role {
  readonly #actor: Actor;
  readonly #second: Line;

  constructor(actor: Actor) {
    this.#actor = actor;
    this.#second = actor.newLine("second line");
  }

  async step(): Promise<void> {
    const { random, scene } = this.#actor;
    const choice = random.below(100);
    if (choice < 20) await this.#cancelledCall();
    else if (choice < 35) await this.#repeatedLock();
    else if (choice < 45) await this.#foreignKeyInQueue();
    else if (choice < 60) await this.#cutCall();
    else if (choice < 70) await this.#impatientCalls();
    else if (choice < 77) await this.#tooMuch();
    else if (choice < 81) await this.#lockWithoutLease();
    else if (choice < 85) await this.#snapshotHalfRead();
    else if (choice < 92) await this.#badUnlock();
    else if (scene.config.mayVanish) await this.#vanish();
  }

  async settle(): Promise<void> {
    const [key] = this.#actor.scene.supplies.keys;
    await this.#actor.until(async () => {
      const fate = await this.#actor.call("put", (tag) => ({ key: key!, value: taggedValue(tag) }));
      return fate.fate === "done";
    });
  }

  /** A write that is cancelled at any moment: unknown, not undone. */
  async #cancelledCall(): Promise<void> {
    const { party, random, scene } = this.#actor;
    const giveUp = new AbortController();
    const timer = party.clock.after(1 + random.wait(CUT_SHORT_MS), () => giveUp.abort());
    const key = random.pick(scene.supplies.keys);
    await this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag) }), { signal: giveUp.signal });
    timer.cancel();
  }

  /** A write whose connection is cut under it. */
  async #cutCall(): Promise<void> {
    const { line, party, random, scene } = this.#actor;
    const timer = party.clock.after(1 + random.wait(CUT_SHORT_MS), () => line.drop());
    const key = random.pick(scene.supplies.keys);
    await this.#actor.call("deleteRange", () => ({ key, prevKv: true }));
    await this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag) }));
    timer.cancel();
  }

  /** Several writes at once, each with hardly any time. */
  async #impatientCalls(): Promise<void> {
    const { random, scene } = this.#actor;
    const calls = Array.from({ length: random.between(2, 6) }, (_, at) => {
      const key = random.pick(scene.supplies.keys);
      const settings = {
        deadlineMs: random.between(1, 40),
        branch: `at-once-${at}`,
        signal: new AbortController().signal,
      };
      return this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag) }), settings);
    });
    await Promise.all(calls);
  }

  /** The same lock on the same lease over two connections: one owner, one key, one token (I5, LOCK-10, LOCK-11). */
  async #repeatedLock(): Promise<void> {
    const { party, random, scene } = this.#actor;
    const lease = await grantLease(this.#actor, scene.supplies.ttlSeconds(random));
    if (lease === undefined) return;
    const name = random.pick(scene.supplies.lockNames);
    const first = this.#lock(name, lease, this.#actor.line, "first");
    await party.sleep(random.within(0, 500));
    const second = this.#lock(name, lease, this.#second, "second");
    const keys = await Promise.all([first, second]);
    const key = keys.find((granted) => granted !== undefined);
    if (key !== undefined) await this.#actor.call("unlock", () => ({ key }));
    await dropLease(this.#actor, lease);
  }

  async #lock(name: ByteString, lease: LeaseKeeper, line: Line, branch: string): Promise<ByteString | undefined> {
    const deadlineMs = this.#actor.random.within(500, 5_000);
    const settings = { deadlineMs, line, branch };
    const fate = await this.#actor.call("lock", () => ({ name, lease: lease.id }), settings);
    return fate.fate === "done" ? fate.response.key : undefined;
  }

  /** An ordinary key in the queue of a lock: everybody behind it waits until it is gone (LOCK-5). */
  async #foreignKeyInQueue(): Promise<void> {
    const { party, random, scene } = this.#actor;
    const lease = await grantLease(this.#actor, scene.config.ttlSecondsMin);
    if (lease === undefined) return;
    const key = `${random.pick(scene.supplies.lockNames)}/by-hand-${lease.id}` as ByteString;
    await this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag), lease: lease.id }));
    await party.sleep(random.within(0, 1_500));
    if (random.chance(0.5)) await this.#actor.call("deleteRange", () => ({ key }));
    await dropLease(this.#actor, lease);
  }

  /** The server makes a lease of a minute, which nobody keeps alive (LOCK-7); it is given back at once, if the key is told. */
  async #lockWithoutLease(): Promise<void> {
    const name = "alone" as ByteString;
    const fate = await this.#actor.call("lock", () => ({ name, lease: 0n }));
    if (fate.fate === "done") await this.#actor.call("unlock", () => ({ key: fate.response.key }));
  }

  async #badUnlock(): Promise<void> {
    const { random } = this.#actor;
    const key = (random.chance(0.5) ? "" : "lock/nobody") as ByteString;
    await this.#actor.call("unlock", () => ({ key }));
    await this.#actor.call("resign", () => ({}));
    await this.#actor.call("lock", () => ({ name: "lock" as ByteString, lease: 123_456_789_123n }));
  }

  async #tooMuch(): Promise<void> {
    const { random, scene } = this.#actor;
    const key = random.pick(scene.supplies.keys);
    if (random.chance(0.5)) {
      await this.#actor.call("put", (tag) => ({ key, value: taggedValue(tag, scene.config.tooLargeBytes) }));
      return;
    }
    let nested = getOp({ key });
    for (let depth = 0; depth < TOO_DEEP; depth++) nested = txnOp({ success: [nested] });
    await this.#actor.call("txn", () => ({ success: [nested] }));
  }

  /** Opens a stream of many answers and goes. */
  async #snapshotHalfRead(): Promise<void> {
    const { path, request } = maintenanceService.methods.snapshot;
    const { grpc } = await this.#second.ready();
    const call = grpc.open(path, { message: () => call.cancel(), end: () => {} });
    call.send(request.encode(request.create()));
    call.halfClose();
  }

  /** Goes in the middle of something: with a word, or half-open (F19). */
  async #vanish(): Promise<void> {
    const { party, random, scene } = this.#actor;
    const lease = await grantLease(this.#actor, scene.config.ttlSecondsMin);
    if (lease === undefined) return;
    const silently = random.chance(0.6);
    party.clock.after(random.within(1, 3_000), () => party.kill(silently));
    await this.#lock(random.pick(scene.supplies.lockNames), lease, this.#actor.line, "vanishing");
    await party.sleep(3_100);
  }
}
