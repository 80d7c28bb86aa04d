/**
 * The composition root: the one place that puts log, replica, services, transport and sockets together,
 * and takes them apart again.
 */
import type { Log } from "@holdfast/log";
import { accessFor } from "./access/access.js";
import { startAutoCompaction } from "./auto-compaction.js";
import { advertisedUrls, type PlannedAddress, planAddresses, type Serves } from "./compose/addresses.js";
import { CloseStack } from "./compose/close-stack.js";
import { type OpenDoor, openDoors, warnOfReach } from "./compose/doors.js";
import { createProtocols, type Protocols } from "./compose/protocols.js";
import { openLog, startReplica } from "./compose/storage.js";
import { openTls, planTls, type TlsParts } from "./compose/tls.js";
import { type ServerEnvironment, systemEnvironment } from "./environment.js";
import { defaultServiceLimits } from "./limits.js";
import { type Logger, silentLogger } from "./logger.js";
import { clientUrl, endpointOf, formatAddress } from "./net/address.js";
import { type NetCounters, newNetCounters } from "./net/counters.js";
import { defaultNetLimits } from "./net/limits.js";
import { ThrottledLog } from "./net/throttled-log.js";
import type { TlsSettings } from "./net/tls/settings.js";
import { MeasuredLog } from "./ops/log-meter.js";
import { type RunningServer, refuseUnknownOptions, type ServerOptions } from "./server-options.js";
import { type Identity, ServiceContext } from "./services/context.js";

const drainDeadlineMs = 5_000;

/**
 * Starts a server. Resolves once it serves. Throws `TypeError` for an unknown option, `InvalidAddressError`,
 * `TlsOptionError`, `CertificateError`, `ListenError`, and what the log throws when the folder is locked, unreadable, or
 * its log damaged; nothing is left behind then.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  refuseUnknownOptions(options);
  const planned = planAddresses(options);
  const plan: Plan = { planned, advertised: advertisedUrls(options), tlsSettings: planTls(options, planned) };
  const stack = new CloseStack();
  try {
    return await assemble(options, plan, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/** What is settled before anything is opened. */
interface Plan {
  readonly planned: readonly PlannedAddress[];
  readonly advertised: readonly string[];
  readonly tlsSettings: TlsSettings | undefined;
}

async function assemble(options: ServerOptions, plan: Plan, stack: CloseStack): Promise<RunningServer> {
  const logger = options.logger ?? silentLogger();
  const environment = systemEnvironment();
  const fatal = stopOnce(options, logger, stack);
  const opened = await openLog(options, logger, fatal);
  stack.add(() => opened.close());
  const measured = options.dataDir === undefined ? undefined : new MeasuredLog(opened, environment.nowMs);
  const log = measured ?? opened;
  const replica = await startReplica(log, options, environment, logger, fatal);
  stack.add(() => replica.close());
  const identity = identityOf(log, options.name ?? "default");
  const limits = { ...defaultServiceLimits, ...options.serviceLimits };
  const access = accessFor(replica, environment, limits, options);
  const context = new ServiceContext(replica, environment, identity, limits, access, options.quotaBytes);
  if (options.autoCompaction !== undefined) {
    const stopCompacting = startAutoCompaction(replica, environment, options.autoCompaction);
    stack.add(async () => stopCompacting());
  }
  const net = newNetCounters();
  const protocols = createProtocols({ options, context, logger, net, logMeter: measured?.meter });
  const { doors, tls } = await openNet(options, plan, { logger, environment, net, protocols, context, stack });
  const urls = clientDoors(doors).map(({ listener }) => clientUrl(listener.address));
  // Sorted, as etcd lists them (CLUS-1).
  identity.clientUrls = [...(plan.advertised.length > 0 ? plan.advertised : urls)].sort();
  return running(doors, tls, identity, stack);
}

/** Both the log and the replica may notice a failure of the storage; it is one failure. */
function stopOnce(options: ServerOptions, logger: Logger, stack: CloseStack): (cause: Error) => void {
  let failed = false;
  return (cause) => {
    if (failed) return;
    failed = true;
    logger.fatal({ err: cause }, "storage failed; nothing more is acknowledged, stopping");
    stack
      .close()
      .catch((error) => logger.error({ err: error }, "not everything could be closed"))
      .finally(() => options.onFatal?.(cause));
  };
}

interface NetParts {
  readonly logger: Logger;
  readonly environment: ServerEnvironment;
  readonly net: NetCounters;
  readonly protocols: Protocols;
  readonly context: ServiceContext;
  readonly stack: CloseStack;
}

interface OpenNet {
  readonly doors: readonly OpenDoor[];
  readonly tls: TlsParts | undefined;
}

async function openNet(
  options: ServerOptions,
  { planned, tlsSettings }: Plan,
  { logger, environment, net, protocols, context, stack }: NetParts,
): Promise<OpenNet> {
  const limits = defaultNetLimits;
  const log = new ThrottledLog(logger, environment.nowMs, limits.repeatedLogIntervalMs);
  const addresses = planned.map(({ address }) => address).filter(({ secure }) => secure);
  const around = { options, logger, log, environment, limits, counters: net, addresses };
  const tls = tlsSettings === undefined ? undefined : await openTls(tlsSettings, around);
  stack.add(async () => tls?.stop());
  const doors: OpenDoor[] = [];
  stack.add(() => stopServing(doors, context, protocols));
  await openDoors(planned, { protocols, tls: tls?.gate, limits, counters: net, log }, doors);
  warnOfReach(doors, options.tls, logger);
  return { doors, tls };
}

function running(
  doors: readonly OpenDoor[],
  tls: TlsParts | undefined,
  { clusterId, memberId }: Identity,
  stack: CloseStack,
): RunningServer {
  const first = doors[0] as OpenDoor;
  return {
    addresses: clientDoors(doors).map(formatDoor),
    httpAddresses: doorsThatServe(doors, "http").map(formatDoor),
    metricsAddresses: doorsThatServe(doors, "metrics").map(formatDoor),
    endpoint: endpointOf(first.listener.address),
    clusterId,
    memberId,
    reloadCertificates: () => tls?.reload(),
    close: () => stack.close(),
  };
}

function clientDoors(doors: readonly OpenDoor[]): OpenDoor[] {
  return doors.filter(({ serves }) => serves === "all" || serves === "grpc");
}

function doorsThatServe(doors: readonly OpenDoor[], serves: Serves): OpenDoor[] {
  return doors.filter((door) => door.serves === serves);
}

function formatDoor({ listener }: OpenDoor): string {
  return formatAddress(listener.address);
}

/** Takes no new connections, ends the calls that would never end, and lets the others finish. */
async function stopServing(
  doors: readonly OpenDoor[],
  context: ServiceContext,
  { grpc, http1 }: Protocols,
): Promise<void> {
  const closed = doors.map(({ listener }) => listener.close());
  context.openCalls.stop();
  await Promise.all([grpc.drain(drainDeadlineMs), http1.drain(drainDeadlineMs)]);
  for (const { listener } of doors) listener.destroyHttp1();
  await Promise.all(closed);
}

/** Both ids come from the log's identity: stable for its life, different for every folder (GEN-11). */
function identityOf(log: Log, name: string): Identity {
  const clusterId = BigInt(`0x${log.identity.slice(0, 16)}`);
  const memberId = BigInt(`0x${log.identity.slice(16, 32)}`);
  return { clusterId, memberId, name, clientUrls: [] };
}
