/**
 * The server without what surrounds it: log, replica, services and protocols, put together in their order and taken apart
 * again. Connections are handed to it; sockets, files and the process are the business of whoever starts it: `startServer`
 * in earnest, the simulator with a world of its own.
 */
import type { Log } from "@holdfast/log";
import { StateLoader } from "@holdfast/replica";
import type { GrpcServer } from "@holdfast/transport";
import { accessFor } from "../access/access.js";
import { startAutoCompaction } from "../auto-compaction.js";
import type { ServerEnvironment } from "../environment.js";
import { defaultServiceLimits } from "../limits.js";
import { type Logger, silentLogger } from "../logger.js";
import { type NetCounters, newNetCounters } from "../net/counters.js";
import { MeasuredLog } from "../ops/log-meter.js";
import { refuseUnknownOptions, type ServerOptions } from "../server-options.js";
import { type Identity, ServiceContext } from "../services/context.js";
import { CloseStack } from "./close-stack.js";
import { createProtocols, type Protocols } from "./protocols.js";
import { type LogOpening, logOpening, startReplica } from "./storage.js";
import { logFailedLogins } from "./upkeep-log.js";

const drainDeadlineMs = 5_000;

export interface CoreOptions {
  /** What is said of addresses, certificates and the data folder is left to whoever starts it. */
  readonly options: ServerOptions;
  readonly environment: ServerEnvironment;
  /** Opens the log that the server lives on. It is closed with the core. */
  readonly openLog: (opening: LogOpening) => Promise<Log>;
}

/** A server that waits for connections. */
export interface RunningCore {
  readonly grpc: GrpcServer;
  readonly context: ServiceContext;
  /** Lets calls in progress end, settles what was accepted, and closes the log. The same promise every time. */
  close(): Promise<void>;
}

/**
 * Starts a server without sockets. Resolves once all of the log is applied. Throws what `openLog` and the log throw, and
 * `TypeError` for an unknown option; nothing is left behind then. `options.onFatal` is called when the storage has failed
 * and the core has closed itself.
 */
export async function startCore({ options, environment, openLog }: CoreOptions): Promise<RunningCore> {
  refuseUnknownOptions(options);
  const logger = options.logger ?? silentLogger();
  const stack = new CloseStack();
  try {
    const net = newNetCounters();
    const core = await assembleCore({ options, environment, openLog, logger, net, stack, isLasting: true });
    stack.add(() => stopCalls(core));
    return { grpc: core.protocols.grpc, context: core.context, close: () => stack.close() };
  } catch (error) {
    await stack.close();
    throw error;
  }
}

export interface CoreParts extends CoreOptions {
  readonly logger: Logger;
  readonly net: NetCounters;
  /** Takes what is opened, as it is opened. */
  readonly stack: CloseStack;
  /** Whether the log lies somewhere where its pace matters, and stays when the process has ended. */
  readonly isLasting: boolean;
}

/** The core, assembled. */
export interface Core {
  readonly context: ServiceContext;
  readonly protocols: Protocols;
  readonly storage: StorageWatch;
}

/** Opens the log and puts everything else on it. Throws what the log throws; what was opened until then is in the stack. */
export async function assembleCore(parts: CoreParts): Promise<Core> {
  const { options, environment, logger, net, stack } = parts;
  const storage = new StorageWatch(options, logger, stack);
  const state = new StateLoader();
  const opened = await parts.openLog(logOpening(options, logger, state, storage.failed));
  stack.add(() => opened.close());
  const measured = parts.isLasting ? new MeasuredLog(opened, () => environment.nowMs()) : undefined;
  const log = measured ?? opened;
  const replica = await startReplica(log, state, options, environment, logger, storage.failed, parts.isLasting);
  stack.add(() => replica.close());
  // Known by now: the start of an epoch was the first entry.
  if (parts.isLasting) logger.info({ appends: replica.appendWay }, "log opened");
  const limits = { ...defaultServiceLimits, ...options.serviceLimits };
  const access = accessFor(replica, environment, limits, options);
  const identity = identityOf(log, options.name ?? "default");
  const context = new ServiceContext(replica, environment, identity, limits, access, options.quotaBytes);
  logFailedLogins(context, logger);
  if (options.autoCompaction !== undefined) {
    const stopCompacting = startAutoCompaction(replica, environment, options.autoCompaction);
    stack.add(async () => stopCompacting());
  }
  const protocols = createProtocols({ options, context, environment, logger, net, logMeter: measured?.meter });
  return { context, protocols, storage };
}

/** Ends the calls that would never end, and lets the others finish. */
export async function stopCalls({ context, protocols: { grpc, http1 } }: Core): Promise<void> {
  context.openCalls.stop();
  await Promise.all([grpc.drain(drainDeadlineMs), http1.drain(drainDeadlineMs)]);
}

/** Stops a server whose storage fails. Both the log and the replica may notice; it is one failure. */
class StorageWatch {
  /** What it has failed with. */
  failure: Error | undefined;
  readonly #options: ServerOptions;
  readonly #logger: Logger;
  readonly #stack: CloseStack;

  constructor(options: ServerOptions, logger: Logger, stack: CloseStack) {
    this.#options = options;
    this.#logger = logger;
    this.#stack = stack;
  }

  readonly failed = (cause: Error): void => {
    if (this.failure !== undefined) return;
    this.failure = cause;
    this.#logger.fatal({ err: cause }, "storage failed; nothing more is acknowledged, stopping");
    this.#stack
      .close()
      .catch((error) => this.#logger.error({ err: error }, "not everything could be closed"))
      .finally(() => this.#options.onFatal?.(cause));
  };
}

/** Both ids come from the log's identity: stable for its life, different for every folder (GEN-11). */
function identityOf(log: Log, name: string): Identity {
  const clusterId = BigInt(`0x${log.identity.slice(0, 16)}`);
  const memberId = BigInt(`0x${log.identity.slice(16, 32)}`);
  return { clusterId, memberId, name, clientUrls: [] };
}
