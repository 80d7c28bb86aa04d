/**
 * The world of the simulator's clients, made of real time and real sockets: the same roles, recorder and checks that judge
 * simulated servers then judge a real process. What is drawn from chance follows from the seed; what comes of it does not.
 */
import { connect, type Socket } from "node:net";
import { type Moment, type Party, SeededRandom, type World } from "@holdfast/simulator";
import { type Clock, systemClock, type TransportSocket } from "@holdfast/transport";
import { nowMs } from "../waiting.js";

/** How many of the last notes are kept. */
const notesMax = 200;

export class RealWorld implements World {
  readonly #random: SeededRandom;
  readonly #startedMs = nowMs();
  readonly #parties = new Set<RealParty>();
  readonly #notes: string[] = [];
  /** When each moment was, by its order less one. */
  readonly #momentsMs: number[] = [];
  /** `host:port` of the server; undefined while there is none. */
  endpoint: string | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  get nowMs(): number {
    return nowMs() - this.#startedMs;
  }

  /** The last things that were noted, the oldest first. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  moment(): Moment {
    const ms = this.nowMs;
    return { ms, order: this.#momentsMs.push(ms) };
  }

  /** A time of the monotonic clock as a moment: between those before it and those after it. */
  momentAt(monotonicMs: number): Moment {
    const ms = monotonicMs - this.#startedMs;
    let low = 0;
    let high = this.#momentsMs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#momentsMs[middle] as number) <= ms) low = middle + 1;
      else high = middle;
    }
    return { ms, order: low + 0.5 };
  }

  random(concern: string): SeededRandom {
    return this.#random.fork(concern);
  }

  party(name: string): Party {
    const party = new RealParty(name, this, () => this.#parties.delete(party));
    this.#parties.add(party);
    return party;
  }

  note(line: string): void {
    this.#notes.push(`${this.nowMs.toFixed(0)} ${line}`);
    if (this.#notes.length > notesMax) this.#notes.shift();
  }

  mark(_name: string): void {
    // Which places of the program were reached cannot be told from outside the process.
  }

  /** Ends everybody and closes what they had open. */
  close(): void {
    for (const party of [...this.#parties]) party.kill();
  }
}

class RealParty implements Party {
  readonly name: string;
  readonly clock: Clock = systemClock;
  readonly #world: RealWorld;
  readonly #gone: () => void;
  readonly #sockets = new Set<Socket>();
  readonly #killedListeners: (() => void)[] = [];
  #alive = true;

  constructor(name: string, world: RealWorld, gone: () => void) {
    this.name = name;
    this.#world = world;
    this.#gone = gone;
  }

  get alive(): boolean {
    return this.#alive;
  }

  random(concern: string): SeededRandom {
    return this.#world.random(`${this.name}/${concern}`);
  }

  connect(): Promise<TransportSocket> {
    const { endpoint } = this.#world;
    return new Promise((resolve, reject) => {
      if (endpoint === undefined) {
        reject(Object.assign(new Error("nobody listens"), { code: "ECONNREFUSED" }));
        return;
      }
      const at = endpoint.lastIndexOf(":");
      const socket = connect({ host: endpoint.slice(0, at), port: Number(endpoint.slice(at + 1)) });
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      const failed = (error: Error): void => this.#ifAlive(() => reject(error));
      socket.once("error", failed);
      socket.once("connect", () => {
        socket.off("error", failed);
        // From here on the transport listens for errors; the sockets of the dead have nobody.
        socket.on("error", () => undefined);
        this.#ifAlive(() => resolve(socket));
      });
    });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(() => this.#ifAlive(resolve), ms));
  }

  onKilled(listener: () => void): void {
    this.#killedListeners.push(listener);
  }

  /** One process cannot stop a part of itself: here the party only hears nothing for a time, and its clock goes on. */
  pause(ms: number): void {
    const sockets = [...this.#sockets];
    for (const socket of sockets) socket.pause();
    setTimeout(() => {
      for (const socket of sockets) socket.resume();
    }, ms);
  }

  kill(silently = false): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const socket of this.#sockets) {
      // Nobody reads any more what comes, and nobody says goodbye, until this process ends.
      if (silently) socket.removeAllListeners("data").pause().unref();
      else socket.destroy();
    }
    this.#gone();
    for (const listener of this.#killedListeners) listener();
  }

  #ifAlive(act: () => void): void {
    if (this.#alive) act();
  }
}
