/**
 * One connection that speaks HTTP/1.1: its requests one after the other, as they were sent, and the times that bind it.
 * The bytes are read and written by node:http.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Peer } from "@holdfast/transport";
import type { ClientSocket } from "../../net/client-socket.js";
import type { Door } from "../../ops/route.js";
import type { AnswerBudget } from "../answer-budget.js";
import { respondText } from "../answers.js";
import type { HttpCounters } from "../counters.js";
import type { HttpFront } from "../front.js";
import type { HttpLimits } from "../limits.js";
import type { BodyBudget } from "./body-budget.js";
import { type BodyEnd, BodyReader } from "./body-reader.js";
import { Http1Request, namesSeveralHosts } from "./http1-request.js";

/** What all connections share. */
export interface Http1Services {
  readonly front: HttpFront;
  readonly limits: HttpLimits;
  readonly counters: HttpCounters;
  readonly bodies: BodyBudget;
  readonly answers: AnswerBudget;
  nowMs(): number;
}

const badRequest = 400;
const requestTimeout = 408;
const payloadTooLarge = 413;
const serviceUnavailable = 503;

/** What the connection waits for. */
type Phase =
  /** A request of which nothing has come. */
  | "idle"
  /** The rest of a request's head. */
  | "head"
  | "body"
  /** That an answer is made and taken. */
  | "answer"
  /** The same of a WebSocket, which the connection has become. */
  | "upgraded";

/** A request's head, as node:http hands it over. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** It expects something of the server that HTTP does not know (RFC 9110, 10.1.1). */
  readonly expectsUnknown: boolean;
}

export class Http1Connection {
  readonly socket: ClientSocket;
  readonly door: Door;
  readonly peer: Peer;
  /** The next answer closes the connection. */
  isLast = false;
  readonly #services: Http1Services;
  readonly #waiting: Exchange[] = [];
  #whenIdle: (() => void) | undefined = undefined;
  #current: Http1Request | undefined = undefined;
  #body: BodyReader | undefined = undefined;
  #phase: Phase = "head";
  #sinceMs: number;
  /** `bytesRead` when the connection became idle. */
  #bytesReadBefore = 0;
  /** Bytes taken by the client when its answer was last seen to move. */
  #bytesTakenBefore = 0;

  constructor(socket: ClientSocket, door: Door, peer: Peer, services: Http1Services) {
    this.socket = socket;
    this.door = door;
    this.peer = peer;
    this.#services = services;
    this.#sinceMs = services.nowMs();
  }

  get limits(): HttpLimits {
    return this.#services.limits;
  }

  /** Nothing is being received or answered. */
  get isIdle(): boolean {
    return this.#phase === "idle" || this.#phase === "head";
  }

  /** A request's head has come. */
  take(exchange: Exchange): void {
    if (this.isIdle) {
      this.#begin(exchange);
      return;
    }
    if (this.#waiting.length >= this.limits.pipelinedRequestsMax) {
      this.#services.counters.pipelinesExceeded++;
      this.socket.destroy();
      return;
    }
    this.#waiting.push(exchange);
  }

  /**
   * Calls `listener` once every request so far is answered, at once if that is so now; not if the connection ends before.
   * Nothing more is to be taken until then.
   */
  whenIdle(listener: () => void): void {
    if (this.isIdle) listener();
    else this.#whenIdle = listener;
  }

  /** The connection speaks another protocol from now on, which binds it by its own times. */
  upgrade(): void {
    this.#enter("upgraded");
  }

  /** Closes the connection: at once if it is idle, else behind the answer that is being made. */
  drain(): void {
    this.isLast = true;
    if (this.isIdle) this.socket.destroy();
  }

  /** The socket is gone. */
  closed(): void {
    this.#waiting.length = 0;
    this.#whenIdle = undefined;
    this.#current?.lost();
    // A response that never got hold of the socket does not tell of its close.
    this.#body?.close();
  }

