/**
 * The composition root: puts the core of a server (`compose/core.ts`) on a real log and behind real sockets, and takes
 * everything apart again.
 */
import { HashThreads } from "./access/hash-threads.js";
import { secretsOn } from "./access/secrets.js";
import { advertisedUrls, type PlannedAddress, planAddresses, type Serves } from "./compose/addresses.js";
import { CloseStack } from "./compose/close-stack.js";
import { assembleCore, type Core, stopCalls } from "./compose/core.js";
import { type OpenDoor, openDoors, warnOfReach } from "./compose/doors.js";
import { warnOfModes } from "./compose/folder-modes.js";
import { openLog } from "./compose/storage.js";
import { openTls, planTls, type TlsParts } from "./compose/tls.js";
import { type ServerEnvironment, systemEnvironment } from "./environment.js";
import { type Logger, silentLogger } from "./logger.js";
import { clientUrl, endpointOf, formatAddress } from "./net/address.js";
import { type NetCounters, newNetCounters } from "./net/counters.js";
import { defaultNetLimits } from "./net/limits.js";
import { ThrottledLog } from "./net/throttled-log.js";
import type { TlsSettings } from "./net/tls/settings.js";
import { type RunningServer, refuseUnknownOptions, type ServerOptions } from "./server-options.js";

/**
 * Starts a server. Resolves once it serves. Throws `TypeError` for an unknown option, `InvalidAddressError`,
 * `InsecureListenError`, `TlsOptionError`, `CertificateError`, `ListenError`, and what the log throws when the folder is locked, unreadable, or
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
  const hashThreads = new HashThreads();
  stack.add(() => hashThreads.end());
  const environment = { ...systemEnvironment(), secrets: secretsOn(hashThreads) };
  const net = newNetCounters();
  const isLasting = options.dataDir !== undefined;
  const parts = { options, environment, logger, net, stack, isLasting };
  const core = await assembleCore({ ...parts, openLog: (opening) => openLog(options, opening) });
  const { doors, tls } = await openNet(options, plan, { logger, environment, net, core, stack });
  const { identity } = core.context;
  const urls = clientDoors(doors).map(({ listener }) => clientUrl(listener.address));
  // Sorted, as etcd lists them (CLUS-1).
  identity.clientUrls = [...(plan.advertised.length > 0 ? plan.advertised : urls)].sort();
  return running(doors, tls, core, stack);
}

interface NetParts {
  readonly logger: Logger;
  readonly environment: ServerEnvironment;
  readonly net: NetCounters;
  readonly core: Core;
  readonly stack: CloseStack;
}

interface OpenNet {
  readonly doors: readonly OpenDoor[];
  readonly tls: TlsParts | undefined;
}

async function openNet(
  options: ServerOptions,
  { planned, tlsSettings }: Plan,
  { logger, environment, net, core, stack }: NetParts,
): Promise<OpenNet> {
  const limits = { ...defaultNetLimits, ...options.netLimits };
  const log = new ThrottledLog(logger, environment.nowMs, limits.repeatedLogIntervalMs);
  const addresses = planned.map(({ address }) => address).filter(({ secure }) => secure);
  const around = { options, logger, log, environment, limits, counters: net, addresses };
  const tls = tlsSettings === undefined ? undefined : await openTls(tlsSettings, around);
  stack.add(async () => tls?.stop());
  const doors: OpenDoor[] = [];
  stack.add(() => stopServing(doors, core));
  await openDoors(planned, { protocols: core.protocols, tls: tls?.gate, limits, counters: net, log }, doors);
  warnOfReach(doors, options.tls, logger);
  if (options.dataDir !== undefined) warnOfModes(options.dataDir, logger);
  return { doors, tls };
}

function running(
  doors: readonly OpenDoor[],
  tls: TlsParts | undefined,
  { context, storage }: Core,
  stack: CloseStack,
): RunningServer {
  const { clusterId, memberId } = context.identity;
  const first = doors[0] as OpenDoor;
  return {
    addresses: clientDoors(doors).map(formatDoor),
    httpAddresses: doorsThatServe(doors, "http").map(formatDoor),
    metricsAddresses: doorsThatServe(doors, "metrics").map(formatDoor),
    endpoint: endpointOf(first.listener.address),
    clusterId,
    memberId,
    get failure() {
      return storage.failure;
    },
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
async function stopServing(doors: readonly OpenDoor[], core: Core): Promise<void> {
  const closed = doors.map(({ listener }) => listener.close());
  await stopCalls(core);
  for (const { listener } of doors) listener.destroyHttp1();
  await Promise.all(closed);
}
