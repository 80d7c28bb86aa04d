/**
 * `holdfast serve`: starts the server, says where it is, and stops it on a signal. One clear line and a
 * distinct exit code for whatever keeps it from starting.
 */
import { resolve } from "node:path";
import {
  createLogger,
  JwtOptionsError,
  LogFolderLockedError,
  LogFolderUnreadableError,
  type Logger,
  type RunningServer,
  startServer,
  TlsOptionError,
  UnappliableEntryError,
} from "@holdfast/server";
import { exitCodeOf, exitCodes } from "./exit-codes.js";
import { leaveRoomBetweenCollections } from "./heap-growth.js";
import { releaseMemoryWhenIdle } from "./idle-memory.js";
import { runtimeWarning } from "./runtime-floor.js";
import { inFlags } from "./settings/flag-names.js";
import type { ServeSettings } from "./settings/settings.js";
import { UsageError } from "./settings/usage-error.js";
import { etcdctlFlags } from "./try-line.js";
import { version } from "./version.js";

/** Serves until a signal comes or storage fails. Ends the process. For `ownsProcess` see `startServer`. */
export async function serve(settings: ServeSettings, ownsProcess: boolean): Promise<void> {
  const logger = openLogger(settings);
  const dataDir = settings.inMemory ? undefined : resolve(settings.dataDir);
  stopOnBugs(logger);
  tellWhatIsIgnored(settings, logger);
  let server: RunningServer;
  try {
    server = await startServer({
      ...(dataDir === undefined ? {} : { dataDir }),
      ...settings.server,
      ownsProcess,
      logger,
      onFatal: (cause) => process.exit(fatalExitCode(cause)),
    });
  } catch (error) {
    fail(error);
    return;
  }
  stopOnSignals(server, logger, settings.server.tls !== undefined);
  releaseMemoryWhenIdle();
  leaveRoomBetweenCollections();
  const outdated = runtimeWarning(process.versions.node);
  if (outdated !== undefined) logger.warn(outdated);
  announce(server, settings, dataDir, logger);
}

function openLogger({ logLevel, logFormat, logOutputs }: ServeSettings): Logger {
  try {
    return createLogger(logLevel, logFormat, logOutputs);
  } catch (error) {
    throw new UsageError(`--log-outputs: ${error instanceof Error ? error.message : error}`);
  }
}

/** One line for each kind, however many there are. */
function tellWhatIsIgnored({ ignored, unknownVariables }: ServeSettings, logger: Logger): void {
  if (ignored.length > 0) logger.warn(`these settings of etcd mean nothing here: ${ignored.join(", ")}`);
  if (unknownVariables.length > 0) logger.warn(`no setting has these variables: ${unknownVariables.join(", ")}`);
}

/** Says in one line what ended the command, and exits. */
export function fail(error: unknown, code: number = exitCodeOf(error)): void {
  const message = describe(error);
  process.stderr.write(`holdfast: ${message}\n`);
  if (code === exitCodes.unexpected && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exit(code);
}

/** The error in words a user of the command knows: a data folder, not a log's folder; flags, not options. */
function describe(error: unknown): string {
  if (error instanceof LogFolderLockedError) return `data folder in use: ${error.folder}: ${error.reason}`;
  if (error instanceof TlsOptionError || error instanceof JwtOptionsError) return inFlags(error.message);
  if (!(error instanceof LogFolderUnreadableError)) return describeOther(error);
  const code = rootCode(error);
  if (code === "EEXIST" || code === "ENOTDIR") return `data folder ${error.folder} is not a folder`;
  return `cannot read or write data folder ${error.folder}: ${code ?? error.message}`;
}

/** What the system says of a file that was named, in words instead of codes and calls. */
const unusable: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
};

function describeOther(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "", path } = error as NodeJS.ErrnoException;
  const reason = unusable[code];
  return reason === undefined || path === undefined ? error.message : `cannot use ${path}: ${reason}`;
}

/** The system's code of the innermost cause that has one. */
function rootCode(error: Error): string | undefined {
  const inner = error.cause instanceof Error ? rootCode(error.cause) : undefined;
  return inner ?? (error as NodeJS.ErrnoException).code;
}

function announce(server: RunningServer, settings: ServeSettings, dataDir: string | undefined, logger: Logger): void {
  const flags = etcdctlFlags(server.endpoint, settings.server, dataDir);
  const further = [
    ...server.httpAddresses.map((address) => `  http     ${address}\n`),
    ...server.metricsAddresses.map((address) => `  metrics  ${address}\n`),
  ].join("");
  const place = dataDir ?? "in memory, gone when this process ends";
  if (settings.logFormat === "json") {
    logger.info({ address: server.endpoint, addresses: server.addresses, dataDir, version }, "ready");
    return;
  }
  process.stdout.write(
    `Holdfast ${version} is ready (etcd v3 API)\n` +
      `  address  ${server.addresses.join(", ")}\n` +
      further +
      `  data     ${place}\n` +
      `  try      etcdctl ${flags} put greeting hello\n` +
      `           etcdctl ${flags} lock deploy -- sh -c 'echo I hold $ETCD_LOCK_KEY'\n` +
      "  stop     Ctrl-C\n",
  );
}

/** The first signal stops cleanly, the second at once. SIGHUP reads the certificates again. */
function stopOnSignals(server: RunningServer, logger: Logger, hasCertificates: boolean): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(exitCodes.interrupted);
    stopping = true;
    logger.info("stopping; once more stops at once");
    server.close().then(
      () => ended(server, logger),
      (error) => fail(error),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", () => {
    if (hasCertificates) reload(server, logger);
    // The terminal has gone. Without one it was for somebody who has files read again, and there is nothing to read.
    else if (process.stdout.isTTY) stop();
  });
}

/** A stop still has much to store: what the storage fails with then ends it as it would have before. */
function ended({ failure }: RunningServer, logger: Logger): void {
  if (failure !== undefined) process.exit(fatalExitCode(failure));
  logger.info("stopped");
  process.exit(exitCodes.ok);
}

/** Files that cannot be used leave the certificates as they are. */
function reload(server: RunningServer, logger: Logger): void {
  try {
    server.reloadCertificates();
    logger.info("certificates read again");
  } catch (error) {
    logger.error({ err: error }, "certificates could not be read again; the old ones stay in use");
  }
}

/** What ended the log once it served, as far as it can be told from a storage that merely failed. */
function fatalExitCode(cause: Error): number {
  const code = exitCodeOf(cause);
  return code === exitCodes.unexpected ? exitCodes.storageFailed : code;
}

/** A bug stops the server: a dead server releases no lock early, a wrong one does (fault-model F17). */
function stopOnBugs(logger: Logger): void {
  const stop = (error: unknown): void => {
    logger.fatal({ err: error instanceof Error ? error : new Error(String(error)) }, "unexpected error, stopping");
    process.exit(error instanceof UnappliableEntryError ? exitCodes.unappliable : exitCodes.bug);
  };
  process.on("uncaughtException", stop);
  process.on("unhandledRejection", stop);
}
