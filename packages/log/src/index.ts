/**
 * `@holdfast/log`: the durable, ordered record of commands. `log.ts` is the door; the rest is for
 * those who open a log, bring an engine of their own, or handle its errors.
 */

export type {
  EngineBounds,
  EngineListener,
  EngineUsage,
  LogEngine,
  PutRefusal,
  PutResult,
  SnapshotReader,
  SnapshotStore,
} from "./engine.js";
export { REFUSED, STORED, TAKEN } from "./engine.js";
export { digestOf, FRAME_HEADER_BYTES } from "./entry-frame.js";
export { type LogEnvironment, realEnvironment } from "./environment.js";
export {
  LogClosedError,
  LogDamagedError,
  LogDivergedError,
  LogFolderLockedError,
  LogFolderUnreadableError,
  LogFullError,
  LogMissingError,
  LogNotOwnerError,
  LogStorageError,
  LogVersionError,
} from "./errors.js";
export type { SyncPlace } from "./file/append-sync.js";
export { BACKGROUND_CALLS_MAX } from "./file/background-calls.js";
export type { Disk, DiskFile, DiskOperation, OpenMode } from "./file/disk.js";
export { DISK_OPERATIONS } from "./file/disk.js";
export { nodeDisk } from "./file/node-disk.js";
export { type FileLogOptions, openFileLog } from "./file/open-file-log.js";
export type { RecoveryReport } from "./file/recovery-report.js";
export { checkedLimits, DEFAULT_LOG_LIMITS, ENTRY_BYTES_LIMIT, type LogLimits, SNAPSHOTS_KEPT } from "./limits.js";
export type {
  AppendRefusal,
  AppendResult,
  AppendWay,
  Log,
  LogEntry,
  LogReader,
  LogSnapshot,
  LogUsage,
} from "./log.js";
export { MemoryEngine, type MemoryEngineOptions } from "./memory/memory-engine.js";
export { MemoryStore, type MemoryStoreOptions } from "./memory/memory-store.js";
export { type MemoryLogOptions, openMemoryLog } from "./memory/open-memory-log.js";
export { type LogOptions, openLog } from "./owned-log.js";
