/** Opens the log and the replica that lives on it. */
import { type Log, openFileLog, openMemoryLog, type RecoveryReport } from "@holdfast/log";
import { Replica } from "@holdfast/replica";
import type { ServerEnvironment } from "../environment.js";
import { defaultServiceLimits, entryBytesMax } from "../limits.js";
import type { Logger } from "../logger.js";
import type { ServerOptions } from "../server-options.js";
import { refuseForeignFolder } from "./foreign-folder.js";

/** In the data folder, or in memory if there is none. Throws `ForeignFolderError`, and what the log throws. */
export async function openLog(
  { dataDir, serviceLimits }: ServerOptions,
  logger: Logger,
  onFailure: (cause: Error) => void,
): Promise<Log> {
  const requestBytes = serviceLimits?.requestBytes ?? defaultServiceLimits.requestBytes;
  const limits = { entryBytesMax: entryBytesMax(requestBytes) };
  if (dataDir === undefined) return openMemoryLog({ limits, onFailure });
  refuseForeignFolder(dataDir);
  const onRecovery = (report: RecoveryReport): void => logger.warn(report, "the log was put right after a crash");
  return openFileLog({ folder: dataDir, limits, onFailure, onRecovery });
}

/** Resolves once all of the log is applied. */
export function startReplica(
  log: Log,
  { replicaLimits, serviceLimits }: ServerOptions,
  environment: ServerEnvironment,
  logger: Logger,
  onFatal: (cause: Error) => void,
): Promise<Replica> {
  return Replica.start({
    log,
    environment,
    ...(replicaLimits === undefined ? {} : { limits: replicaLimits }),
    leaseTtlMinSeconds: serviceLimits?.leaseTtlMinSeconds ?? defaultServiceLimits.leaseTtlMinSeconds,
    onSnapshotFailure: (cause) => logger.error({ err: cause }, "snapshot failed; serving goes on"),
    onFatal,
  });
}
