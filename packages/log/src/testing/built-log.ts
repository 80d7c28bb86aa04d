/**
 * Makes the files of a log on a simulated disk, for tests that then change some of their bytes.
 */

import { join } from "node:path";
import { segmentName, sortNames } from "../file/file-names.js";
import { openFileLog } from "../file/open-file-log.js";
import type { LogLimits } from "../limits.js";
import type { Log } from "../log.js";
import { nextTurns } from "./holding-disk.js";
import { RecordingReader, stored } from "./log-contract.js";
import { TestEnvironment } from "./seeded.js";
import { SimulatedDisk } from "./simulated-disk.js";
import { FOLDER } from "./simulated-place.js";

/** Files by path. */
export type Image = ReadonlyMap<string, Buffer>;

export interface BuiltLog {
  readonly image: Image;
  readonly limits: Partial<LogLimits>;
  /** The payloads by index. */
  readonly payloads: ReadonlyMap<number, string>;
  readonly lastIndex: number;
}

export interface BuildPlan {
  readonly limits: Partial<LogLimits>;
  readonly payloads: readonly string[];
  /** After how many payloads a snapshot is written. Its only chunk says so. */
  readonly snapshotsAfter?: readonly number[];
  /** How the log ends: killed, killed after the durable index was noted, or closed. */
  readonly ending: "killed" | "noted" | "closed";
}

/** Builds a log and returns its files, all of them durable. */
export async function buildLog(plan: BuildPlan, seed = 7): Promise<BuiltLog> {
  const disk = new SimulatedDisk();
  const environment = new TestEnvironment(seed);
  const log = await openFileLog({ folder: FOLDER, disk: disk.mount(), limits: plan.limits, environment });
  await log.acquire();
  const payloads = new Map<number, string>();
  for (const [i, payload] of plan.payloads.entries()) {
    payloads.set(await stored(log, payload), payload);
    if (plan.snapshotsAfter?.includes(i + 1)) await log.writeSnapshot(log.lastIndex, snapshotChunks(log.lastIndex));
  }
  // The segment ahead has been made, so that an image always contains it.
  await nextTurns(disk);
  const { lastIndex } = log;
  if (plan.ending === "noted") environment.fireTimers();
  await nextTurns(disk);
  if (plan.ending === "closed") await log.close();
  disk.kill();
  return { image: disk.image(), limits: plan.limits, payloads, lastIndex };
}

/** What `buildLog` puts into the snapshot of an index. */
export function snapshotChunks(index: number): Buffer[] {
  return [Buffer.from(`snapshot of ${index}`), Buffer.from("second chunk")];
}

/** Opens a log on a copy of `image`, and checks that what is handed over meanwhile is what the log then tells. */
export async function openImage(image: Image, limits: Partial<LogLimits>, disk = holding(image)): Promise<Log> {
  const reader = new RecordingReader();
  const environment = new TestEnvironment(11);
  const log = await openFileLog({ folder: FOLDER, disk: disk.mount(), limits, environment, reader });
  await reader.assertSaw(log);
  return log;
}

export function holding(image: Image): SimulatedDisk {
  return SimulatedDisk.holding(image, "microtasks");
}

/** `image` with one file replaced, or removed. */
export function withFile(image: Image, path: string, contents: Buffer | undefined): Image {
  const changed = new Map(image);
  if (contents === undefined) changed.delete(path);
  else changed.set(path, contents);
  return changed;
}

/** The file with some bytes changed in a copy. */
export function changed(contents: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(contents);
  change(copy);
  return copy;
}

export function segmentPath(sequence: number): string {
  return join(FOLDER, segmentName(sequence));
}

/** Paths of the segments in `image`, oldest first. */
export function segmentPaths(image: Image): string[] {
  return sortNames([...image.keys()].map((path) => path.slice(FOLDER.length + 1))).segments.map(segmentPath);
}

export interface RecordPlace {
  readonly index: number;
  readonly offset: number;
  /** Where the next one starts. */
  readonly end: number;
}

/** The records of an undamaged segment, found by following lengths: a second reader, kept simple on purpose. */
export function recordsOf(segment: Buffer): RecordPlace[] {
  const records: RecordPlace[] = [];
  for (let offset = 512; segment.toString("latin1", offset, offset + 4) === "HREC"; ) {
    const end = offset + Math.ceil((64 + segment.readUInt32LE(offset + 4)) / 512) * 512;
    records.push({ index: segment.readUInt32LE(offset + 8), offset, end });
    offset = end;
  }
  return records;
}
