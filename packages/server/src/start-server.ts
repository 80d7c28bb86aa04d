/**
 * The composition root: the one place that puts log, replica, services, transport and sockets together,
 * and takes them apart again.
 */

import type { Socket } from "node:net";
import { type Log, openFileLog, openMemoryLog, type RecoveryReport } from "@holdfast/log";
import { Replica, type ReplicaLimits } from "@holdfast/replica";
import { GrpcServer, type TransportLimits, type TransportLog } from "@holdfast/transport";
import { systemEnvironment } from "./environment.js";
import { defaultServiceLimits, type ServiceLimits } from "./limits.js";
import { type Logger, silentLogger } from "./logger.js";
import {
  clientUrl,
  formatAddress,
  InvalidAddressError,
  isLocal,
  type ListenAddress,
  parseListenAddress,
} from "./net/address.js";
import { type Listener, listen } from "./net/listener.js";
import { allMethods } from "./services/all.js";
import { type Identity, ServiceContext } from "./services/context.js";

export interface ServerOptions {
  /** Folder for the log and snapshots; made if missing. Without it everything is kept in memory and lost at `close`. */
  readonly dataDir?: string;
  /** Addresses to listen on, "host:port", several in an array or separated by commas; port 0 picks a free one. Default 127.0.0.1:2379. */
  readonly listen?: string | readonly string[];
  /** The member's name, as `etcdctl member list` shows it. Default "default". */
  readonly name?: string;
  /** Default: says nothing. */
  readonly logger?: Logger;
  readonly serviceLimits?: Partial<ServiceLimits>;
  readonly replicaLimits?: Partial<ReplicaLimits>;
  readonly transportLimits?: Partial<TransportLimits>;
  /** Storage failed for good and the server has stopped. Default: logged only. */
  readonly onFatal?: (cause: Error) => void;
}

export interface RunningServer {
  /** Where it listens, as "host:port", in the order asked for. */
  readonly addresses: readonly string[];
  /** The first address as clients take it. */
  readonly endpoint: string;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** Lets calls in progress end, then releases the port, the folder, timers and sockets. */
  close(): Promise<void>;
}

const optionNames: Record<keyof ServerOptions, true> = {
  dataDir: true,
  listen: true,
  name: true,
  logger: true,
  serviceLimits: true,
  replicaLimits: true,
  transportLimits: true,
  onFatal: true,
};

/** A misspelt `dataDir` would otherwise mean a server that forgets everything. */
function refuseUnknownOptions(options: ServerOptions): void {
  const unknown = Object.keys(options).find((name) => !(name in optionNames));
  if (unknown !== undefined) throw new TypeError(`startServer: unknown option "${unknown}"`);
  if (options.dataDir !== undefined && (typeof options.dataDir !== "string" || options.dataDir === "")) {
    throw new TypeError("startServer: dataDir must be the path of a folder");
  }
}

/** Entries may be as large as one request and its envelope. */
const entryBytesMax = 4 * 1024 * 1024;
const defaultListen = "127.0.0.1:2379";
const drainDeadlineMs = 5_000;
/** Time for a new connection to say which protocol it speaks (fault-model F26). */
const firstBytesDeadlineMs = 10_000;