  overflowed(): void {
    this.#services.counters.stalledAnswers++;
    this.socket.destroy();
  }

  /** Looks at the times that bind the connection; called about once per second. */
  sweep(nowMs: number): void {
    if (this.socket.destroyed) return;
    const { headMs, bodyMs, idleMs } = this.limits;
    if (this.#phase === "idle" && this.socket.bytesRead !== this.#bytesReadBefore) this.#enter("head");
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#phase === "head" && waitedMs >= headMs) this.#cutOff("headTimeouts");
    else if (this.#phase === "idle" && waitedMs >= idleMs) this.#cutOff("idleTimeouts");
    else if (this.#phase === "body" && waitedMs >= bodyMs) this.#refuseSlowBody();
    else if (this.#phase === "answer" || this.#phase === "upgraded") this.#sweepAnswer(nowMs);
  }

  #begin({ request, response, expectsUnknown }: Exchange): void {
    const { counters, bodies, answers, limits, front } = this.#services;
    const current = new Http1Request(request, response, this);
    const body = new BodyReader(bodies, limits.bodyBytesMax, limits.forgottenBodyBytesMax);
    this.#current = current;
    this.#body = body;
    if (this.socket.destroyed) body.close();
    this.#enter("body");
    // A close follows.
    response.on("error", () => {});
    // Also if the client went away before it was answered.
    response.once("close", () => {
      body.close();
      current.lost();
      this.#next();
    });
    body.read(request, (end) => {
      if (current.ended) return;
      this.#enter("answer");
      counters.requests++;
      current.body = body.body;
      if (end !== "whole") this.#refuseBody(end);
      else if (namesSeveralHosts(request)) this.#refuse(badRequest, "400 Bad Request");
      else front.handle(answers.bind(current), this.door, expectsUnknown);
    });
  }

  #next(): void {
    this.#current = undefined;
    if (this.socket.destroyed) return;
    if (this.isLast) {
      if (this.#body?.cut === true) this.socket.destroySoon();
      else this.socket.end();
      return;
    }
    const exchange = this.#waiting.shift();
    if (exchange !== undefined) {
      this.#begin(exchange);
      return;
    }
    this.#bytesReadBefore = this.socket.bytesRead;
    this.#enter("idle");
    const listener = this.#whenIdle;
    this.#whenIdle = undefined;
    listener?.();
  }

  #refuseSlowBody(): void {
    this.#services.counters.bodyTimeouts++;
    this.#enter("answer");
    this.#refuse(requestTimeout, "request not received in time");
  }

  #refuseBody(end: BodyEnd): void {
    this.#services.counters.bodiesTooLarge++;
    if (end === "too-large") this.#refuse(payloadTooLarge, "request too large");
    else this.#refuse(serviceUnavailable, "too many large requests at once");
  }

  #refuse(status: number, text: string): void {
    this.isLast = true;
    if (this.#current !== undefined) respondText(this.#current, status, text);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#sinceMs = this.#services.nowMs();
    this.#bytesTakenBefore = this.#bytesTaken;
  }

  /** An answer that waits for the client has to move; one that is not made yet, or has all been taken, may last. */
  #sweepAnswer(nowMs: number): void {
    const { stalledAnswerMs, stalledBytesPerSecondMin } = this.limits;
    const waitedMs = nowMs - this.#sinceMs;
    const isTaken = this.socket.writableLength === 0;
    if (!isTaken && waitedMs < stalledAnswerMs) return;
    const movedBytes = this.#bytesTaken - this.#bytesTakenBefore;
    if (isTaken || movedBytes * 1_000 >= stalledBytesPerSecondMin * waitedMs) this.#enter(this.#phase);
    else this.#cutOff("stalledAnswers");
  }

  get #bytesTaken(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  #cutOff(counter: "headTimeouts" | "idleTimeouts" | "stalledAnswers"): void {
    this.#services.counters[counter]++;
    this.socket.destroy();
  }
}
