/**
 * Makes a new log in a folder that holds none, and tells such a folder from one that has lost its
 * log. `meta` is published last: with it the log exists, before it everything found is the remains
 * of an attempt that was cut short.
 */

import { join } from "node:path";
import type { LogEnvironment } from "../environment.js";
import { LogDamagedError, LogMissingError } from "../errors.js";
import type { LogLimits } from "../limits.js";
import { scanBlank } from "./blank-scan.js";
import { type Disk, readAll, withFile, writeAll } from "./disk.js";
import { FILE_HEADER_BYTES, IDENTITY_BYTES, readFileHeader, writeFileHeader } from "./file-header.js";
import { type FolderContents, META_NAME, OWNER_NAME, segmentName, unfinished } from "./file-names.js";
import { SEGMENT_HEADER_BYTES } from "./record.js";
import { makeSegmentFile, segmentBytesAfter, writeSegmentHeader } from "./segment-file.js";

/** Creates an empty log. @returns its identity. @throws LogMissingError if there are signs of an earlier one. */
export async function createLog(
  disk: Disk,
  folder: string,
  contents: FolderContents,
  limits: LogLimits,
  environment: LogEnvironment,
): Promise<Buffer> {
  await assertNothingLost(disk, folder, contents);
  await removeRemains(disk, folder, contents);
  const identity = Buffer.alloc(IDENTITY_BYTES);
  environment.fillRandom(identity);
  const bytes = segmentBytesAfter(0, limits);
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  writeSegmentHeader(header, identity, 1, 1, bytes);
  const segment = await makeSegmentFile({
    disk,
    folder,
    sequence: 1,
    bytes,
    sliceBytes: limits.zeroSliceBytes,
    header,
  });
  await segment?.close("handle.close");
  await writeMeta(disk, folder, identity);
  return identity;
}

/** The identity in the meta file. @throws LogDamagedError, LogVersionError. */
export async function readMeta(disk: Disk, folder: string): Promise<Buffer> {
  const path = join(folder, META_NAME);
  return withFile(disk, "meta.read", path, "read", async (file) => {
    const bytes = Buffer.alloc(FILE_HEADER_BYTES);
    const count = await readAll(file, "meta.read", bytes, 0);
    const header = readFileHeader(bytes.subarray(0, count), "HFLOGMET", path);
    if (typeof header === "string") throw new LogDamagedError(path, 0, header);
    return header.identity;
  });
}

async function writeMeta(disk: Disk, folder: string, identity: Buffer): Promise<void> {
  const path = join(folder, META_NAME);
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  writeFileHeader(bytes, "HFLOGMET", identity);
  await withFile(disk, "meta.write", unfinished(path), "create", async (file) => {
    await writeAll(file, "meta.write", bytes, 0);
    await file.sync("meta.write");
  });
  await disk.rename("meta.publish", unfinished(path), path);
  await disk.syncFolder("folder.sync", folder);
}

/** An interrupted creation leaves at most an empty first segment. Anything more was a log once. */
async function assertNothingLost(disk: Disk, folder: string, contents: FolderContents): Promise<void> {
  const lost = (found: string) => new LogMissingError(folder, `there is no ${META_NAME} file, but there is ${found}`);
  if (contents.snapshots.length > 0) throw lost("a snapshot");
  if (contents.segments.some((sequence) => sequence !== 1)) throw lost("more than one segment");
  if (contents.segments.length === 0) return;
  const path = join(folder, segmentName(1));
  await withFile(disk, "segment.open", path, "read", async (file) => {
    const fileBytes = await file.size("segment.read");
    const scan = await scanBlank(
      file,
      "segment.read",
      Buffer.alloc(IDENTITY_BYTES),
      1,
      SEGMENT_HEADER_BYTES,
      fileBytes,
    );
    if (scan.from !== scan.to) throw lost("a segment with entries");
  });
}

async function removeRemains(disk: Disk, folder: string, contents: FolderContents): Promise<void> {
  const names = [...contents.leftovers, ...contents.segments.map(segmentName)];
  if (contents.hasOwner) names.push(OWNER_NAME);
  for (const name of names) await disk.remove("leftover.remove", join(folder, name));
}
