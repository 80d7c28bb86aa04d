/**
 * Where connections become encrypted ones: handshake within its time, client certificate judged. One for all listeners
 * that speak TLS. Which protocol is spoken inside is left to the listener.
 */
import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import type { NetCounters } from "../counters.js";
import type { NetLimits } from "../limits.js";
import type { ThrottledLog } from "../throttled-log.js";
import { judgeClient } from "./client-certificate.js";
import type { KeyPair, Trust } from "./credentials.js";
import type { TlsSettings } from "./settings.js";

/** A connection whose handshake is done and whose client is let in. */
export interface Secured {
  readonly socket: TLSSocket;
  /** The common name in the client's certificate, which was verified. */
  readonly certificateName: string | undefined;
}

interface Waiting {
  readonly timer: NodeJS.Timeout;
  readonly onSecured: (secured: Secured) => void;
}

export interface TlsGateOptions {
  readonly settings: TlsSettings;
  readonly limits: NetLimits;
  readonly counters: NetCounters;
  readonly log: ThrottledLog;
}

/** HTTP/2 first: whoever offers both gets it, as from etcd (docs/decisions/0005-alpn.md). */
const protocols = ["h2", "http/1.1"];

/** A client could have us shake hands over and over on one connection, which costs us far more than it. */
const noSecondHandshake = constants.SSL_OP_NO_RENEGOTIATION;
/** A resumed session would carry the verdict over a certificate past its revocation. */
const noResumption = constants.SSL_OP_NO_TICKET;

export class TlsGate {
  readonly #server: Server;
  readonly #settings: TlsSettings;
  readonly #options: TlsGateOptions;
  readonly #waiting = new Map<Socket, Waiting>();

  constructor(options: TlsGateOptions, pair: KeyPair, trust: Trust) {
    this.#options = options;
    this.#settings = options.settings;
    this.#server = createServer({
      ...this.#context(pair, trust),
      ALPNProtocols: protocols,
      requestCert: options.settings.trustedCaFile !== undefined,
      // Judged here, where the reason can be told.
      rejectUnauthorized: false,
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
  }

  /** New handshakes use this from now on; connections stay as they are. Throws what OpenSSL refuses. */
  replace(pair: KeyPair, trust: Trust): void {
    this.#server.setSecureContext(this.#context(pair, trust));
  }

  /** Shakes hands on `raw`, which must not have been read from. It is destroyed if that fails or takes too long. */
  accept(raw: Socket, onSecured: (secured: Secured) => void): void {
    // Not Node's own handshake timeout: that one starts afresh with every byte (fault-model F26).
    const timer = setTimeout(() => this.#tooSlow(raw), this.#options.limits.handshakeDeadlineMs);
    this.#waiting.set(raw, { timer, onSecured });
    raw.once("close", () => this.#givenUp(raw));
    raw.on("error", () => raw.destroy());
    this.#server.emit("connection", raw);
  }

  #context(pair: KeyPair, trust: Trust): TlsOptions {
    const { minVersion, maxVersion, ciphers, trustedCaFile } = this.#settings;
    return {
      ...pair,
      ...(trust.ca === undefined ? {} : { ca: trust.ca }),
      ...(trust.crl === undefined ? {} : { crl: [...trust.crl] }),
      ...(ciphers === undefined ? {} : { ciphers }),
      minVersion,
      maxVersion,
      secureOptions: trustedCaFile === undefined ? noSecondHandshake : noSecondHandshake | noResumption,
    };
  }

  /** The connection waits no longer. Undefined if it did not. */
  #take(raw: Socket | undefined): Waiting | undefined {
    if (raw === undefined) return undefined;
    const waiting = this.#waiting.get(raw);
    this.#waiting.delete(raw);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #secured(socket: TLSSocket): void {
    const waiting = this.#take(rawSocketOf(socket));
    if (waiting === undefined) {
      socket.destroy();
      return;
    }
    const { counters, log } = this.#options;
    counters.handshakes++;
    const verdict = judgeClient(socket, this.#settings);
    if (verdict.accepted) {
      waiting.onSecured({ socket, certificateName: verdict.commonName });
      return;
    }
    counters.certificatesRefused++;
    log.warn({ peer: socket.remoteAddress, reason: verdict.reason }, "client turned away for its certificate");
    socket.on("error", () => {});
    socket.destroy();
  }

  #failed(error: Error, socket: TLSSocket): void {
    const raw = rawSocketOf(socket);
    // One that took too long or was given up fails as well; that has been counted.
    if (this.#take(raw) === undefined) return;
    const { counters, log } = this.#options;
    counters.handshakeFailures++;
    const { code, message, reason = message } = error as NodeJS.ErrnoException & { readonly reason?: string };
    log.warn({ peer: raw?.remoteAddress, code, reason }, "TLS handshake failed");
    raw?.destroy();
  }

  /** Not worth a line: probes of load balancers connect and leave. */
  #givenUp(raw: Socket): void {
    if (this.#take(raw) !== undefined) this.#options.counters.handshakeFailures++;
  }

  #tooSlow(raw: Socket): void {
    this.#take(raw);
    this.#options.counters.handshakeTimeouts++;
    raw.destroy();
  }
}

/** The socket that an encrypted one was made of. Node tells nowhere else which of those given to it this is. */
function rawSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket })._parent;
}
