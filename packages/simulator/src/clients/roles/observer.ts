/** Looks on at elections: asks who leads, and observes. */
import { type ByteString, electionService, type LeaderResponse } from "@holdfast/protocol";
import type { CallListener, ClientCall } from "@holdfast/transport";
import type { Actor } from "../actor.js";
import type { Role } from "../role.js";

const { path, request, response } = electionService.methods.observe;

/** One Observe call. Its messages are no calls of the history; only what is wrong in any history is told. */
class Observation implements CallListener {
  readonly #actor: Actor;
  readonly #call: ClientCall;
  open = true;
  /** Messages that came. */
  count = 0;
  #headerRevision = 0;
  #createRevision = 0;

  constructor(actor: Actor, call: (listener: CallListener) => ClientCall, name: ByteString) {
    this.#actor = actor;
    this.#call = call(this);
    this.#call.send(request.encode(request.create({ name })));
    this.#call.halfClose();
  }

  message(bytes: Uint8Array): void {
    if (!this.#actor.party.alive) return;
    this.count++;
    this.#check(response.decode(bytes.slice()));
  }

  end(): void {
    this.open = false;
  }

  close(): void {
    this.#call.cancel();
  }

  #check({ header, kv }: LeaderResponse): void {
    const { name, scene } = this.#actor;
    const revision = header?.revision ?? 0;
    const created = kv?.createRevision ?? 0;
    scene.heard(revision);
    if (revision < this.#headerRevision) scene.complain(name, `ELECT-23: Observe went back to revision ${revision}`);
    // Leaders follow each other in the order in which they joined (I5).
    if (created < this.#createRevision) scene.complain(name, `ELECT-26: Observe told an older leader, of ${created}`);
    this.#headerRevision = revision;
    this.#createRevision = created;
  }
}

export class Observer implements Role {
  readonly #actor: Actor;
  #observation: Observation | undefined = undefined;

  constructor(actor: Actor) {
    this.#actor = actor;
  }

  async step(): Promise<void> {
    const { random } = this.#actor;
    const choice = random.below(10);
    if (choice < 4) await this.#askLeader();
    else if (choice < 7) await this.#observe();
    else if (choice < 8) this.#observation?.close();
    else await this.#actor.party.sleep(random.within(0, 2_000));
  }

  async settle(): Promise<void> {
    this.#observation?.close();
    // Without candidates the answer is that there is no leader: an answer all the same.
    await this.#actor.until(() => this.#askLeader());
  }

  async #askLeader(): Promise<boolean> {
    const name = this.#actor.random.pick(this.#actor.scene.supplies.electionNames);
    const fate = await this.#actor.call("leader", () => ({ name }));
    return fate.fate !== "unknown";
  }

  async #observe(): Promise<void> {
    if (this.#observation?.open === true) return;
    const { grpc } = await this.#actor.line.ready();
    const name = this.#actor.random.pick(this.#actor.scene.supplies.electionNames);
    this.#observation = new Observation(this.#actor, (listener) => grpc.open(path, listener), name);
  }
}
