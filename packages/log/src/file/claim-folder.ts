/**
 * The first steps into a log folder: make sure it is there and ours, find the log in it or create
 * one, leave our mark. Nothing of a log that may be damaged has been touched after this.
 */

import { join } from "node:path";
import type { LogEnvironment } from "../environment.js";
import { LogMissingError } from "../errors.js";
import type { LogLimits } from "../limits.js";
import { createLog, readMeta } from "./create-log.js";
import { type Disk, isAbsent, removeIfThere } from "./disk.js";
import { type FolderContents, sortNames } from "./file-names.js";
import { OwnerFile } from "./owner-file.js";

export interface ClaimInput {
  readonly disk: Disk;
  readonly folder: string;
  readonly limits: LogLimits;
  readonly environment: LogEnvironment;
  /** True refuses a folder without a log instead of creating one there. */
  readonly mustExist: boolean;
}

export interface ClaimedFolder {
  readonly identity: Buffer;
  readonly owner: OwnerFile;
  /** As found once the log exists. */
  readonly contents: FolderContents;
  /** Lets others in again. */
  readonly unlock: () => Promise<void>;
}

/** @throws LogFolderLockedError, LogMissingError, LogDamagedError, LogVersionError, LogStorageError. */
export async function claimFolder(input: ClaimInput): Promise<ClaimedFolder> {
  const { disk, folder } = input;
  if (!input.mustExist) await disk.makeFolder("folder.make", folder);
  const unlock = await lock(disk, folder);
  try {
    let contents = sortNames(await disk.list("folder.list", folder));
    if (!contents.hasMeta) contents = await createIfAllowed(input, contents);
    const identity = await readMeta(disk, folder);
    const owner = await OwnerFile.open(disk, folder, contents.hasOwner, identity, input.environment);
    return { identity, owner, contents, unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function lock(disk: Disk, folder: string): Promise<() => Promise<void>> {
  try {
    return await disk.lockFolder("folder.lock", folder);
  } catch (error) {
    throw isAbsent(error) ? new LogMissingError(folder, "the folder is not there") : error;
  }
}

async function createIfAllowed(input: ClaimInput, contents: FolderContents): Promise<FolderContents> {
  const { disk, folder } = input;
  if (input.mustExist && contents.segments.length === 0 && contents.snapshots.length === 0) {
    throw new LogMissingError(folder, "there is no log in it");
  }
  await createLog(disk, folder, contents, input.limits, input.environment);
  return sortNames(await disk.list("folder.list", folder));
}

/** Removes files that were never finished. */
export async function removeLeftovers(disk: Disk, folder: string, contents: FolderContents): Promise<void> {
  for (const name of contents.leftovers) await removeIfThere(disk, "leftover.remove", join(folder, name));
}
