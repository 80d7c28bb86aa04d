/**
 * Whether others on this machine can get at what lies in the data folder: keys, values, hashes of passwords.
 *
 * What is made here is its owner's alone (folders 0700, files 0600). What was there before is left as it is, since a group
 * may have been let in on purpose; the operator is told.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../logger.js";

const group = 0o070;
const others = 0o007;
const searchable = 0o011;

/** Warns where the mode of the folder, or that of files which can be reached in it, lets in more than its owner. */
export function warnOfModes(dataDir: string, logger: Logger): void {
  // There modes say nothing.
  if (process.platform === "win32") return;
  const mode = modeOf(dataDir);
  if ((mode & (group | others)) === 0) return;
  logger.warn({ dataDir, mode: octal(mode) }, "others can look into the data folder; 0700 would keep them out");
  if ((mode & searchable) === 0) return;
  const open = readdirSync(dataDir).filter((name) => (modeOf(join(dataDir, name)) & (group | others)) !== 0);
  if (open.length === 0) return;
  logger.warn(
    { dataDir, files: open.slice(0, 5), count: open.length },
    "others can read or write files of the data folder",
  );
}

/** 0 for what has gone meanwhile. */
function modeOf(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
