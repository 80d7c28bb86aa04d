/** The HTTP front over real services on a real socket, with a view inside and time by hand. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Method } from "@holdfast/transport";
import type { Door, Route } from "../../ops/route.js";
import { allMethods } from "../../services/all.js";
import { Services, type ServicesOptions } from "../../testing/services.js";
import type { HttpAdmissionOptions } from "../admission.js";
import { newHttpCounters } from "../counters.js";
import { createHttpFront, type HttpFront } from "../front.js";
import { Gateway } from "../gateway/gateway.js";
import { Http1Server } from "../http1/http1-server.js";
import type { HttpLimits } from "../limits.js";
import { ManualClock } from "./manual-clock.js";

export interface HarnessOptions extends ServicesOptions {
  readonly door?: Door;
  readonly access?: HttpAdmissionOptions;
  readonly routes?: readonly Route[];
  readonly httpLimits?: Partial<HttpLimits>;
  /** Stand in for those of the same path, or are added. */
  readonly methods?: readonly Method[];
  /** Whether the gateway is served. Default true. */
  readonly gateway?: boolean;
  /** Common name that every client has shown a certificate for. */
  readonly certificateName?: string;
}

export const clearDoor: Door = { serves: "all", secure: false };

export class HttpHarness {
  readonly services: Services;
  readonly clock = new ManualClock();
  readonly counters = newHttpCounters();
  readonly gateway: Gateway;
  readonly front: HttpFront;
  readonly http1: Http1Server;
  /** What methods threw. */
  readonly errors: unknown[] = [];
  readonly #listener;

  private constructor(services: Services, options: HarnessOptions) {
    this.services = services;
    const { counters, clock } = this;
    const own = options.methods ?? [];
    const methods = [
      ...allMethods(services.context).filter(({ path }) => !own.some((other) => other.path === path)),
      ...own,
    ];
    const onHandlerError = (_path: string, error: unknown): void => {
      this.errors.push(error);
    };
    this.gateway = new Gateway({ methods, counters, clock, limits: options.httpLimits, onHandlerError });
    const gateway = options.gateway === false ? undefined : this.gateway;
    const onError = (error: unknown): void => {
      this.errors.push(error);
    };
    this.front = createHttpFront({ ...options.access, gateway, routes: options.routes ?? [], counters, onError });
    this.http1 = new Http1Server({ front: this.front, gateway, counters, clock, limits: options.httpLimits });
    const door = options.door ?? clearDoor;
    this.#listener = createServer((socket) => this.http1.take(socket, Buffer.alloc(0), door, options.certificateName));
  }

  /** Starts listening on a free port; everything is gone when the test is over. */
  static async start(test: TestContext, options: HarnessOptions = {}): Promise<HttpHarness> {
    const harness = new HttpHarness(await Services.start(test, options), options);
    harness.#listener.listen(0, "127.0.0.1");
    await once(harness.#listener, "listening");
    test.after(() => harness.#stop());
    return harness;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A bare connection, on which anything can be sent. */
  async dial(): Promise<RawClient> {
    const socket = connect({ host: "127.0.0.1", port: this.port, noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Posts JSON. */
  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(this.origin + path, { method: "POST", body: text, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async #stop(): Promise<void> {
    this.services.context.openCalls.stop();
    this.http1.closeAll();
    const closed = once(this.#listener, "close");
    this.#listener.close();
    await closed;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A client that writes and reads bytes. */
export class RawClient {
  readonly socket: Socket;
  /** All that was received. */
  received = "";
  #waiting: (() => void) | undefined = undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.received += text;
      this.#waiting?.();
    });
    // A reset is an end like any other.
    socket.on("error", () => {});
    socket.on("close", () => this.#waiting?.());
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** What was received, once it matches or the connection is gone. */
  until(pattern: RegExp): Promise<string> {
    return this.#waitUntil(() => pattern.test(this.received));
  }

  /** All that comes until the server closes the connection. */
  closed(): Promise<string> {
    return this.#waitUntil(() => false);
  }

  async #waitUntil(condition: () => boolean): Promise<string> {
    while (!this.socket.closed && !condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.received;
  }
}
