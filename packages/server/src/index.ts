/** The door of the server package. */

export {
  LogDamagedError,
  LogDivergedError,
  LogFolderLockedError,
  LogFolderUnreadableError,
  LogFullError,
  LogMissingError,
  LogStorageError,
  LogVersionError,
} from "@holdfast/log";
export { UnreadableEntryError } from "@holdfast/replica";
export { SnapshotFormatError } from "@holdfast/state-machine";
export { JwtOptionsError } from "./access/jwt-tokens.js";
export { ForeignFolderError } from "./compose/foreign-folder.js";
export { defaultServiceLimits, type ServiceLimits } from "./limits.js";
export { createLogger, type LogFormat, type Logger, type LogLevel, logFormats, logLevels } from "./logger.js";
export { InvalidAddressError } from "./net/address.js";
export { ListenError } from "./net/listener.js";
export { CertificateError, TlsOptionError } from "./net/tls/errors.js";
export type {
  AuthOptions,
  AutoCompaction,
  HttpOptions,
  JwtOptions,
  RunningServer,
  ServerOptions,
  TlsOptions,
  TlsVersion,
} from "./server-options.js";
export { SnapshotFileError } from "./snapshot-file/format.js";
export { readSnapshotFile, type SnapshotFile } from "./snapshot-file/read.js";
export { FolderNotEmptyError, restoreSnapshotFile } from "./snapshot-file/restore.js";
export { type SnapshotSummary, summaryOf } from "./snapshot-file/summary.js";
export { startServer } from "./start-server.js";
