/**
 * Makes the end of a log fit to be continued, once the whole log has been found sound. Three things
 * happen, and doing them again after a crash in the middle changes nothing:
 *
 * A torn tail is copied aside and overwritten with zeros, so that stale bytes never meet new records
 * (fault model F3). The last record is written again and synced, because what a reader sees may be in
 * the page cache only, left there by a process whose sync failed (F7). The space for one more record
 * is written with zeros for the same reason.
 */

import { join } from "node:path";
import { type Disk, type DiskFile, readAll, withFile, writeAll, writeZeros } from "./disk.js";
import { cutName, unfinished } from "./file-names.js";
import { SEGMENT_HEADER_BYTES } from "./record.js";
import type { TornRegion } from "./scan-segments.js";
import type { Segment } from "./segment.js";

const COPY_SLICE_BYTES = 1024 * 1024;

export interface Cut {
  readonly bytes: number;
  /** Paths of the copies. */
  readonly files: readonly string[];
}

/**
 * Copies torn regions aside and puts zeros in their place.
 * @param cutNumber number of the first file to copy to.
 */
export async function cutTornTail(
  disk: Disk,
  folder: string,
  regions: readonly TornRegion[],
  cutNumber: number,
): Promise<Cut> {
  let bytes = 0;
  const files: string[] = [];
  for (const region of regions) {
    const copy = join(folder, cutName(cutNumber + files.length));
    await withFile(disk, "segment.open", region.path, "update", async (file) => {
      await copyAside(disk, file, region, copy);
      await disk.syncFolder("folder.sync", folder);
      await writeZeros(file, "tail.zero", region.from, region.to);
      await file.sync("tail.sync");
    });
    bytes += region.to - region.from;
    files.push(copy);
  }
  return { bytes, files };
}

/** Makes sure that the disk, and not only its cache, holds the last record and nothing behind it. */
export async function rewriteTail(disk: Disk, segment: Segment, recordBytesMax: number): Promise<void> {
  await withFile(disk, "segment.open", segment.path, "update", async (file) => {
    const from = unprovenFrom(segment);
    const bytes = Buffer.allocUnsafeSlow(segment.end - from);
    await readAll(file, "segment.read", bytes, from);
    await writeAll(file, "tail.rewrite", bytes, from);
    const blankEnd = Math.min(segment.bytes, segment.end + recordBytesMax);
    await writeZeros(file, "tail.zero", segment.end, blankEnd);
    await file.sync("tail.sync");
  });
}

/** With its first record a segment gets its header, so both are unproven together. */
function unprovenFrom(segment: Segment): number {
  const isFirst = segment.lastIndex <= segment.firstIndex;
  return isFirst ? 0 : Math.max(segment.lastOffset, SEGMENT_HEADER_BYTES);
}

async function copyAside(disk: Disk, file: DiskFile, region: TornRegion, copy: string): Promise<void> {
  await withFile(disk, "tail.copy", unfinished(copy), "create", async (target) => {
    const slice = Buffer.allocUnsafeSlow(Math.min(COPY_SLICE_BYTES, region.to - region.from));
    for (let at = region.from; at < region.to; ) {
      const part = slice.subarray(0, Math.min(slice.length, region.to - at));
      const count = await readAll(file, "segment.read", part, at);
      await writeAll(target, "tail.copy", part.subarray(0, count), at - region.from);
      at += part.length;
    }
    await target.sync("tail.copy-sync");
  });
  await disk.rename("tail.copy", unfinished(copy), copy);
}
