/**
 * Makes segment files: full of zeros and durable before anything is stored in them, because a synced
 * write into allocated space is faster than one that makes a file grow, and still works when the disk
 * is full (fault model F6). Node offers no fallocate, so the zeros are written.
 */

import { join } from "node:path";
import { FRAME_HEADER_BYTES } from "../entry-frame.js";
import type { LogLimits } from "../limits.js";
import { type Disk, type DiskFile, writeAll, writeZeros } from "./disk.js";
import { writeFileHeader } from "./file-header.js";
import { segmentName, unfinished } from "./file-names.js";
import { recordBytes, SECTOR_BYTES, SEGMENT_HEADER_BYTES } from "./record.js";

/** Room for the segment header, one record of any allowed size, and what is kept behind it for when the disk is full. */
export function segmentBytesMin(limits: LogLimits): number {
  return SEGMENT_HEADER_BYTES + recordBytes(FRAME_HEADER_BYTES + limits.entryBytesMax) + limits.reservedBytes;
}

/** Sizes double from one segment to the next, between the two limits. */
export function segmentBytesAfter(previousBytes: number, limits: LogLimits): number {
  const wanted = Math.min(Math.max(limits.segmentBytesFirst, previousBytes * 2), limits.segmentBytesMax);
  return Math.max(segmentBytesMin(limits), Math.ceil(wanted / SECTOR_BYTES) * SECTOR_BYTES);
}

/** Writes the first sector of a segment to the start of `target`. */
export function writeSegmentHeader(
  target: Buffer,
  identity: Buffer,
  sequence: number,
  firstIndex: number,
  bytes: number,
): void {
  target.fill(0, 0, SEGMENT_HEADER_BYTES);
  writeFileHeader(target, "HFLOGSEG", identity, firstIndex, bytes, sequence);
}

export interface SegmentPlan {
  readonly disk: Disk;
  readonly folder: string;
  readonly sequence: number;
  readonly bytes: number;
  /** How much is written between two syncs. */
  readonly sliceBytes: number;
  /** How long the records will be, as far as that is known. */
  readonly recordBytes?: number;
  /** The first sector, if it is known already. */
  readonly header?: Buffer;
  /** An unfinished file of the same length, open for update, whose blocks are used again. */
  readonly recycled?: DiskFile;
  /** Asked between slices. */
  readonly isStopped?: () => boolean;
  /** Called before a name in the folder is changed, which may be another owner's by then. What it throws prevents it. */
  readonly assertOurs?: () => void;
}

/**
 * What is written at a time is what the kernel keeps together in its cache, and looks through at each later write and sync
 * there: pieces of 64 KiB instead of 1 MiB make a record of 512 bytes 2 µs cheaper to write and 6 to sync (of 5.6 and 101),
 * one of 20 KiB no cheaper. But there are sixteen times as many, and large records wait for the file.
 */
const SMALL_RECORD_BYTES = 8 * 1024;
const PIECE_BYTES = 64 * 1024;

/**
 * Makes a segment file full of zeros, or with a header in front, and publishes its name once it is
 * durable. Synced slice by slice, so that a burst of zeros never stands before an append in the
 * disk's queue. The file is returned open for update; undefined if it was stopped in between. If it
 * throws, there is no such file, neither the new one nor the recycled one.
 */
export async function makeSegmentFile(plan: SegmentPlan): Promise<DiskFile | undefined> {
  const { disk, folder } = plan;
  const path = join(folder, segmentName(plan.sequence));
  const draft = plan.recycled ?? (await create(plan, unfinished(path)));
  let name = draft.path;
  let isMade = false;
  try {
    if (!(await fill(draft, plan))) return undefined;
    await draft.prepareDirect("segment.open-direct");
    plan.assertOurs?.();
    await disk.rename("segment.publish", name, path);
    name = path;
    await disk.syncFolder("folder.sync", folder);
    isMade = true;
    return draft;
  } finally {
    if (!isMade) {
      await draft.close("handle.close");
      plan.assertOurs?.();
      await disk.remove("leftover.remove", name);
    }
  }
}

function create({ disk, assertOurs }: SegmentPlan, path: string): Promise<DiskFile> {
  assertOurs?.();
  return disk.open("segment.create", path, "create");
}

/** @returns false if it was stopped. */
async function fill(draft: DiskFile, plan: SegmentPlan): Promise<boolean> {
  const { recordBytes = 0, sliceBytes } = plan;
  const pieceBytes = recordBytes < SMALL_RECORD_BYTES ? PIECE_BYTES : sliceBytes;
  for (let at = 0; at < plan.bytes; ) {
    if (plan.isStopped?.() === true) return false;
    const end = Math.min(plan.bytes, at + sliceBytes);
    await writeZeros(draft, "segment.zero", at, end, pieceBytes);
    await draft.sync("segment.sync");
    at = end;
  }
  if (plan.header === undefined) return true;
  await writeAll(draft, "segment.zero", plan.header, 0);
  await draft.sync("segment.sync");
  return true;
}
