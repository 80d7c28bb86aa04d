/**
 * The one entrance of all HTTP requests that are not gRPC, whatever they came over: checks them, tells pages of other
 * origins what they may see, and routes them. What is served is left to the routes.
 */
import type { PlainHeaders, PlainRequest } from "@holdfast/transport";
import type { Door, Route } from "../ops/route.js";
import { HttpAdmission, type HttpAdmissionOptions, type RequestHead } from "./admission.js";
import { respondNotFound, respondRedirect, respondText } from "./answers.js";
import type { HttpCounters } from "./counters.js";
import type { Gateway } from "./gateway/gateway.js";
import { RoutedRequest } from "./routed-request.js";
import { cleanTarget, decodePath, withoutQuery } from "./target.js";

export type { Door, Route } from "../ops/route.js";

export interface HttpFrontOptions extends HttpAdmissionOptions {
  /** Serves /v3/; without it that is a path like any other. */
  readonly gateway?: Gateway | undefined;
  /** Offered, in order, whatever the gateway does not take. At a door for metrics they are all there is. */
  readonly routes: readonly Route[];
  readonly counters: HttpCounters;
  /** A route threw, which is a bug; the request was answered with 500. Default: thrown again outside, where it ends the process. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const plainText: PlainHeaders = [["content-type", "text/plain; charset=utf-8"]];
const expectationFailed = 417;
const gatewayRoot = "/v3";
/** The name of 3.3 for the same. */
const oldGatewayPrefix = "/v3beta/";

export class HttpFront {
  readonly #admission: HttpAdmission;
  readonly #gateway: Gateway | undefined;
  readonly #routes: readonly Route[];
  readonly #onError: (error: unknown) => void;

  constructor(options: HttpFrontOptions) {
    this.#admission = new HttpAdmission(options, options.counters);
    this.#gateway = options.gateway;
    this.#routes = options.routes;
    this.#onError = options.onError ?? throwLater;
  }

  /** Answers a request, now or later; with 417 if it `expectsUnknown` of us. Never throws. */
  handle(request: PlainRequest, door: Door, expectsUnknown = false): void {
    try {
      this.#handle(request, door, expectsUnknown);
    } catch (error) {
      respondText(request, 500, "internal error");
      this.#onError(error);
    }
  }

  /**
   * The gateway's path for a WebSocket that is asked for at `path`; undefined if the request is to be handled like any
   * other, because it is refused or asks for something else.
   */
  webSocketPath(head: RequestHead, path: string, door: Door): string | undefined {
    const routed = routedPath(path);
    if (!this.#isGateways(routed, door) || this.#admission.refusalOf(head, true, door) !== undefined) return undefined;
    return decodePath(withoutQuery(routed));
  }

  /** Whether a page of `origin`, undefined for none, may open WebSockets. Counts those that may not. */
  admitsOrigin(origin: string | undefined): boolean {
    return this.#admission.admitsOrigin(origin);
  }

  #handle(request: PlainRequest, door: Door, expectsUnknown: boolean): void {
    if (decodePath(withoutQuery(request.path)) === undefined) {
      // Go's server gives this answer itself, before anything of etcd's sees the request; so it does to `OPTIONS *`.
      request.respond(400, plainText, "400 Bad Request");
      return;
    }
    if (request.path === "*" && request.method === "OPTIONS") {
      request.respond(200, [], "");
      return;
    }
    if (door.serves === "metrics") {
      this.#route(request, door);
      return;
    }
    const path = routedPath(request.path);
    const refusal = this.#admission.refusalOf(request, this.#isGateways(path, door), door);
    if (refusal !== undefined) {
      this.#admission.refuse(request, refusal);
      return;
    }
    const routed = new RoutedRequest(request, path, this.#admission.headersFor(request));
    if (expectsUnknown) respondText(routed, expectationFailed, "417 Expectation Failed");
    else if (request.method === "OPTIONS") routed.respond(200, [], "");
    else this.#route(routed, door);
  }

  #route(request: PlainRequest, door: Door): void {
    const elsewhere = this.#redirectOf(request.path, door);
    if (elsewhere !== undefined) respondRedirect(request, elsewhere);
    else if (this.#isGateways(request.path, door)) this.#gateway?.handle(request);
    else if (!this.#routes.some((route) => route(request, door))) respondNotFound(request);
  }

  /** Where a request for `path` should have gone; undefined if it is right here. */
  #redirectOf(path: string, door: Door): string | undefined {
    const isRoot = this.#serves(door) && withoutQuery(path) === gatewayRoot;
    return isRoot ? `${gatewayRoot}/${path.slice(gatewayRoot.length)}` : cleanTarget(path);
  }

  /** Whether the gateway is served at the door. */
  #serves(door: Door): boolean {
    return this.#gateway !== undefined && door.serves !== "metrics";
  }

  #isGateways(path: string, door: Door): boolean {
    if (!this.#serves(door)) return false;
    if (path.startsWith(`${gatewayRoot}/`)) return true;
    // The first part may be escaped, but its end may not.
    const end = path.indexOf("/", 1);
    return end > 0 && decodePath(path.slice(0, end)) === gatewayRoot;
  }
}

/** Puts the front together; see `HttpFront`. */
export function createHttpFront(options: HttpFrontOptions): HttpFront {
  return new HttpFront(options);
}

function routedPath(path: string): string {
  return path.startsWith(oldGatewayPrefix) ? `${gatewayRoot}/${path.slice(oldGatewayPrefix.length)}` : path;
}

/** Outside the reading of a connection, whose state must not be left halfway. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