/**
 * Starts a server. Resolves once it serves. Throws `TypeError` for an unknown option, `InvalidAddressError`, `ListenError`, and what the log
 * throws when the folder is locked, unreadable, or its log damaged; nothing is left behind then.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  refuseUnknownOptions(options);
  const listen = [options.listen ?? defaultListen].flat().flatMap((text) => text.split(","));
  const addresses = listen.map(parseListenAddress);
  if (addresses.length === 0) throw new InvalidAddressError("");
  const stack = new CloseStack();
  try {
    return await assemble(options, addresses, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

async function assemble(
  options: ServerOptions,
  addresses: readonly ListenAddress[],
  stack: CloseStack,
): Promise<RunningServer> {
  const logger = options.logger ?? silentLogger();
  const environment = systemEnvironment();
  let failed = false;
  const fatal = (cause: Error): void => {
    // Both the log and the replica may notice; it is one failure.
    if (failed) return;
    failed = true;
    logger.fatal({ err: cause }, "storage failed; nothing more is acknowledged, stopping");
    stack
      .close()
      .catch((error) => logger.error({ err: error }, "not everything could be closed"))
      .finally(() => options.onFatal?.(cause));
  };
  const log = await openLog(options, logger, fatal);
  stack.add(() => log.close());
  const replica = await startReplica(log, options, logger, fatal);
  stack.add(() => replica.close());
  const identity = identityOf(log, options.name ?? "default");
  const context = new ServiceContext(replica, environment, identity, {
    ...defaultServiceLimits,
    ...options.serviceLimits,
  });
  const grpc = new GrpcServer({
    methods: allMethods(context),
    limits: options.transportLimits ?? {},
    log: transportLog(logger),
  });
  const listeners: Listener[] = [];
  stack.add(() => stopServing(listeners, context, grpc));
  await listenAll(addresses, grpc, logger, listeners);
  identity.clientUrls = listeners.map((listener) => clientUrl(listener.address));
  const bound = listeners.map((listener) => formatAddress(listener.address));
  warnOfReach(listeners, logger);
  return {
    addresses: bound,
    endpoint: bound[0] as string,
    clusterId: identity.clusterId,
    memberId: identity.memberId,
    close: () => stack.close(),
  };
}

function openLog({ dataDir }: ServerOptions, logger: Logger, onFailure: (cause: Error) => void): Promise<Log> {
  const limits = { entryBytesMax };
  if (dataDir === undefined) return openMemoryLog({ limits, onFailure });
  const onRecovery = (report: RecoveryReport): void => logger.warn(report, "the log was put right after a crash");
  return openFileLog({ folder: dataDir, limits, onFailure, onRecovery });
}

/** What the transport has to tell an operator: peers that broke a limit or the protocol. */
function transportLog(logger: Logger): TransportLog {
  return ({ level, message, peer }) => logger[level]({ peer }, message);
}

function startReplica(
  log: Log,
  { replicaLimits }: ServerOptions,
  logger: Logger,
  onFatal: (cause: Error) => void,
): Promise<Replica> {
  return Replica.start({
    log,
    environment: systemEnvironment(),
    ...(replicaLimits === undefined ? {} : { limits: replicaLimits }),
    onSnapshotFailure: (cause) => logger.error({ err: cause }, "snapshot failed; serving goes on"),
    onFatal,
  });
}

async function listenAll(
  addresses: readonly ListenAddress[],
  grpc: GrpcServer,
  logger: Logger,
  listeners: Listener[],
): Promise<void> {
  for (const address of addresses) {
    const onHttp2 = (socket: Socket, alreadyRead: Buffer): void => grpc.handleConnection(socket, alreadyRead);
    const onError = (cause: Error): void =>
      logger.error({ err: cause, address: formatAddress(address) }, "cannot accept a connection; listening goes on");
    listeners.push(await listen({ address, onHttp2, onError, firstBytesDeadlineMs }));
  }
}

function warnOfReach(listeners: readonly Listener[], logger: Logger): void {
  for (const { address } of listeners) {
    if (isLocal(address)) continue;
    logger.warn(
      { address: formatAddress(address) },
      "other machines can connect, without authentication and in clear text",
    );
  }
}

/** Takes no new connections, ends the calls that would never end, and lets the others finish. */
async function stopServing(listeners: readonly Listener[], context: ServiceContext, grpc: GrpcServer): Promise<void> {
  const closed = listeners.map((listener) => listener.close());
  context.openCalls.stop();
  await grpc.drain(drainDeadlineMs);
  await Promise.all(closed);
}

/** Both ids come from the log's identity: stable for its life, different for every folder (GEN-11). */
function identityOf(log: Log, name: string): Identity {
  const clusterId = BigInt(`0x${log.identity.slice(0, 16)}`);
  const memberId = BigInt(`0x${log.identity.slice(16, 32)}`);
  return { clusterId, memberId, name, clientUrls: [] };
}

/** What has been opened, closed once and in the opposite order. */
class CloseStack {
  readonly #closers: Array<() => Promise<void>> = [];
  #closing: Promise<void> | undefined;

  add(closer: () => Promise<void>): void {
    this.#closers.push(closer);
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const closer of this.#closers.reverse()) await closer().catch((error) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
