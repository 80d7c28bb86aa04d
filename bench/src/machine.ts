/**
 * Describes the machine a benchmark ran on: figures without it mean nothing.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { median, readable } from "./report/figures.js";

/** File systems that live in memory (their numbers in statfs): a sync there costs nothing and proves nothing. */
const memoryFileSystems = new Set([0x01021994, 0x858458f6]);

/** Whether `folder` lies on a file system in memory. */
export function isInMemory(folder: string): boolean {
  return memoryFileSystems.has(statfsSync(folder).type);
}

/** What a reader needs to judge the figures. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly diskSyncMs: number;
  /** Load average over the minute before the run. */
  readonly loadBefore: number;
}

/** This machine; its disk is judged by what `folder` lies on. */
export function describeMachine(folder: string): Machine {
  return {
    processor: cpus()[0]?.model ?? arch(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    diskSyncMs: measureDiskSyncMs(folder),
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

/** The description as two lines of text. */
export function machineLines(machine: Machine): string {
  const { processor, cores, memoryGiB, system, node, diskSyncMs, loadBefore } = machine;
  const lines = `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node.js ${node}`;
  return `${lines}\ndisk sync of 4 KiB: ${readable(diskSyncMs)} ms; load average before: ${readable(loadBefore)}`;
}

/** The median time of writing 4 KiB and waiting until the disk has them. */
function measureDiskSyncMs(folder: string): number {
  const path = join(folder, "sync-probe");
  const file = openSync(path, "w");
  const block = Buffer.alloc(4096);
  const times = Array.from({ length: 100 }, () => {
    const startMs = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - startMs;
  });
  closeSync(file);
  rmSync(path);
  return median(times);
}
