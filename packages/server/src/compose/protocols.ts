/** Puts together what speaks with clients: gRPC, the JSON gateway, the pages, and HTTP/1.1 for the latter two. */
import { GrpcServer, type Method, type TransportLog } from "@holdfast/transport";
import type { ServerEnvironment } from "../environment.js";
import { newHttpCounters } from "../http/counters.js";
import { createHttpFront } from "../http/front.js";
import { Gateway } from "../http/gateway/gateway.js";
import { Http1Server } from "../http/http1/http1-server.js";
import { defaultHttpLimits, type HttpLimits } from "../http/limits.js";
import type { Logger } from "../logger.js";
import type { NetCounters } from "../net/counters.js";
import { defaultNetLimits } from "../net/limits.js";
import { ThrottledLog } from "../net/throttled-log.js";
import type { LogMeter } from "../ops/log-meter.js";
import { CallDurations } from "../ops/metrics/call-durations.js";
import { opsRoutes } from "../ops/ops-routes.js";
import type { ServerOptions } from "../server-options.js";
import { allMethods } from "../services/all.js";
import type { ServiceContext } from "../services/context.js";

export interface Protocols {
  readonly grpc: GrpcServer;
  /** Answers plain requests of HTTP/2 as well. */
  readonly http1: Http1Server;
}

export interface ProtocolParts {
  readonly options: ServerOptions;
  readonly context: ServiceContext;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly net: NetCounters;
  readonly logMeter: LogMeter | undefined;
}

/** Nothing is opened yet: connections are handed to the result. */
export function createProtocols(parts: ProtocolParts): Protocols {
  const { options, context, environment, logger, net, logMeter } = parts;
  const methods = allMethods(context);
  const callDurations = options.http?.metrics === "extensive" ? new CallDurations() : undefined;
  const grpc = new GrpcServer({
    methods,
    // By address the listeners count, for whatever is spoken.
    limits: { connectionsPerAddressMax: Number.MAX_SAFE_INTEGER, ...options.transportLimits },
    clock: environment.clock,
    log: transportLog(logger, environment),
    ...(callDurations === undefined ? {} : { onCallEnded: callDurations.observe }),
  });
  const counters = newHttpCounters();
  const limits = httpLimits(options);
  const gateway = gatewayOf(methods, grpc, {
    options,
    environment,
    counters,
    limits,
    onCallEnded: callDurations?.observe,
  });
  const front = createHttpFront({
    corsOrigins: options.http?.corsOrigins,
    allowedHosts: options.http?.allowedHosts,
    clientCertAuth: options.tls?.clientCertAuth,
    authEnabled: () => context.access.enabled,
    gateway,
    routes: opsRoutes({ context, grpc, http: counters, net, logMeter, callDurations }),
    counters,
  });
  return { grpc, http1: new Http1Server({ front, gateway, counters, limits, clock: environment.clock }) };
}

interface GatewayParts {
  readonly options: ServerOptions;
  readonly environment: ServerEnvironment;
  readonly counters: ReturnType<typeof newHttpCounters>;
  readonly limits: Partial<HttpLimits>;
  readonly onCallEnded: CallDurations["observe"] | undefined;
}

function gatewayOf(methods: readonly Method[], grpc: GrpcServer, parts: GatewayParts): Gateway | undefined {
  const { options, environment, counters, limits, onCallEnded } = parts;
  if (options.http?.gateway === false) return undefined;
  const { clock, defer } = environment;
  return new Gateway({ methods, counters, limits, clock, defer, methodCounters: grpc.methodCounters, onCallEnded });
}

/** A request may be as large as over gRPC, and its JSON has four characters for three bytes. */
function httpLimits({ transportLimits }: ServerOptions): Partial<HttpLimits> {
  const messageBytesMax = transportLimits?.messageBytesMax;
  if (messageBytesMax === undefined) return {};
  return { messageBytesMax, bodyBytesMax: Math.max(defaultHttpLimits.bodyBytesMax, 2 * messageBytesMax) };
}

/** What the transport has to tell an operator: peers that broke a limit or the protocol. They can do so at will. */
function transportLog(logger: Logger, environment: ServerEnvironment): TransportLog {
  const log = new ThrottledLog(logger, () => environment.nowMs(), defaultNetLimits.repeatedLogIntervalMs);
  return ({ level, message, peer }) => log[level]({ peer }, message);
}
