/**
 * A disk in memory that forgets what was not synced, tears sectors, loses names, runs full and fails
 * on command (fault model 8.4). For tests of the file engine and for the simulator.
 *
 * A process uses the disk through a mount. A crash comes in two steps, as in life: the process dies
 * (`kill`, or a fault that says "crash" at some operation), then the machine comes back (`restart`)
 * with what survived. Nothing is ever answered, and nothing done, through a mount from before.
 */

import { grown } from "../bytes.js";
import { LogFolderLockedError } from "../errors.js";
import type { Disk, DiskFile, DiskOperation, OpenMode } from "../file/disk.js";
import { SimulatedFile } from "./simulated-file.js";
import { SimulatedNames } from "./simulated-names.js";

/** What survives besides what was synced. `kind`: everything, as after SIGKILL. `strict`: nothing. `wild`: any part. */
export type CrashMode = "kind" | "strict" | "wild";

/**
 * How long an operation takes: a turn of the event loop, as on a real disk; less, for tests of very many cases; or as long
 * as the promise that is returned for it, which need not settle for a process that is dead.
 */
export type Pace = "turns" | "microtasks" | ((operation: DiskOperation, path: string) => Promise<void>);

export type Fault =
  | { readonly kind: "error"; readonly code: string }
  /** A write that takes only so many bytes. */
  | { readonly kind: "short"; readonly bytes: number }
  /** The process dies before the operation has any effect. */
  | { readonly kind: "crash" };

/** Asked before each operation; `count` numbers them from 1 in each life. */
export type FaultPlan = (operation: DiskOperation, path: string, count: number) => Fault | undefined;

export class SimulatedDisk {
  /** Faults to come; none by default. */
  faults: FaultPlan | undefined;
  /** Whether files can be written past the cache; once it is false, no more. */
  isDirect = false;
  readonly names: SimulatedNames;
  readonly locks = new Set<string>();
  readonly #pace: Pace;
  #life = 1;
  #dead = false;
  #count = 0;
  #died: () => void = () => {};
  #death = new Promise<void>((resolve) => (this.#died = resolve));

  constructor(pace: Pace = "turns", names = new SimulatedNames()) {
    this.#pace = pace;
    this.names = names;
  }

  /** The same, with files that can be written past the cache. */
  static direct(pace: Pace = "turns"): SimulatedDisk {
    const disk = new SimulatedDisk(pace);
    disk.isDirect = true;
    return disk;
  }

  /** A disk that holds `image`, all of it durable. The buffers are copied before they are changed. */
  static holding(image: ReadonlyMap<string, Buffer>, pace: Pace = "turns"): SimulatedDisk {
    const files = [...image].map(([path, contents]) => [path, new SimulatedFile(contents)] as const);
    return new SimulatedDisk(pace, new SimulatedNames(files));
  }

