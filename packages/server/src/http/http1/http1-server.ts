/**
 * HTTP/1.1 on connections that others accept: node:http reads and writes, this keeps the connections within their limits
 * and hands every request to the front. WebSockets begin here, too.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, type PlainRequest, systemClock, type Timer } from "@holdfast/transport";
import type { ClientSocket } from "../../net/client-socket.js";
import type { Door } from "../../ops/route.js";
import { AnswerBudget } from "../answer-budget.js";
import type { HttpCounters } from "../counters.js";
import type { HttpFront } from "../front.js";
import type { Gateway } from "../gateway/gateway.js";
import { defaultHttpLimits, type HttpLimits } from "../limits.js";
import { WebSocketDoor } from "../web-socket/web-socket-door.js";
import { BodyBudget } from "./body-budget.js";
import { Http1Connection, type Http1Services } from "./http1-connection.js";
import { pairsOf } from "./http1-request.js";
import { asksForWebSocket, headWithoutUpgrade } from "./upgrades.js";

export interface Http1ServerOptions {
  readonly front: HttpFront;
  /** Makes the calls of WebSockets; without it there are none. */
  readonly gateway?: Gateway | undefined;
  readonly counters: HttpCounters;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly clock?: Clock | undefined;
}

const malformedAnswer =
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request";
const headTooLargeAnswer =
  "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
  "431 Request Header Fields Too Large";
/** What the parser says of bytes that are no HTTP from the first line on. */
const notHttp: ReadonlySet<string> = new Set([
  "HPE_INVALID_METHOD",
  "HPE_INVALID_CONSTANT",
  "HPE_INVALID_VERSION",
  "HPE_PAUSED_H2_UPGRADE",
]);

export class Http1Server {
  readonly #server: Server;
  readonly #services: Http1Services;
  readonly #clock: Clock;
  readonly #webSockets: WebSocketDoor | undefined;
  readonly #connections = new Map<Duplex, Http1Connection>();
  #sweep: Timer | undefined = undefined;
  #onEmpty: (() => void) | undefined = undefined;

  constructor({ front, gateway, counters, ...options }: Http1ServerOptions) {
    const limits = { ...defaultHttpLimits, ...options.limits };
    const clock = options.clock ?? systemClock;
    const bodies = new BodyBudget(limits.bodyBytesTotalMax);
    const answers = new AnswerBudget(limits, counters);
    this.#clock = clock;
    this.#services = { front, limits, counters, bodies, answers, nowMs: () => clock.nowMs() };
    this.#webSockets = gateway === undefined ? undefined : new WebSocketDoor(gateway, front, this.#services);
    this.#server = this.#createServer(limits);
  }

  /** Connections open now, WebSockets included. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Bytes of request bodies held now. */
  get bodyBytes(): number {
    return this.#services.bodies.bytes;
  }

  /** Bytes of large answers that wait for their clients now, also of those over HTTP/2. */
  get answerBytes(): number {
    return this.#services.answers.bytes;
  }

