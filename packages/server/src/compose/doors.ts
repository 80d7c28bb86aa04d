/** Opens the listeners and says who gets what comes in at each: gRPC, HTTP or both. */
import { type PlainRequestHandler, refusePlainRequest } from "@holdfast/transport";
import type { Logger } from "../logger.js";
import { formatAddress, isLocal } from "../net/address.js";
import { AddressCounts } from "../net/address-counts.js";
import type { NetCounters } from "../net/counters.js";
import { Http1Fallback } from "../net/http1-fallback.js";
import type { NetLimits } from "../net/limits.js";
import { type Listener, type ListenerOptions, listen } from "../net/listener.js";
import type { ThrottledLog } from "../net/throttled-log.js";
import type { TlsGate } from "../net/tls/tls-gate.js";
import type { Door } from "../ops/route.js";
import type { TlsOptions } from "../server-options.js";
import type { PlannedAddress, Serves } from "./addresses.js";
import type { Protocols } from "./protocols.js";

export interface DoorParts {
  readonly protocols: Protocols;
  readonly tls: TlsGate | undefined;
  readonly limits: NetLimits;
  readonly counters: NetCounters;
  readonly log: ThrottledLog;
}

/** Listeners with what they serve, in the order asked for. */
export interface OpenDoor {
  readonly serves: Serves;
  readonly listener: Listener;
}

/** Adds to `doors` as it goes, so that they can be closed if one of them cannot be opened. Throws `ListenError`. */
export async function openDoors(
  planned: readonly PlannedAddress[],
  parts: DoorParts,
  doors: OpenDoor[],
): Promise<void> {
  const { tls, limits, counters, log } = parts;
  const fallback = new Http1Fallback(limits.firstBytesDeadlineMs);
  const addresses = new AddressCounts(limits.connectionsPerAddressMax, limits.connectionsFromLoopbackMax);
  for (const { serves, address } of planned) {
    const takers =
      serves === "grpc"
        ? grpcOnly(parts.protocols, fallback)
        : withHttp(parts.protocols, { serves, secure: address.secure });
    const onError = (cause: Error): void =>
      log.error({ err: cause, address: formatAddress(address) }, "cannot accept a connection; listening goes on");
    const onThreadsFailed = (cause: Error): void =>
      log.error(
        { err: cause, address: formatAddress(address) },
        "a socket thread has ended or cannot start; listening goes on",
      );
    const reports = { onError, onThreadsFailed };
    doors.push({
      serves,
      listener: await listen({ address, tls, limits, counters, addresses, ...reports, ...takers }),
    });
  }
}

type Takers = Pick<ListenerOptions, "onHttp2" | "onHttp1">;

/** What is not gRPC is told so. */
function grpcOnly({ grpc }: Protocols, fallback: Http1Fallback): Takers {
  return {
    onHttp2: ({ socket, alreadyRead, certificateName }) =>
      grpc.handleConnection(socket, alreadyRead, { certificateName, onPlainRequest: refusePlainRequest }),
    onHttp1: ({ socket, alreadyRead }) => fallback.take(socket, alreadyRead),
  };
}

/** HTTP of either version, and gRPC beside it unless the door is for HTTP alone. */
function withHttp({ grpc, http1 }: Protocols, door: Door): Takers {
  const onPlainRequest: PlainRequestHandler = (request) => http1.handlePlain(request, door);
  const isForAll = door.serves === "all";
  return {
    onHttp2: ({ socket, alreadyRead, certificateName }) =>
      grpc.handleConnection(socket, alreadyRead, { certificateName, grpc: isForAll, onPlainRequest }),
    onHttp1: ({ socket, alreadyRead, certificateName }) => http1.take(socket, alreadyRead, door, certificateName),
  };
}

/** Says where other machines are let in and what protects the server from them, and where certificates are of no use. */
export function warnOfReach(doors: readonly OpenDoor[], tls: TlsOptions | undefined, logger: Logger): void {
  for (const { listener, serves } of doors) {
    const { secure } = listener.address;
    const address = formatAddress(listener.address);
    if (tls !== undefined && !secure && serves !== "metrics")
      logger.warn({ address }, "certificates are set, but not used: served in clear text");
    if (isLocal(listener.address) || (secure && tls?.trustedCaFile !== undefined)) continue;
    const how = secure ? "without a certificate" : "in clear text";
    logger.warn({ address }, `other machines can connect, ${how} and, unless authentication is on, without a password`);
  }
}
