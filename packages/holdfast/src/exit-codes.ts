/** What the process's exit code says, so that scripts need not read messages. */
import {
  CertificateError,
  InvalidAddressError,
  JwtOptionsError,
  ListenError,
  LogDamagedError,
  LogDivergedError,
  LogFolderLockedError,
  LogFolderUnreadableError,
  LogFullError,
  LogMissingError,
  LogStorageError,
  LogVersionError,
  SnapshotFormatError,
  TlsOptionError,
  UnreadableEntryError,
} from "@holdfast/server";
import { UsageError } from "./settings/usage-error.js";

export const exitCodes = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  cannotListen: 3,
  folderLocked: 4,
  folderUnreadable: 5,
  logDamaged: 6,
  storageFailed: 7,
  newerFormat: 8,
  interrupted: 130,
} as const;

/** Shown under `holdfast serve --help`. */
export const exitCodeHelp = `
A flag wins over its HOLDFAST_* variable, that over etcd's ETCD_* variable, a variable over the config file, the file over
the default. A command line, variables or a config file of etcd can be used as they are: what concerns peers, raft and its
storage is accepted and means nothing here. SIGHUP reads certificates again; without any it stops the server.

Exit codes:
  0  stopped cleanly          4  data folder is in use by another server
  1  unexpected error         5  data folder cannot be read or written
  2  wrong flag or setting    6  the log or a snapshot is damaged or missing
  3  cannot listen            7  storage failed, or is full
                              8  data was written by a newer version`;

/** The exit code for an error that ended the start. */
export function exitCodeOf(error: unknown): number {
  if (isUsage(error)) return exitCodes.usage;
  if (error instanceof ListenError) return exitCodes.cannotListen;
  if (error instanceof LogFolderLockedError) return exitCodes.folderLocked;
  if (error instanceof LogFolderUnreadableError) return exitCodes.folderUnreadable;
  if (isDamage(error)) return exitCodes.logDamaged;
  if (error instanceof LogStorageError || error instanceof LogFullError) return exitCodes.storageFailed;
  // An entry in a format this program does not know was written by a newer one (fault-model F61).
  if (error instanceof LogVersionError || error instanceof UnreadableEntryError) return exitCodes.newerFormat;
  return exitCodes.unexpected;
}

/** Settings that cannot be used, and the files they name. */
function isUsage(error: unknown): boolean {
  const usages = [UsageError, InvalidAddressError, TlsOptionError, CertificateError, JwtOptionsError];
  return usages.some((usage) => error instanceof usage);
}

function isDamage(error: unknown): boolean {
  const damages = [LogDamagedError, LogMissingError, LogDivergedError, SnapshotFormatError];
  return damages.some((damage) => error instanceof damage);
}
