/**
 * A disk in memory that forgets what was not synced, tears sectors, loses names, runs full and fails
 * on command (fault model 8.4). For tests of the file engine and for the simulator.
 *
 * A crash comes in two steps, as in life: the process dies (`kill`, or a fault that says "crash" at
 * some operation; whatever it had asked for is never answered), then the machine comes back
 * (`restart`) with what survived.
 */

import { dirname } from "node:path";
import { LogFolderLockedError } from "../errors.js";
import type { Disk, DiskFile, DiskOperation, OpenMode } from "../file/disk.js";
import { SimulatedFile } from "./simulated-file.js";

/** What survives besides what was synced. `kind`: everything, as after SIGKILL. `strict`: nothing. `wild`: any part. */
export type CrashMode = "kind" | "strict" | "wild";

/** How long an operation takes: a turn of the event loop, as on a real disk, or less, for tests of very many cases. */
export type Pace = "turns" | "microtasks";

export type Fault =
  | { readonly kind: "error"; readonly code: string }
  /** A write that takes only so many bytes. */
  | { readonly kind: "short"; readonly bytes: number }
  /** The process dies before the operation has any effect. */
  | { readonly kind: "crash" };

/** Asked before each operation; `count` numbers them from 1. */
export type FaultPlan = (operation: DiskOperation, path: string, count: number) => Fault | undefined;

interface NameChange {
  readonly folder: string;
  /** Undefined takes the name away. */
  readonly names: readonly (readonly [path: string, file: SimulatedFile | undefined])[];
}

export class SimulatedDisk implements Disk {
  /** Faults to come; none by default. */
  faults: FaultPlan | undefined;
  #names = new Map<string, SimulatedFile>();
  #durableNames = new Map<string, SimulatedFile>();
  #unsyncedNames: NameChange[] = [];
  readonly #locks = new Set<string>();
  #life = 1;
  #dead = false;
  #count = 0;
  #died: () => void = () => {};
  #death = new Promise<void>((resolve) => (this.#died = resolve));

  readonly #pace: Pace;

  constructor(pace: Pace = "turns") {
    this.#pace = pace;
  }

  /** A disk that holds `image`, all of it durable. The buffers are copied before they are changed. */
  static holding(image: ReadonlyMap<string, Buffer>, pace: Pace = "turns"): SimulatedDisk {
    const disk = new SimulatedDisk(pace);
    for (const [path, contents] of image) disk.#names.set(path, new SimulatedFile(contents));
    disk.#durableNames = new Map(disk.#names);
    return disk;
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
    return new Map([...this.#names].map(([path, file]) => [path, Buffer.from(file.contents)]));
  }

  /** Ends the process that uses the disk: nothing it asked for is answered any more. */
  kill(): void {
    this.#dead = true;
    this.#died();
  }

  /** Brings the machine back. */
  restart(mode: CrashMode, random: () => number): void {
    if (mode !== "kind") this.#powerCut(mode, random);
    this.#life += 1;
    this.#dead = false;
    this.#count = 0;
    this.#locks.clear();
    this.#death = new Promise((resolve) => (this.#died = resolve));
  }

  async makeFolder(operation: DiskOperation, folder: string): Promise<void> {
    await this.step(operation, folder, this.#life);
  }

  async lockFolder(operation: DiskOperation, folder: string): Promise<() => Promise<void>> {
    const life = this.#life;
    await this.step(operation, folder, life);
    if (this.#locks.has(folder)) throw new LogFolderLockedError(folder);
    this.#locks.add(folder);
    return async () => {
      if (life === this.#life) this.#locks.delete(folder);
    };
  }

  async list(operation: DiskOperation, folder: string): Promise<string[]> {
    await this.step(operation, folder, this.#life);
    const inFolder = [...this.#names.keys()].filter((path) => dirname(path) === folder);
    return inFolder.map((path) => path.slice(folder.length + 1));
  }

  async syncFolder(operation: DiskOperation, folder: string): Promise<void> {
    await this.step(operation, folder, this.#life);
    for (const change of this.#unsyncedNames) if (change.folder === folder) apply(change, this.#durableNames);
    this.#unsyncedNames = this.#unsyncedNames.filter((change) => change.folder !== folder);
  }

  async open(operation: DiskOperation, path: string, mode: OpenMode): Promise<DiskFile> {
    const life = this.#life;
    await this.step(operation, path, life);
    let file = this.#names.get(path);
    if (mode === "create") {
      if (file !== undefined) throw failure("EEXIST", operation, path);
      file = new SimulatedFile();
      this.#change({ folder: dirname(path), names: [[path, file]] });
    }
    if (file === undefined) throw failure("ENOENT", operation, path);
    return new SimulatedHandle(this, life, path, file);
  }

  async rename(operation: DiskOperation, from: string, to: string): Promise<void> {
    await this.step(operation, from, this.#life);
    const file = this.#names.get(from);
    if (file === undefined) throw failure("ENOENT", operation, from);
    this.#change({
      folder: dirname(to),
      names: [
        [to, file],
        [from, undefined],
      ],
    });
  }

  async remove(operation: DiskOperation, path: string): Promise<void> {
    await this.step(operation, path, this.#life);
    if (!this.#names.has(path)) throw failure("ENOENT", operation, path);
    this.#change({ folder: dirname(path), names: [[path, undefined]] });
  }

  async close(): Promise<void> {}

  /** The way of every asynchronous call: ask for a fault, let time pass, fail or go on. Never settles for the dead. */
  async step(operation: DiskOperation, path: string, life: number): Promise<Fault | undefined> {
    const fault = this.#ask(operation, path, life);
    if (this.#pace === "turns") await new Promise((resolve) => setImmediate(resolve));
    else await undefined;
    if (fault === "dead" || this.#isGone(life)) return new Promise<never>(() => {});
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
    if (this.#isGone(life)) return "dead";
    this.#count += 1;
    const fault = this.faults?.(operation, path, this.#count);
    if (fault?.kind !== "crash") return fault;
    this.kill();
    return "dead";
  }

  #isGone(life: number): boolean {
    return this.#dead || life !== this.#life;
  }

  #change(change: NameChange): void {
    apply(change, this.#names);
    this.#unsyncedNames.push(change);
  }

  #powerCut(mode: CrashMode, random: () => number): void {
    for (const change of this.#unsyncedNames) {
      if (mode === "wild" && random() < 0.5) apply(change, this.#durableNames);
    }
    this.#unsyncedNames = [];
    this.#names = new Map(this.#durableNames);
    for (const file of new Set(this.#names.values())) {
      if (mode === "wild") file.keepSome(random);
      else file.forgetUnsynced();
    }
  }
}

class SimulatedHandle implements DiskFile {
  readonly path: string;
  readonly #disk: SimulatedDisk;
  readonly #life: number;
  readonly #file: SimulatedFile;

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

  async close(operation: DiskOperation): Promise<void> {
    await this.#disk.step(operation, this.path, this.#life);
  }

  #writeAsFar(fault: Fault | undefined, source: Buffer, from: number, length: number, position: number): number {
    const count = fault?.kind === "short" ? Math.min(length, fault.bytes) : length;
    if (count > 0) this.#file.write(source, from, count, position);
    return count;
  }
}

function apply(change: NameChange, names: Map<string, SimulatedFile>): void {
  for (const [path, file] of change.names) {
    if (file === undefined) names.delete(path);
    else names.set(path, file);
  }
}

function failure(code: string, operation: DiskOperation, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${operation} ${path}`), { code });
}