  /**
   * Speaks HTTP/1.1 on `socket` from now on; `alreadyRead` is what was read from it before. `certificateName` is the common
   * name in the client's certificate, if one was verified. Never throws, whatever the peer sends.
   */
  take(socket: ClientSocket, alreadyRead: Buffer, door: Door, certificateName?: string): void {
    const peer = {
      address: socket.remoteAddress ?? "",
      port: socket.remotePort ?? 0,
      ...(certificateName === undefined ? {} : { certificateName }),
    };
    const connection = new Http1Connection(socket, door, peer, this.#services);
    this.#connections.set(socket, connection);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#forget(connection));
    socket.setKeepAlive(true, this.#services.limits.keepAliveMs);
    socket.setNoDelay(true);
    this.#speak(socket, alreadyRead);
    this.#sweep ??= this.#planSweep();
  }

  /** Answers a request that came over HTTP/2. */
  handlePlain(request: PlainRequest, door: Door): void {
    const { front, answers } = this.#services;
    front.handle(answers.bind(request), door);
  }

  /**
   * Closes idle connections now and the others behind the answers that are being made. Resolves when all are gone, which
   * is at the latest after `deadlineMs`: what is open then is cut off.
   */
  drain(deadlineMs: number): Promise<void> {
    for (const connection of [...this.#connections.values()]) connection.drain();
    if (this.#connections.size === 0) return Promise.resolve();
    const cutOff = this.#clock.after(deadlineMs, () => this.closeAll());
    return new Promise((resolve) => {
      const waiting = this.#onEmpty;
      this.#onEmpty = () => {
        waiting?.();
        cutOff.cancel();
        resolve();
      };
    });
  }

  /** Cuts off every connection at once. */
  closeAll(): void {
    for (const socket of [...this.#connections.keys()]) socket.destroy();
  }

  #createServer(limits: HttpLimits): Server {
    const options = {
      maxHeaderSize: limits.headBytesMax,
      // Its own times begin only when the server itself listens; ours are in `Http1Connection`.
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
      // Newer releases ask before they take a request for an upgrade; for older ones see `#upgrade`.
      shouldUpgradeCallback: (request: IncomingMessage) => this.#webSocketPath(request) !== undefined,
    };
    const server = createServer(options, (request, response) => this.#request(request, response, false));
    server.on("checkExpectation", (request, response) => this.#request(request, response, true));
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => this.#malformed(error, socket));
    return server;
  }

  #speak(socket: Duplex, alreadyRead: Buffer): void {
    socket.pause();
    this.#server.emit("connection", socket);
    if (alreadyRead.length > 0) socket.unshift(alreadyRead);
    socket.resume();
  }

  #request(request: IncomingMessage, response: ServerResponse, expectsUnknown: boolean): void {
    this.#connections.get(request.socket)?.take({ request, response, expectsUnknown });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) socket.destroy();
    else connection.whenIdle(() => this.#upgradeNow(connection, request, socket, head));
  }

  /** Requests before this one are answered. */
  #upgradeNow(connection: Http1Connection, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = this.#webSocketPath(request);
    if (path === undefined || this.#webSockets === undefined) {
      this.#speak(socket, Buffer.concat([headWithoutUpgrade(request), head]));
    } else {
      connection.upgrade();
      this.#webSockets.open({ request, socket, head, path, peer: connection.peer });
    }
  }

  /** Undefined if no WebSocket is asked for, or none will be opened. */
  #webSocketPath(request: IncomingMessage): string | undefined {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || this.#webSockets === undefined || !asksForWebSocket(request)) return undefined;
    const head = { authority: request.headers.host, headers: pairsOf(request.rawHeaders), peer: connection.peer };
    return this.#services.front.webSocketPath(head, request.url ?? "", connection.door);
  }

  #malformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    const { code = "" } = error;
    const connection = this.#connections.get(socket);
    this.#services.counters.malformedRequests++;
    // What is no HTTP at all gets no answer that it could mistake for one (RFC 9113, 3.4).
    if (connection?.isIdle !== true || !code.startsWith("HPE_") || notHttp.has(code) || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(code === "HPE_HEADER_OVERFLOW" ? headTooLargeAnswer : malformedAnswer, () => socket.destroy());
  }

  #forget(connection: Http1Connection): void {
    this.#connections.delete(connection.socket);
    connection.closed();
    if (this.#connections.size > 0) return;
    this.#sweep?.cancel();
    this.#sweep = undefined;
    this.#onEmpty?.();
    this.#onEmpty = undefined;
  }

  #planSweep(): Timer {
    return this.#clock.after(this.#services.limits.sweepIntervalMs, () => {
      const nowMs = this.#clock.nowMs();
      for (const connection of [...this.#connections.values()]) connection.sweep(nowMs);
      this.#sweep = this.#connections.size > 0 ? this.#planSweep() : undefined;
    });
  }
}