  /** The disk as one process sees it: dead when that process is. */
  mount(): Disk {
    return new Mount(this, this.#life);
  }

  /** Resolves when the process that uses the disk has died. */
  get death(): Promise<void> {
    return this.#death;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Operations asked for so far, in this life. */
  get operations(): number {
    return this.#count;
  }

  /** What a reader would see, by path. */
  image(): Map<string, Buffer> {
    return new Map([...this.names.entries()].map(([path, file]) => [path, Buffer.from(file.contents)]));
  }

  /** Changes durable bytes behind everybody's back, as a failing medium does (fault model F4). @param flip XORed to the byte. */
  rot(path: string, position: number, flip: number): void {
    this.names.get(path)?.rot(position, flip);
  }

  /** Ends the process that uses the disk. */
  kill(): void {
    this.#dead = true;
    this.#died();
  }

  /** Brings the machine back. */
  restart(mode: CrashMode, random: () => number): void {
    if (mode === "kind") for (const [, file] of this.names.entries()) file.settleDirect(random);
    else this.#powerCut(mode, random);
    this.#life += 1;
    this.#dead = false;
    this.#count = 0;
    this.locks.clear();
    this.#death = new Promise((resolve) => (this.#died = resolve));
  }

  isGone(life: number): boolean {
    return this.#dead || life !== this.#life;
  }

  /** The way of every asynchronous call: ask for a fault, let time pass, fail or go on. Never settles for the dead. */
  async step(operation: DiskOperation, path: string, life: number): Promise<Fault | undefined> {
    const fault = this.#ask(operation, path, life);
    if (this.#pace === "turns") await new Promise((resolve) => setImmediate(resolve));
    else if (this.#pace === "microtasks") await undefined;
    else await this.#pace(operation, path);
    if (fault === "dead" || this.isGone(life)) return new Promise<never>(() => {});
    if (fault?.kind === "error") throw failure(fault.code, operation, path);
    return fault;
  }

  /** The same within one turn. Throws for the dead. */
  stepNow(operation: DiskOperation, path: string, life: number): Fault | undefined {
    const fault = this.#ask(operation, path, life);
    if (fault === "dead") throw new Error("the simulated process is dead");
    if (fault?.kind === "error") throw failure(fault.code, operation, path);
    return fault;
  }

  #ask(operation: DiskOperation, path: string, life: number): Fault | undefined | "dead" {
    if (this.isGone(life)) return "dead";
    this.#count += 1;
    const fault = this.faults?.(operation, path, this.#count);
    if (fault?.kind !== "crash") return fault;
    this.kill();
    return "dead";
  }

  #powerCut(mode: "strict" | "wild", random: () => number): void {
    this.names.powerCut(() => mode === "wild" && random() < 0.5);
    for (const [, file] of this.names.entries()) {
      if (mode === "wild") file.keepSome(random);
      else file.forgetUnsynced();
    }
  }
}

class Mount implements Disk {
  readonly #disk: SimulatedDisk;
  readonly #life: number;

  constructor(disk: SimulatedDisk, life: number) {
    this.#disk = disk;
    this.#life = life;
  }

  async makeFolder(operation: DiskOperation, folder: string): Promise<void> {
    await this.#step(operation, folder);
  }

  async lockFolder(operation: DiskOperation, folder: string): Promise<() => Promise<void>> {
    await this.#step(operation, folder);
    const { locks } = this.#disk;
    if (locks.has(folder)) throw new LogFolderLockedError(folder);
    locks.add(folder);
    return async () => {
      if (!this.#disk.isGone(this.#life)) locks.delete(folder);
    };
  }

  async list(operation: DiskOperation, folder: string): Promise<string[]> {
    await this.#step(operation, folder);
    return this.#disk.names.in(folder);
  }

  async syncFolder(operation: DiskOperation, folder: string): Promise<void> {
    await this.#step(operation, folder);
    this.#disk.names.sync(folder);
  }

  async open(operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile> {
    await this.#step(operation, path);
    const { names } = this.#disk;
    let file = names.get(path);
    if (mode === "create") {
      if (file !== undefined) throw failure("EEXIST", operation, path);
      file = new SimulatedFile();
      names.change([path, file]);
    }
    if (file === undefined) throw failure("ENOENT", operation, path);
    return new SimulatedHandle(this.#disk, this.#life, path, file);
  }

  async rename(operation: DiskOperation, from: string, to: string): Promise<void> {
    await this.#step(operation, from);
    const { names } = this.#disk;
    const file = names.get(from);
    if (file === undefined) throw failure("ENOENT", operation, from);
    names.change([to, file], [from, undefined]);
  }

  async remove(operation: DiskOperation, path: string): Promise<void> {
    await this.#step(operation, path);
    const { names } = this.#disk;
    if (names.get(path) === undefined) throw failure("ENOENT", operation, path);
    names.change([path, undefined]);
  }

  appendMemory(current: Buffer, bytes: number): Buffer {
    return grown(current, bytes);
  }

  async close(): Promise<void> {}

  #step(operation: DiskOperation, path: string): Promise<Fault | undefined> {
    return this.#disk.step(operation, path, this.#life);
  }
}

class SimulatedHandle implements DiskFile {
  readonly path: string;
  readonly #disk: SimulatedDisk;
  readonly #life: number;
  readonly #file: SimulatedFile;
  #isPrepared = false;

  constructor(disk: SimulatedDisk, life: number, path: string, file: SimulatedFile) {
    this.#disk = disk;
    this.#life = life;
    this.path = path;
    this.#file = file;
  }

  async size(operation: DiskOperation): Promise<number> {
    await this.#disk.step(operation, this.path, this.#life);
    return this.#file.bytes;
  }

  async read(operation: DiskOperation, target: Buffer, length: number, position: number): Promise<number> {
    await this.#disk.step(operation, this.path, this.#life);
    return this.#file.read(target, length, position);
  }

  readNow(operation: DiskOperation, target: Buffer, length: number, position: number): number {
    this.#disk.stepNow(operation, this.path, this.#life);
    return this.#file.read(target, length, position);
  }

  async write(
    operation: DiskOperation,
    source: Buffer,
    from: number,
    length: number,
    position: number,
  ): Promise<number> {
    const fault = await this.#disk.step(operation, this.path, this.#life);
    return this.#writeAsFar(fault, source, from, length, position);
  }

  writeNow(operation: DiskOperation, source: Buffer, from: number, length: number, position: number): number {
    const fault = this.#disk.stepNow(operation, this.path, this.#life);
    return this.#writeAsFar(fault, source, from, length, position);
  }

  async shorten(operation: DiskOperation, length: number): Promise<void> {
    await this.#disk.step(operation, this.path, this.#life);
    this.#file.shorten(length);
  }

  async sync(operation: DiskOperation): Promise<void> {
    try {
      await this.#disk.step(operation, this.path, this.#life);
    } catch (error) {
      this.#file.failSync();
      throw error;
    }
    this.#file.sync();
  }

  syncThen(operation: DiskOperation, done: (error: Error | undefined) => void): void {
    this.sync(operation).then(
      () => done(undefined),
      (error: Error) => done(error),
    );
  }

  async prepareDirect(operation: DiskOperation): Promise<void> {
    if (!this.#disk.isDirect) return;
    this.#isPrepared = await this.#disk.step(operation, this.path, this.#life).then(
      () => true,
      () => false,
    );
  }

  get isDirect(): boolean {
    return this.#isPrepared && this.#disk.isDirect;
  }

  writeDirect(
    operation: DiskOperation,
    source: Buffer,
    from: number,
    length: number,
    position: number,
    done: (error: Error | undefined, count: number) => void,
  ): void {
    if (this.#disk.isGone(this.#life)) return;
    const write = this.#file.beginDirect(source, from, length, position);
    this.#disk.step(operation, this.path, this.#life).then(
      (fault) => {
        const count = fault?.kind === "short" ? Math.min(length, fault.bytes) : length;
        this.#file.endDirect(write, count);
        done(undefined, count);
      },
      (error: Error) => {
        this.#file.failDirect(write);
        done(error, 0);
      },
    );
  }

  async close(operation: DiskOperation): Promise<void> {
    await this.#disk.step(operation, this.path, this.#life);
  }

  #writeAsFar(fault: Fault | undefined, source: Buffer, from: number, length: number, position: number): number {
    const count = fault?.kind === "short" ? Math.min(length, fault.bytes) : length;
    if (count > 0) this.#file.write(source, from, count, position);
    return count;
  }
}

function failure(code: string, operation: DiskOperation, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${operation} ${path}`), { code });
}
