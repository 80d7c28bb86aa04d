/**
 * The port: accepts connections, has those to a TLS address encrypted, and hands each to who speaks its protocol, HTTP/2
 * to the gRPC transport, anything else to HTTP/1.1. Keeps what is not HTTP/2 within its limits: how many there are, and
 * how long they may say nothing.
 */
import { Socket } from "node:net";
import { formatAddress, type ListenAddress } from "./address.js";
import type { AddressCounts } from "./address-counts.js";
import type { ClientSocket } from "./client-socket.js";
import type { NetCounters } from "./counters.js";
import { readFirstBytes } from "./first-bytes.js";
import type { NetLimits } from "./limits.js";
import { type Acceptor, OpenListener } from "./open-listener.js";
import { placeOf } from "./place.js";
import type { TlsGate } from "./tls/tls-gate.js";
import { UndecidedConnections } from "./undecided.js";

/** Thrown when an address cannot be listened on. */
export class ListenError extends Error {
  /** The system's code, such as EADDRINUSE. */
  readonly code: string;

  constructor(address: string, cause: NodeJS.ErrnoException) {
    const inUse = cause.code === "EADDRINUSE";
    super(inUse ? `address ${address} is already in use` : `cannot listen on ${address}: ${cause.message}`, { cause });
    this.name = "ListenError";
    this.code = cause.code ?? "";
  }
}

/** A connection whose protocol is known. */
export interface Arrival {
  /** Encrypted already if the address speaks TLS. */
  readonly socket: ClientSocket;
  /** Its first bytes. */
  readonly alreadyRead: Buffer;
  /** The common name in the client's certificate, if there is one; it was verified. */
  readonly certificateName: string | undefined;
}

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** For an address that speaks TLS. */
  readonly tls?: TlsGate | undefined;
  /** Takes over a connection that opened with the HTTP/2 preface. */
  readonly onHttp2: (arrival: Arrival) => void;
  /** Takes any other over, however long it lasts. */
  readonly onHttp1: (arrival: Arrival) => void;
  /** A connection could not be accepted, for want of file descriptors for example. Listening goes on. */
  readonly onError: (cause: Error) => void;
  /** Socket threads could not be started, or have ended with the connections they had. Listening goes on. */
  readonly onThreadsFailed?: (cause: Error) => void;
  readonly limits: NetLimits;
  readonly counters: NetCounters;
  /** Shared by all listeners. */
  readonly addresses: AddressCounts;
}

export interface Listener {
  /** Where it really listens: port 0 has become a number. */
  readonly address: ListenAddress;
  /**
   * Stops accepting, and closes what has not said which protocol it speaks. Connections already handed over live on;
   * resolves when the last of them is gone, so they have to be ended meanwhile.
   */
  close(): Promise<void>;
  /** Cuts off what speaks HTTP/1.1. */
  destroyHttp1(): void;
}

/** Starts listening. Throws `ListenError`. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const entrance = new Entrance(options);
  const listener = new OpenListener(options.address, options.limits, entrance);
  try {
    await listener.open();
  } catch (cause) {
    throw new ListenError(formatAddress(options.address), cause as NodeJS.ErrnoException);
  }
  return {
    address: listener.address,
    close: () => {
      const closed = listener.close();
      entrance.destroyUndecided();
      return closed;
    },
    destroyHttp1: () => entrance.destroyHttp1(),
  };
}

/** The connections that have not been handed to HTTP/2: undecided ones and those that speak HTTP/1.1. */
class Entrance implements Acceptor {
  /** As the system handed them to us: under TLS what the encrypted socket stands on. */
  readonly #undecided: UndecidedConnections;
  readonly #http1 = new Set<ClientSocket>();
  readonly #options: ListenerOptions;
  /** Connections admitted and not gone. */
  #open = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#undecided = new UndecidedConnections(options.limits.undecidedConnectionsMax);
  }

  admit(raw: ClientSocket): number {
    const { counters, addresses } = this.#options;
    counters.accepted++;
    const address = raw.remoteAddress ?? "";
    if (!addresses.admit(address)) {
      counters.refusedPerAddress++;
      raw.destroy();
      return this.#open;
    }
    const from = placeOf(address);
    this.#open++;
    raw.once("close", () => {
      this.#open--;
      addresses.release(address);
      this.#undecided.delete(from, raw);
    });
    this.#makeWait(from, raw);
    return this.#open;
  }

  #makeWait(from: string, raw: ClientSocket): void {
    const { counters, tls, address } = this.#options;
    const evicted = this.#undecided.add(from, raw);
    if (evicted !== undefined) {
      counters.refusedUndecided++;
      evicted.destroy();
    }
    const decided = (): void => this.#undecided.delete(from, raw);
    // What is encrypted never comes from a thread.
    if (!address.secure || tls === undefined || !(raw instanceof Socket)) this.#decide(raw, undefined, decided);
    else tls.accept(raw, (secured) => this.#decide(secured.socket, secured.certificateName, decided));
  }

  acceptFailed(cause: Error): void {
    this.#options.counters.acceptErrors++;
    this.#options.onError(cause);
  }

  threadsFailed(cause: Error): void {
    this.#options.onThreadsFailed?.(cause);
  }

  destroyUndecided(): void {
    this.#undecided.destroyAll();
  }

  destroyHttp1(): void {
    for (const socket of this.#http1) socket.destroy();
  }

  #decide(socket: ClientSocket, certificateName: string | undefined, decided: () => void): void {
    const { counters, limits, onHttp2 } = this.#options;
    readFirstBytes(socket, limits.firstBytesDeadlineMs, {
      decided: (isHttp2, alreadyRead) => {
        decided();
        const arrival = { socket, alreadyRead, certificateName };
        if (isHttp2) onHttp2(arrival);
        else this.#takeHttp1(arrival);
      },
      timedOut: () => {
        counters.firstBytesTimeouts++;
      },
    });
  }

  #takeHttp1(arrival: Arrival): void {
    const { counters, limits, onHttp1 } = this.#options;
    const { socket } = arrival;
    if (this.#http1.size >= limits.http1ConnectionsMax) {
      counters.refusedHttp1++;
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    this.#http1.add(socket);
    socket.once("close", () => this.#http1.delete(socket));
    onHttp1(arrival);
  }
}
