/**
 * One end of a connection of the simulated network. What is written travels in pieces of any size and comes out at the
 * other end in order, after a delay, as fast as its reader takes it; what waits on the way is bounded, so that writing
 * waits in the end.
 */
import { Duplex } from "node:stream";
import type { Owner } from "./owner.js";
import type { SeededRandom } from "./random.js";
import type { Cancel, Scheduler } from "./scheduler.js";
import { digestOfBytes } from "./trace.js";

export interface LinkSettings {
  /** Mean time that bytes are under way. */
  readonly latencyMs: number;
  /** How likely a delivery takes ten to a hundred times as long. */
  readonly spikeChance: number;
  /** Largest piece that is delivered at once. */
  readonly pieceBytesMax: number;
  /** Bytes that may be under way before writing waits. */
  readonly windowBytes: number;
}

export interface SocketParts {
  readonly scheduler: Scheduler;
  readonly owner: Owner;
  readonly random: SeededRandom;
  readonly settings: LinkSettings;
  /** Name of the party at the other end, as the address it comes from. */
  readonly peer: string;
  readonly port: number;
}

/** How a connection can be lost. */
export type Loss = "end" | "reset";

export class SimulatedSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly owner: Owner;
  /** True once its owner died without telling. */
  vanished = false;
  readonly #parts: SocketParts;
  readonly #generation: number;
  #other: SimulatedSocket | undefined;
  /** Bytes on their way to the other end. */
  readonly #underWay: Buffer[] = [];
  #underWayBytes = 0;
  #delivery: Cancel | undefined;
  /** Goes on with writing when there is room again. */
  #room: (() => void) | undefined;
  /** What follows behind the last byte. */
  #lossToTell: Loss | undefined;
  #cloggedUntilMs = 0;
  /** Nothing gets through any more, and nobody is told. */
  #hole = false;
  /** The other end knows nothing of this connection. */
  #orphaned = false;
  /** Longest pause before this end's reader takes the next piece. */
  #readPauseMs = 0;
  #wantsMore = true;

  constructor(parts: SocketParts) {
    super({ allowHalfOpen: false, highWaterMark: 16 * 1024 });
    this.#parts = parts;
    this.owner = parts.owner;
    this.#generation = parts.owner.generation;
    this.remoteAddress = parts.peer;
    this.remotePort = parts.port;
  }

  /** To be called once, with the other end. */
  join(other: SimulatedSocket): void {
    this.#other = other;
  }

  /** Nothing that is sent from this end arrives for `ms`. */
  clog(ms: number): void {
    this.#cloggedUntilMs = Math.max(this.#cloggedUntilMs, this.#parts.scheduler.nowMs + ms);
    if (this.#delivery === undefined) return;
    this.#delivery.cancel();
    this.#delivery = undefined;
    this.#schedule();
  }

  unclog(): void {
    this.#cloggedUntilMs = 0;
  }

  /** From now on nothing that is sent from this end arrives, not even its close. */
  swallow(): void {
    this.#hole = true;
    this.#underWay.length = 0;
    this.#underWayBytes = 0;
    this.#delivery?.cancel();
    this.#delivery = undefined;
  }

  /** The reader at this end takes up to `ms` before each further piece. */
  readSlowly(ms: number): void {
    this.#readPauseMs = ms;
  }

  /** The connection is lost: this end hears of it after a while. */
  lose(how: Loss): void {
    const { scheduler, random, settings, owner } = this.#parts;
    scheduler.after(random.wait(settings.latencyMs), "input", owner, () => this.#lost(how));
  }

  /** Both ends hear that the connection is lost. */
  cut(how: Loss): void {
    this.lose(how);
    this.#other?.lose(how);
  }

  /** The owner has died, and its machine with it: nothing more leaves this end, and nobody is told. */
  vanish(): void {
    this.vanished = true;
    this.swallow();
  }

  /** The owner has died, and the system ends its connections: behind what is under way, or at once with a reset. */
  abandon(how: Loss): void {
    this.vanished = true;
    if (how === "reset") this.#underWay.length = 0;
    this.#lossToTell ??= how;
    this.#schedule();
  }

  /** Whatever is sent from now on is answered with a reset. */
  orphan(): void {
    this.#orphaned = true;
    if (this.#underWayBytes > 0) this.lose("reset");
  }

  override _read(): void {
    this.#wantsMore = true;
    this.#other?.goOn();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (!this.#isAlive) return;
    if (this.#orphaned) this.lose("reset");
    if (!this.#hole) {
      this.#underWay.push(chunk);
      this.#schedule();
    }
    this.#underWayBytes += chunk.length;
    if (this.#underWayBytes <= this.#parts.settings.windowBytes) done();
    else this.#room = done;
  }

  override _final(done: (error?: Error) => void): void {
    this.#tell("end");
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#tell(error === null ? "end" : "reset");
    done(error);
  }

  /** The other end can take more. */
  goOn(): void {
    if (this.#underWay.length > 0) this.#schedule();
  }

  get #isAlive(): boolean {
    return this.owner.generation === this.#generation && !this.vanished;
  }

  #tell(loss: Loss): void {
    if (this.#lossToTell !== undefined || this.#hole || !this.#isAlive) return;
    this.#lossToTell = loss;
    this.#schedule();
  }

  #schedule(isNext = false): void {
    const other = this.#other;
    if (other === undefined || this.#delivery !== undefined || this.#hole) return;
    if (!other.#wantsMore && this.#underWay.length > 0) return;
    const { scheduler, random, settings } = this.#parts;
    // What waits behind a piece that has just arrived follows closely.
    let delayMs = random.wait(isNext ? settings.latencyMs / 20 : settings.latencyMs);
    if (random.chance(settings.spikeChance)) delayMs *= random.within(10, 100);
    if (other.#readPauseMs > 0) delayMs += random.within(0, other.#readPauseMs);
    delayMs = Math.max(delayMs, this.#cloggedUntilMs - scheduler.nowMs);
    const first = this.#underWay[0];
    const digest = first === undefined ? 1 : digestOfBytes(first);
    this.#delivery = scheduler.after(delayMs, "input", other.owner, () => this.#deliver(other), digest);
  }

  #deliver(other: SimulatedSocket): void {
    this.#delivery = undefined;
    const piece = this.#nextPiece();
    if (piece !== undefined) {
      if (!other.destroyed) other.#wantsMore = other.push(piece);
    } else if (this.#lossToTell !== undefined) {
      other.#lost(this.#lossToTell);
      return;
    }
    if (this.#underWay.length > 0 || this.#lossToTell !== undefined) this.#schedule(true);
    this.#makeRoom();
  }

  #nextPiece(): Buffer | undefined {
    if (this.#underWay.length === 0) return undefined;
    const { random, settings } = this.#parts;
    // Small writes that are under way together may arrive together.
    if (this.#underWay.length > 1) this.#underWay.splice(0, this.#underWay.length, Buffer.concat(this.#underWay));
    const all = this.#underWay[0] as Buffer;
    const length = Math.min(all.length, random.between(1, settings.pieceBytesMax));
    if (length === all.length) this.#underWay.shift();
    else this.#underWay[0] = all.subarray(length);
    this.#underWayBytes -= length;
    return all.subarray(0, length);
  }

  /** Writing goes on in the sender's own turn. */
  #makeRoom(): void {
    const room = this.#room;
    if (room === undefined || this.#underWayBytes > this.#parts.settings.windowBytes / 2) return;
    this.#room = undefined;
    const { scheduler, random, settings } = this.#parts;
    scheduler.after(random.wait(settings.latencyMs), "input", this.owner, () => {
      if (!this.destroyed && this.#isAlive) room();
    });
  }

  #lost(how: Loss): void {
    if (this.destroyed || !this.#isAlive) return;
    if (how === "end") this.push(null);
    else this.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
  }
}
