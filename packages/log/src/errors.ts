/**
 * Every error of this package that a caller may want to tell apart. Each message is one line and
 * names the file or folder, so that it can be shown to an operator as it is.
 */

/** Something that was durable is no longer what it was. Nothing has been changed; an operator must decide. */
export class LogDamagedError extends Error {
  override readonly name = "LogDamagedError";
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  /** @param offset bytes from the start of `file`, or the index where an engine has no files. */
  constructor(file: string, offset: number, reason: string) {
    super(`damaged log: ${file} at offset ${offset}: ${reason}`);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
  }
}

/** Files that must exist do not. A fresh log is never created in place of a missing one. */
export class LogMissingError extends Error {
  override readonly name = "LogMissingError";
  readonly folder: string;
  readonly reason: string;
  constructor(folder: string, reason: string) {
    super(`missing log: ${folder}: ${reason}`);
    this.folder = folder;
    this.reason = reason;
  }
}

/** Another log, in this or another process, has the folder open. */
export class LogFolderLockedError extends Error {
  override readonly name = "LogFolderLockedError";
  readonly folder: string;
  readonly reason: string;
  constructor(folder: string, reason = "another process has it open") {
    super(`log folder in use: ${folder}: ${reason}`);
    this.folder = folder;
    this.reason = reason;
  }
}

/** The folder or a file in it cannot be read or written: permissions, a read-only file system, no file handles left. */
export class LogFolderUnreadableError extends Error {
  override readonly name = "LogFolderUnreadableError";
  readonly folder: string;
  constructor(folder: string, options: { cause: unknown }) {
    super(`cannot use log folder: ${folder}: ${messageOf(options.cause)}`, options);
    this.folder = folder;
  }
}

/** The file was written by a newer version of this program. */
export class LogVersionError extends Error {
  override readonly name = "LogVersionError";
  readonly file: string;
  readonly version: number;
  readonly versionKnown: number;
  constructor(file: string, version: number, versionKnown: number) {
    super(`log format too new: ${file}: version ${version}, this program knows ${versionKnown}`);
    this.file = file;
    this.version = version;
    this.versionKnown = versionKnown;
  }
}

/** Lack of space or of file handles: nothing is broken, and it may pass. */
const PASSING_CODES: readonly string[] = ["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"];

/** A call to the disk failed. Unless `passing`, the log is closed for good: what the disk holds is no longer known. */
export class LogStorageError extends Error {
  override readonly name = "LogStorageError";
  readonly operation: string;
  readonly path: string;
  /** The system's code for what went wrong, as EIO; empty if there is none. */
  readonly code: string;
  constructor(operation: string, path: string, options: { cause: unknown }) {
    super(`log storage failed: ${operation}: ${path}: ${messageOf(options.cause)}`, options);
    this.operation = operation;
    this.path = path;
    const { cause } = options;
    this.code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  }

  get passing(): boolean {
    return PASSING_CODES.includes(this.code);
  }
}

/** There is no room for a snapshot or for a new epoch. The log stays usable. */
export class LogFullError extends Error {
  override readonly name = "LogFullError";
  constructor(what: string, options?: { cause: unknown }) {
    super(`no space left: ${what}`, options);
  }
}

/** The log has been closed, or has closed itself after a failure, which is then the cause. */
export class LogClosedError extends Error {
  override readonly name = "LogClosedError";
  constructor(options?: { cause: unknown }) {
    super(options === undefined ? "log is closed" : `log is closed: ${messageOf(options.cause)}`, options);
  }
}

/** The call needs ownership, and this log never acquired it or has lost it to another. */
export class LogNotOwnerError extends Error {
  override readonly name = "LogNotOwnerError";
  constructor() {
    super("log is not owned here");
  }
}

/** What the engine returns contradicts what this log has seen before: two histories of one log. */
export class LogDivergedError extends Error {
  override readonly name = "LogDivergedError";
  readonly index: number;
  readonly reason: string;
  constructor(index: number, reason: string) {
    super(`log diverged at index ${index}: ${reason}`);
    this.index = index;
    this.reason = reason;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whatever was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
