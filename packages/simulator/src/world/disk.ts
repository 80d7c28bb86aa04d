/** The server's disk: takes virtual time for what it does, is slow at times, and fails as the run has planned. */
import type { DiskOperation } from "@holdfast/log";
import { type CrashMode, type Fault, SimulatedDisk } from "@holdfast/log/testing";
import type { Owner } from "./owner.js";
import type { SeededRandom } from "./random.js";
import type { Scheduler } from "./scheduler.js";

/** How the disk is while it behaves. */
export interface DiskSettings {
  /** Mean time of one operation; a sync takes three times as long. */
  readonly operationMs: number;
  /** Whether appends go past the cache. */
  readonly isDirect: boolean;
}

/** What goes wrong, each as a chance per operation that it can befall. None by default. */
export interface DiskFaults {
  readonly shortWrite: number;
  /** A sync fails, and what it should have written is lost. */
  readonly syncError: number;
  readonly writeError: number;
  /** The process dies in the middle of an operation. */
  readonly crash: number;
  /** The same while an entry is being made durable. */
  readonly appendCrash: number;
}

export const noDiskFaults: DiskFaults = { shortWrite: 0, syncError: 0, writeError: 0, crash: 0, appendCrash: 0 };

/** Operations that need new room on the disk; the others write where there is some already. */
const growing: ReadonlySet<DiskOperation> = new Set<DiskOperation>([
  "segment.create",
  "segment.zero",
  "snapshot.create",
  "snapshot.write",
  "tail.copy",
]);

/** A direct append is a write and a sync in one, and fails like either. */
const isSync = (operation: DiskOperation): boolean => operation.endsWith("sync") || operation === "append.direct";
const isWrite = (operation: DiskOperation): boolean => operation.endsWith("write") || operation === "append.direct";
/** What writes an entry, and what makes it durable. */
const isAppendWrite = (operation: DiskOperation): boolean =>
  operation === "append.write" || operation === "append.direct";
const isAppendSync = (operation: DiskOperation): boolean =>
  operation === "append.sync" || operation === "append.direct";

export class ServerDisk {
  /** True time until which there is no room for anything new. */
  fullUntilMs = 0;
  /** Whether entries find no room then either, though their place was made before. */
  fullForAppends = false;
  /** True time until which syncs take very long. */
  slowUntilMs = 0;
  faults: DiskFaults = noDiskFaults;
  /** Called when the process is to die, before anything else happens. */
  onCrash: (operation: DiskOperation) => void = () => {};
  /** Called before each operation. */
  onOperation: (operation: DiskOperation) => void = () => {};
  onFault: (kind: "short-write" | "no-space" | "sync-error" | "write-error" | "crash") => void = () => {};
  readonly disk: SimulatedDisk;
  readonly #scheduler: Scheduler;
  readonly #settings: DiskSettings;
  readonly #latency: SeededRandom;
  readonly #chances: Readonly<Record<Exclude<keyof DiskFaults, "appendCrash"> | "power", SeededRandom>>;
  #owner: Owner;

  constructor(scheduler: Scheduler, random: SeededRandom, settings: DiskSettings) {
    this.#scheduler = scheduler;
    this.#settings = settings;
    this.#owner = scheduler.world;
    this.#latency = random.fork("latency");
    this.#chances = {
      shortWrite: random.fork("short write"),
      syncError: random.fork("sync error"),
      writeError: random.fork("write error"),
      crash: random.fork("crash"),
      power: random.fork("power"),
    };
    this.disk = new SimulatedDisk((operation) => this.#pass(operation));
    this.disk.isDirect = settings.isDirect;
    this.disk.faults = (operation) => this.#fault(operation);
  }

  /** The disk works for `owner` from now on. */
  serve(owner: Owner): void {
    this.#owner = owner;
  }

  /** The process has died, and the machine with it unless `mode` is "kind". */
  restart(mode: CrashMode): void {
    if (!this.disk.isDead) this.disk.kill();
    this.disk.restart(mode, () => this.#chances.power.next());
  }

  #pass(operation: DiskOperation): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.after(this.#duration(operation), "disk", this.#owner, resolve, this.disk.operations);
    });
  }

  #duration(operation: DiskOperation): number {
    const isSlow = isSync(operation);
    if (isSlow && this.#scheduler.nowMs < this.slowUntilMs) return this.#latency.within(100, 3_000);
    return this.#latency.wait(this.#settings.operationMs * (isSlow ? 3 : 1));
  }

  #fault(operation: DiskOperation): Fault | undefined {
    this.onOperation(operation);
    const { faults } = this;
    const chances = this.#chances;
    const deadly = isAppendSync(operation) ? faults.appendCrash : 0;
    if (chances.crash.chance(Math.max(faults.crash, deadly))) {
      this.onFault("crash");
      this.onCrash(operation);
      return { kind: "crash" };
    }
    if (this.#scheduler.nowMs < this.fullUntilMs && growing.has(operation)) {
      this.onFault("no-space");
      return { kind: "error", code: "ENOSPC" };
    }
    // Where even what is there already has to be allocated again, as on a file system that copies on writing: a short write
    // is followed by the error.
    if (this.#scheduler.nowMs < this.fullUntilMs && this.fullForAppends && isAppendWrite(operation)) {
      this.onFault("no-space");
      if (chances.shortWrite.chance(0.5)) return { kind: "short", bytes: chances.shortWrite.between(1, 600) };
      return { kind: "error", code: "ENOSPC" };
    }
    if (isSync(operation) && chances.syncError.chance(faults.syncError)) {
      this.onFault("sync-error");
      return { kind: "error", code: "EIO" };
    }
    if (!isWrite(operation)) return undefined;
    if (chances.writeError.chance(faults.writeError)) {
      this.onFault("write-error");
      return { kind: "error", code: "EIO" };
    }
    if (!chances.shortWrite.chance(faults.shortWrite)) return undefined;
    this.onFault("short-write");
    return { kind: "short", bytes: chances.shortWrite.between(1, 600) };
  }
}
