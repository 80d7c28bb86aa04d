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

/** Room for the segment header and one record of any allowed size. */
export function segmentBytesMin(limits: LogLimits): number {
  return SEGMENT_HEADER_BYTES + recordBytes(FRAME_HEADER_BYTES + limits.entryBytesMax);
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

/**
 * Makes a segment file of `bytes` zeros, or with `header` in front, and publishes its name once it is
 * durable. Synced slice by slice, so that a burst of zeros never stands before an append in the
 * disk's queue. The file is returned open for update; undefined if `isStopped` said so in between.
 * If it throws, there is no such file.
 */
export async function makeSegmentFile(
  disk: Disk,
  folder: string,
  sequence: number,
  bytes: number,
  sliceBytes: number,
  header: Buffer | undefined,
  isStopped: () => boolean,
): Promise<DiskFile | undefined> {
  const path = join(folder, segmentName(sequence));
  const draft = await disk.open("segment.create", unfinished(path), "create");
  let published = false;
  try {
    if (await fillWithZeros(draft, bytes, sliceBytes, isStopped)) {
      if (header !== undefined) {
        await writeAll(draft, "segment.zero", header, 0);
        await draft.sync("segment.sync");
      }
      await disk.rename("segment.publish", unfinished(path), path);
      published = true;
    }
  } finally {
    if (!published) {
      await draft.close("handle.close");
      await disk.remove("leftover.remove", unfinished(path));
    }
  }
  if (!published) return undefined;
  await disk.syncFolder("folder.sync", folder);
  return draft;
}

async function fillWithZeros(
  file: DiskFile,
  bytes: number,
  sliceBytes: number,
  isStopped: () => boolean,
): Promise<boolean> {
  for (let at = 0; at < bytes; ) {
    if (isStopped()) return false;
    const end = Math.min(bytes, at + sliceBytes);
    await writeZeros(file, "segment.zero", at, end);
    await file.sync("segment.sync");
    at = end;
  }
  return true;
}
