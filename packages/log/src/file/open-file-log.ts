/**
 * The one call that opens a log on a folder.
 */

import { LogFolderUnreadableError, LogStorageError } from "../errors.js";
import type { Log } from "../log.js";
import { type LogOptions, openLog } from "../owned-log.js";
import type { SyncPlace } from "./append-sync.js";
import type { Disk } from "./disk.js";
import { FileEngine } from "./file-engine.js";
import { nodeDisk } from "./node-disk.js";
import type { RecoveryReport } from "./recovery-report.js";

export interface FileLogOptions extends LogOptions {
  /** Created, for the owner's eyes only, if it is not there. */
  readonly folder: string;
  /** True refuses a folder without a log instead of creating one there. Right for every start but the first. */
  readonly mustExist?: boolean;
  /** The real disk if absent. Closed together with the log. */
  readonly disk?: Disk;
  /** Where the real disk syncs appends. Default "own thread", which needs nothing of the rest of the process. */
  readonly syncOn?: SyncPlace;
  /** Told, before the log is handed out, if opening had something to put right. */
  readonly onRecovery?: (report: RecoveryReport) => void;
}

/**
 * Opens the log in `folder`, or creates one in an empty folder.
 * @throws LogFolderLockedError if another log has it open; LogFolderUnreadableError if the system
 * forbids something; LogMissingError if a part is not there; LogVersionError if a newer program wrote
 * it; LogDamagedError if it is not what was written. Whatever is thrown, damaged files are untouched.
 */
export async function openFileLog(options: FileLogOptions): Promise<Log> {
  const engine = new FileEngine({ ...options, disk: options.disk ?? nodeDisk(options.syncOn) });
  try {
    return await openLog(engine, options);
  } catch (error) {
    if (error instanceof LogStorageError) throw new LogFolderUnreadableError(options.folder, { cause: error });
    throw error;
  }
}
