/** Opens WebSockets and makes the gateway's call for each. */
import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { Duplex } from "node:stream";
import type { Peer } from "@holdfast/transport";
import type { WebSocketServer } from "ws";
import type { AnswerBudget } from "../answer-budget.js";
import type { HttpCounters } from "../counters.js";
import type { HttpFront } from "../front.js";
import type { Gateway } from "../gateway/gateway.js";
import { pairsOf } from "../http1/http1-request.js";
import type { HttpLimits } from "../limits.js";
import { bearerProtocol, callHeaders } from "./credentials.js";
import { WebSocketRequest } from "./web-socket-request.js";

/** A request for a WebSocket, taken from node:http with its connection. */
export interface Handshake {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What was read of the connection behind the request. */
  readonly head: Buffer;
  /** The gateway's path. */
  readonly path: string;
  readonly peer: Peer;
}

/** What WebSockets share with the rest of HTTP. */
export interface WebSocketServices {
  readonly limits: HttpLimits;
  readonly counters: HttpCounters;
  readonly answers: AnswerBudget;
}

/** Loaded with the first WebSocket: a start need not wait for it. */
const require = createRequire(import.meta.url);

type Verdict = (isAdmitted: boolean, status: number) => void;

const forbidden = 403;

export class WebSocketDoor {
  readonly #front: HttpFront;
  #server: WebSocketServer | undefined;
  readonly #gateway: Gateway;
  readonly #limits: HttpLimits;
  readonly #counters: HttpCounters;
  readonly #answers: AnswerBudget;

  constructor(gateway: Gateway, front: HttpFront, { limits, counters, answers }: WebSocketServices) {
    this.#gateway = gateway;
    this.#limits = limits;
    this.#counters = counters;
    this.#answers = answers;
    this.#front = front;
  }

  /** Answers the handshake; if it is a good one the call begins. */
  open({ request, socket, head, path, peer }: Handshake): void {
    this.#server ??= this.#makeServer();
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#counters.webSockets++;
      const authority = request.headers.host;
      const headers = callHeaders(pairsOf(request.rawHeaders));
      const call = new WebSocketRequest(webSocket, { path, authority, headers, peer }, this.#limits, () => {
        this.#counters.stalledAnswers++;
      });
      this.#gateway.handleWebSocket(this.#answers.bind(call), path, call);
    });
  }

  #makeServer(): WebSocketServer {
    const { WebSocketServer } = require("ws") as typeof import("ws");
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // One message in a turn: a flood is read in pieces of up to 2 MiB, and took 160 ms of the event loop otherwise.
      allowSynchronousEvents: false,
      maxPayload: this.#limits.webSocketMessageBytesMax,
      closeTimeout: this.#limits.webSocketCloseMs,
      // Nothing else keeps a page of another origin from reading what comes: browsers ask no leave for WebSockets.
      verifyClient: ({ origin }: { origin: string | undefined }, decide: Verdict) =>
        decide(this.#front.admitsOrigin(origin), forbidden),
      handleProtocols: (protocols: Set<string>) => (protocols.has(bearerProtocol) ? bearerProtocol : false),
    };
    return new WebSocketServer(options);
  }
}
