/** Opens the log and the replica that lives on it. */
import {
  type Log,
  type LogLimits,
  type LogReader,
  openFileLog,
  openMemoryLog,
  type RecoveryReport,
} from "@holdfast/log";
import { Replica, type StateLoader } from "@holdfast/replica";
import type { ServerEnvironment } from "../environment.js";
import { defaultServiceLimits, entryBytesMax } from "../limits.js";
import type { Logger } from "../logger.js";
import type { ServerOptions } from "../server-options.js";
import { refuseForeignFolder } from "./foreign-folder.js";
import { syncPlace } from "./thread-pool.js";
import { logUpkeep } from "./upkeep-log.js";

/** In the data folder, or in memory if there is none. Throws `ForeignFolderError`, and what the log throws. */
export async function openLog({ dataDir, ownsProcess = false }: ServerOptions, opening: LogOpening): Promise<Log> {
  if (dataDir === undefined) return openMemoryLog(opening);
  refuseForeignFolder(dataDir);
  const syncOn = syncPlace(ownsProcess, process.env.UV_THREADPOOL_SIZE);
  return openFileLog({ folder: dataDir, syncOn, ...opening });
}

/** What a server wants of any log it opens. */
export interface LogOpening {
  readonly limits: Pick<LogLimits, "entryBytesMax">;
  /** Gets what the log holds while it is opened. */
  readonly reader: LogReader;
  readonly onFailure: (cause: Error) => void;
  readonly onRecovery: (report: RecoveryReport) => void;
}

export function logOpening(
  { serviceLimits }: ServerOptions,
  logger: Logger,
  reader: LogReader,
  onFailure: (cause: Error) => void,
): LogOpening {
  const requestBytes = serviceLimits?.requestBytes ?? defaultServiceLimits.requestBytes;
  return {
    limits: { entryBytesMax: entryBytesMax(requestBytes) },
    reader,
    onFailure,
    onRecovery: (report) => logger.warn(report, "the log was put right after a crash"),
  };
}

/** Resolves once all of the log is applied. `state` is what it was opened with; for `isLogLasting` see `ReplicaOptions`. */
export function startReplica(
  log: Log,
  state: StateLoader,
  { replicaLimits, serviceLimits }: ServerOptions,
  environment: ServerEnvironment,
  logger: Logger,
  onFatal: (cause: Error) => void,
  isLogLasting: boolean,
): Promise<Replica> {
  return Replica.start({
    log,
    state,
    environment,
    ...(replicaLimits === undefined ? {} : { limits: replicaLimits }),
    leaseTtlMinSeconds: serviceLimits?.leaseTtlMinSeconds ?? defaultServiceLimits.leaseTtlMinSeconds,
    isLogLasting,
    onStopSnapshotFailure: (cause) =>
      logger.warn({ err: cause }, "no snapshot was left behind; the next start reads the log instead"),
    onSnapshotFailure: (cause) => logger.error({ err: cause }, "snapshot failed; serving goes on"),
    onFull: () => logger.error("no room on disk for the log: what adds to the store is refused until it is freed"),
    onUpkeep: (command, outcome) => logUpkeep(logger, command, outcome),
    onFatal,
  });
}
