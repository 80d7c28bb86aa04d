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
export { UnappliableEntryError, UnreadableEntryError } from "@holdfast/replica";
export { RevisionStepError, SnapshotFormatError } from "@holdfast/state-machine";
export { JwtOptionsError } from "./access/jwt-tokens.js";
export type { Secrets } from "./access/secrets.js";
export { InsecureListenError } from "./compose/addresses.js";
export { type CoreOptions, type RunningCore, startCore } from "./compose/core.js";
export { ForeignFolderError } from "./compose/foreign-folder.js";
export type { LogOpening } from "./compose/storage.js";
export type { ServerEnvironment } from "./environment.js";
export { ForwardingLog } from "./forwarding-log.js";
export { defaultServiceLimits, type ServiceLimits } from "./limits.js";
export { createLogger, type LogFormat, type Logger, type LogLevel, logFormats, logLevels } from "./logger.js";
export { InvalidAddressError } from "./net/address.js";
export { defaultNetLimits, type NetLimits } from "./net/limits.js";
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
export { FolderNotEmptyError, restoreSnapshotFile, revisionStepDefault } from "./snapshot-file/restore.js";
export { type SnapshotSummary, summaryOf } from "./snapshot-file/summary.js";
export { startServer } from "./start-server.js";
