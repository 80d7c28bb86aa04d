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
export { defaultServiceLimits, type ServiceLimits } from "./limits.js";
export { createLogger, type LogFormat, type Logger, type LogLevel, logFormats, logLevels } from "./logger.js";
export { InvalidAddressError } from "./net/address.js";
export { ListenError } from "./net/listener.js";
export { type RunningServer, type ServerOptions, startServer } from "./start-server.js";
