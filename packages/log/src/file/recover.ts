/**
 * Opens the log in a claimed folder: read and judge everything first, change things only when all
 * of it is sound. The way in after a crash and after an orderly end is the same.
 */

import { join } from "node:path";
import type { EngineListener } from "../engine.js";
import { FRAME_HEADER_BYTES } from "../entry-frame.js";
import type { LogLimits } from "../limits.js";
import { type ClaimedFolder, removeLeftovers } from "./claim-folder.js";
import type { Disk, DiskFile } from "./disk.js";
import { segmentName } from "./file-names.js";
import { recordBytes } from "./record.js";
import type { RecoveryReport } from "./recovery-report.js";
import { cutTornTail, rewriteTail } from "./repair-tail.js";
import { type ScanResult, scanSegments } from "./scan-segments.js";
import type { Segment } from "./segment.js";
import { segmentBytesMin } from "./segment-file.js";
import { SnapshotFiles } from "./snapshot-files.js";
import type { Spare } from "./spare-segment.js";

export interface Recovered {
  /** In order; the last one takes the next entry. */
  readonly segments: readonly Segment[];
  /** The last segment's file, open for update. */
  readonly lastFile: DiskFile;
  readonly spare: Spare | undefined;
  readonly snapshots: SnapshotFiles;
  /** Undefined if all was in order. */
  readonly report: RecoveryReport | undefined;
}

/** @throws LogDamagedError, LogMissingError, LogVersionError; then no file but the owner file has been changed. */
export async function recover(
  disk: Disk,
  folder: string,
  claimed: ClaimedFolder,
  limits: LogLimits,
  listener: EngineListener,
): Promise<Recovered> {
  const { identity, owner, contents } = claimed;
  const snapshots = new SnapshotFiles(disk, folder, identity);
  await snapshots.open(contents.snapshots, listener.snapshot);
  const scan = await scanSegments({
    disk,
    folder,
    identity,
    sequences: contents.segments,
    readSliceBytes: limits.readSliceBytes,
    durableNote: owner.durableIndex,
    verify: (index, bytes) => listener.verify(index, bytes),
  });
  const last = scan.segments.at(-1)!;
  snapshots.assertFit({ firstIndex: scan.segments[0]!.firstIndex, lastIndex: last.lastIndex });

  await removeLeftovers(disk, folder, contents);
  const cut = await cutTornTail(disk, folder, scan.torn, (contents.cuts.at(-1) ?? 0) + 1);
  // A process killed between renaming and syncing leaves names that only the cache knows.
  await disk.syncFolder("folder.sync", folder);
  const sound = owner.closedInOrder && owner.durableIndex === last.lastIndex && scan.torn.length === 0;
  if (!sound) await rewriteTail(disk, last, recordBytes(FRAME_HEADER_BYTES + limits.entryBytesMax));
  const spare = await adoptSpare(disk, folder, scan, limits);
  const lastFile = await disk.open("segment.open", last.path, "update");
  await Promise.all([lastFile, spare?.file].map((file) => file?.prepareDirect("segment.open-direct")));
  const nothingToReport = cut.bytes === 0 && snapshots.damaged.length === 0;
  const report = { bytesCut: cut.bytes, cutFiles: cut.files, damagedSnapshots: snapshots.damaged };
  return { segments: scan.segments, lastFile, spare, snapshots, report: nothingToReport ? undefined : report };
}

/** A spare too small for today's limits is replaced. */
async function adoptSpare(disk: Disk, folder: string, scan: ScanResult, limits: LogLimits): Promise<Spare | undefined> {
  if (scan.spare === undefined) return undefined;
  const path = join(folder, segmentName(scan.spare.sequence));
  if (scan.spare.bytes >= segmentBytesMin(limits)) {
    return { ...scan.spare, file: await disk.open("segment.open", path, "update") };
  }
  await disk.remove("leftover.remove", path);
  await disk.syncFolder("folder.sync", folder);
  return undefined;
}
