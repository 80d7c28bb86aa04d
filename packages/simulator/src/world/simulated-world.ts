/** The world of one run: scheduler, network, disk and server in one piece, and the clients' view of it. */
import type { TransportSocket } from "@holdfast/transport";
import type { Moment } from "../history/moment.js";
import type { Network } from "./network.js";
import { serverName } from "./node.js";
import type { Owner } from "./owner.js";
import type { SeededRandom } from "./random.js";
import type { Scheduler } from "./scheduler.js";
import type { Party, World } from "./world.js";

export interface WorldParts {
  readonly scheduler: Scheduler;
  readonly network: Network;
  /** Of the clients: nobody else draws from it. */
  readonly random: SeededRandom;
  moment(): Moment;
  note(line: string): void;
  mark(name: string): void;
}

export class SimulatedWorld implements World {
  readonly #parts: WorldParts;
  readonly #parties = new Map<string, SimulatedParty>();
  #births = 0;

  constructor(parts: WorldParts) {
    this.#parts = parts;
  }

  get nowMs(): number {
    return this.#parts.scheduler.nowMs;
  }

  /** Those alive now, in the order in which they were made. */
  get parties(): readonly Party[] {
    return [...this.#parties.values()].filter(({ alive }) => alive);
  }

  moment(): Moment {
    return this.#parts.moment();
  }

  random(concern: string): SeededRandom {
    return this.#parts.random.fork(`world ${concern}`);
  }

  party(name: string): Party {
    if (this.#parties.get(name)?.alive === true) throw new RangeError(`there is a ${name} already`);
    const chance = this.#parts.random.fork(`party ${name} ${++this.#births}`);
    const party = new SimulatedParty(name, this.#parts, chance);
    this.#parties.delete(name);
    this.#parties.set(name, party);
    return party;
  }

  note(line: string): void {
    this.#parts.note(line);
  }

  mark(name: string): void {
    this.#parts.mark(name);
  }
}

class SimulatedParty implements Party {
  readonly name: string;
  readonly clock: Party["clock"];
  readonly #owner: Owner;
  readonly #parts: WorldParts;
  readonly #random: SeededRandom;
  readonly #onKilled: (() => void)[] = [];

  constructor(name: string, parts: WorldParts, random: SeededRandom) {
    this.name = name;
    this.#parts = parts;
    this.#random = random;
    this.#owner = parts.scheduler.owner(name, random.fork("clock").within(0.995, 1.005));
    this.clock = parts.scheduler.clockOf(this.#owner);
  }

  get alive(): boolean {
    return this.#owner.generation === 1;
  }

  random(concern: string): SeededRandom {
    return this.#random.fork(concern);
  }

  connect(): Promise<TransportSocket> {
    return this.alive ? this.#parts.network.connect(this.#owner, serverName) : never();
  }

  sleep(ms: number): Promise<void> {
    if (!this.alive) return never();
    return new Promise((resolve) => {
      this.#parts.scheduler.timer(this.#owner, ms, resolve);
    });
  }

  onKilled(listener: () => void): void {
    this.#onKilled.push(listener);
  }

  pause(ms: number): void {
    this.#parts.note(`${this.name} is paused for ${ms.toFixed(0)} ms`);
    this.#parts.scheduler.pause(this.#owner, ms);
  }

  kill(silently = false): void {
    if (!this.alive) return;
    this.#parts.note(`${this.name} is killed${silently ? " silently" : ""}`);
    this.#parts.network.drop(this.#owner, silently);
    this.#owner.die();
    for (const listener of this.#onKilled.splice(0)) listener();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
