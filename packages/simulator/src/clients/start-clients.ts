/**
 * Brings clients to life in a world, and back to life when they are killed. When the faults are over it sees to it that
 * each does once more what it is there for.
 */
import type { Call } from "../history/calls.js";
import type { Hold, ResourceWrite } from "../history/holds.js";
import type { WatchRecord } from "../history/watches.js";
import type { World } from "../world/world.js";
import { Actor } from "./actor.js";
import { clearSpaceAlarm } from "./alarms.js";
import { type ClientsConfig, defaultClientsConfig, type RoleName } from "./config.js";
import { roleFactories } from "./roles/all-roles.js";
import { Scene } from "./scene.js";

/** Beyond the TTL of a lease that nobody refreshes; by then it has ended (I14). */
const EXPIRY_MARGIN_MS = 3_000;
const POLL_MS = 250;

/** The clients of a run. */
export interface Clients {
  readonly calls: readonly Call[];
  readonly watches: readonly WatchRecord[];
  readonly holds: readonly Hold[];
  readonly resourceWrites: readonly ResourceWrite[];
  /** What was wrong at first sight, in no need of a history: each is a violation. */
  readonly complaints: readonly string[];
  /**
   * The faults are over. From now on everybody behaves well and must make progress once more (I14): `done` resolves when all
   * have, when leases that nobody keeps have had the time to end, and when watches have come to the final revision.
   */
  heal(): void;
  readonly done: Promise<void>;
  /** Whom `done` waits for: what to say when it takes too long. */
  waitingFor(): readonly string[];
  /** Ends all clients at once. */
  stop(): void;
}

class Troupe implements Clients {
  readonly done: Promise<void>;
  readonly #scene: Scene;
  readonly #living = new Map<string, Actor>();
  /** Clients that have not settled yet, by name. */
  readonly #unsettled = new Set<string>();
  readonly #watchers = new Set<string>();
  #finish: () => void = () => {};
  #stopped = false;

  constructor(world: World, config: ClientsConfig) {
    this.#scene = new Scene(world, config);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const counts = new Map<RoleName, number>();
    for (const role of config.roles) {
      const count = (counts.get(role) ?? 0) + 1;
      counts.set(role, count);
      this.#enter(role, `${role}-${count}`);
    }
  }

  get calls(): readonly Call[] {
    return this.#scene.recorder.calls;
  }

  get watches(): readonly WatchRecord[] {
    return this.#scene.recorder.watches;
  }

  get holds(): readonly Hold[] {
    return this.#scene.recorder.holds;
  }

  get resourceWrites(): readonly ResourceWrite[] {
    return this.#scene.recorder.resourceWrites;
  }

  get complaints(): readonly string[] {
    return this.#scene.complaints;
  }

  heal(): void {
    if (this.#scene.healing) return;
    this.#scene.healing = true;
    this.#watch(this.#close());
  }

  waitingFor(): readonly string[] {
    return [...this.#unsettled];
  }

  stop(): void {
    this.#stopped = true;
    for (const actor of this.#living.values()) actor.party.kill();
    this.#living.clear();
  }

  #enter(role: RoleName, name: string): void {
    this.#unsettled.add(name);
    if (role === "watcher") this.#watchers.add(name);
    this.#live(role, name, 1);
  }

  /** One life of a client; when it is killed, another begins a little later under a name of its own. */
  #live(role: RoleName, name: string, life: number): void {
    const actor = new Actor(this.#scene, this.#scene.world.party(life === 1 ? name : `${name}.${life}`));
    this.#living.set(name, actor);
    actor.onKilled(() => {
      if (!this.#stopped && this.#unsettled.has(name)) this.#live(role, name, life + 1);
    });
    this.#watch(this.#play(role, name, actor, life));
  }

  async #play(role: RoleName, name: string, actor: Actor, life: number): Promise<void> {
    const { config } = this.#scene;
    if (life > 1) await actor.party.sleep(actor.random.within(0, 2 * config.rebirthMs));
    const player = roleFactories[role](actor);
    while (!this.#scene.healing) {
      if (actor.callsMade < config.callsPerClientMax) await player.step();
      await actor.think();
    }
    await player.settle();
    this.#unsettled.delete(name);
  }

  /** After the others have settled: lets leases run out, and tells the watchers how far they must come. */
  async #close(): Promise<void> {
    const caretaker = "caretaker";
    this.#unsettled.add(caretaker);
    const actor = new Actor(this.#scene, this.#scene.world.party(caretaker));
    this.#living.set(caretaker, actor);
    await this.#allSettled(actor, (name) => name !== caretaker && !this.#watchers.has(name));
    await actor.party.sleep(this.#scene.config.ttlSecondsMax * 1_000 + EXPIRY_MARGIN_MS);
    await actor.until(() => this.#findFinalRevision(actor));
    await this.#allSettled(actor, (name) => name !== caretaker);
    this.#unsettled.delete(caretaker);
    this.#finish();
  }

  async #allSettled(actor: Actor, counts: (name: string) => boolean): Promise<void> {
    while ([...this.#unsettled].some(counts)) {
      await clearSpaceAlarm(actor);
      await actor.party.sleep(POLL_MS);
    }
  }

  async #findFinalRevision(actor: Actor): Promise<boolean> {
    const fate = await actor.call("range", () => this.#scene.supplies.allKeys);
    if (fate.fate === "done") this.#scene.finalRevision = fate.response.header?.revision;
    return fate.fate === "done";
  }

  /** A role that fails is a mistake of the role; it must not pass in silence. */
  #watch(life: Promise<void>): void {
    life.catch((error: unknown) => {
      this.#scene.complain("clients", error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  }
}

/** Brings the clients of `config` to life in `world`. They act until `heal`, and then until `done`. */
export function startClients(world: World, config: ClientsConfig = defaultClientsConfig): Clients {
  return new Troupe(world, config);
}
