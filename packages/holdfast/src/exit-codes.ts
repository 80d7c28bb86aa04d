/**
 * What the process's exit code says, so that scripts need not read messages. What only commands that call a server can run
 * into is in `remote/remote-exit-codes.ts`.
 */
import {
  CertificateError,
  FolderNotEmptyError,
  ForeignFolderError,
  InsecureListenError,
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
  RevisionStepError,
  SnapshotFileError,
  SnapshotFormatError,
  TlsOptionError,
  UnappliableEntryError,
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
  /** A server that the command calls cannot be reached, or refused a call. */
  callFailed: 9,
  /** The command would have overwritten or deleted what it was not told to. */
  refused: 10,
  /** A part was left undone; running the command again does it. */
  incomplete: 11,
  /** Something threw that never should while serving, so that the server stopped at once (fault-model F17). */
  bug: 12,
  /** An entry of the log cannot be applied: starting again does not help (fault-model F10). */
  unappliable: 13,
  interrupted: 130,
} as const;

/** Shown under `holdfast serve --help`. */
export const exitCodeHelp = `
A flag wins over its HOLDFAST_* variable, that over etcd's ETCD_* variable, a variable over the config file, the file over
the default. A command line, variables or a config file of etcd can be used as they are: what concerns peers, raft and its
storage is accepted and means nothing here. SIGHUP reads certificates again.

Exit codes:
  0  stopped cleanly          4  data folder is in use by another server
  1  unexpected error         5  data folder cannot be read or written
  2  wrong flag or setting    6  the log or a snapshot is damaged or missing
  3  cannot listen            7  storage failed, or is full
                              8  data was written by a newer version
 12  a bug, met while serving: the server stopped at once
 13  a bug: an entry of the log cannot be applied, and starting again does not help`;

/** The exit code for an error that ended a command. Whoever serves can meet no other. */
export function exitCodeOf(error: unknown): number {
  if (isUsage(error)) return exitCodes.usage;
  if (error instanceof FolderNotEmptyError) return exitCodes.refused;
  if (error instanceof ListenError) return exitCodes.cannotListen;
  if (error instanceof LogFolderLockedError) return exitCodes.folderLocked;
  if (error instanceof LogFolderUnreadableError || error instanceof ForeignFolderError)
    return exitCodes.folderUnreadable;
  if (isDamage(error)) return exitCodes.logDamaged;
  if (error instanceof LogStorageError || error instanceof LogFullError) return exitCodes.storageFailed;
  // An entry in a format this program does not know was written by a newer one (fault-model F61).
  if (error instanceof LogVersionError || error instanceof UnreadableEntryError) return exitCodes.newerFormat;
  if (error instanceof UnappliableEntryError) return exitCodes.unappliable;
  return systemExitCode(error) ?? exitCodes.unexpected;
}

/** Settings that cannot be used, and the files they name. */
function isUsage(error: unknown): boolean {
  const usages = [
    UsageError,
    InvalidAddressError,
    InsecureListenError,
    TlsOptionError,
    CertificateError,
    JwtOptionsError,
    RevisionStepError,
  ];
  return usages.some((usage) => error instanceof usage);
}

function isDamage(error: unknown): boolean {
  const damages = [LogDamagedError, LogMissingError, LogDivergedError, SnapshotFormatError, SnapshotFileError];
  return damages.some((damage) => error instanceof damage);
}

const unusableFileCodes = ["ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR", "EROFS", "ELOOP", "ENAMETOOLONG"];
const failedDiskCodes = ["ENOSPC", "EDQUOT", "EIO"];

/** What the system says of a file that a command was given. */
function systemExitCode(error: unknown): number | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (unusableFileCodes.includes(code)) return exitCodes.folderUnreadable;
  return failedDiskCodes.includes(code) ? exitCodes.storageFailed : undefined;
}
