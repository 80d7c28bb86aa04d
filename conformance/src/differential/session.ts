// What a script holds in its hands: its first client, further clients, the server's life, and its own checks.

import { isDeepStrictEqual } from "node:util";
import type { ServerUnderTest } from "../server-under-test.js";
import type { TargetName } from "../target.js";
import { brief } from "./answer.js";
import { clientCertificate } from "./certificates.js";
import { Client, type ClientOptions } from "./client.js";
import { type HttpAnswer, HttpClient, type HttpLines, type HttpRequest } from "./http.js";
import type { JsonText, TypedMessage } from "./masks.js";
import type { RunContext } from "./run-context.js";
import type { Value } from "./wire.js";

/** The name in the certificate of a script's first client. */
const firstClientName = "script";

/** One run of a script. */
export class Session extends Client {
  readonly #run: RunContext;
  readonly #server: ServerUnderTest;
  readonly #tls: boolean;
  readonly #http: HttpClient;

  private constructor(run: RunContext, server: ServerUnderTest, tls: Awaited<ReturnType<typeof firstCertificate>>) {
    super(run, {}, tls);
    this.#run = run;
    this.#server = server;
    this.#tls = tls !== undefined;
    this.#http = new HttpClient(run, tls);
  }

  static async open(run: RunContext, server: ServerUnderTest, tls: boolean): Promise<Session> {
    return new Session(run, server, await firstCertificate(tls));
  }

  /** Which server this run talks to. A script should not need it: what differs is said in its divergences. */
  get target(): TargetName {
    return this.#run.target;
  }

  /** `127.0.0.1:port` */
  get endpoint(): string {
    return this.#run.endpoint;
  }

  /** A further client with a connection of its own. */
  async connect({ metadata, certificate = firstClientName }: ClientOptions = {}): Promise<Client> {
    return new Client(this.#run, metadata, this.#tls ? await clientCertificate(certificate) : undefined);
  }

  /** An HTTP/1.1 request and its whole answer. */
  http(request: HttpRequest): Promise<HttpAnswer> {
    return this.#http.exchange(request);
  }

  /** An HTTP/1.1 request whose answer comes in lines of JSON, such as a watch through the gateway. */
  httpLines(request: HttpRequest): Promise<HttpLines> {
    return this.#http.lines(request);
  }

  /**
   * Ends the server (orderly, unless told otherwise) and starts it again on the same data and port, with the flags of
   * the script or with these in their place.
   */
  async restart(signal: "SIGTERM" | "SIGKILL" = "SIGTERM", args?: readonly string[]): Promise<void> {
    await this.#server.kill(signal);
    await this.#server.restart(args);
  }

  /** Records a value that the script derived, to be compared like an answer. */
  observe(name: string, value: Value | TypedMessage | JsonText): void {
    this.#run.recorder.slot(name, name).set("value", value);
  }

  /** Demands something of both servers: for what the script works out itself. */
  ok(holds: boolean, what: string): void {
    this.#run.demand(true)(holds, () => what);
  }

  /** Demands that two values are deeply equal, of both servers. */
  equal(actual: unknown, expected: unknown): void {
    this.ok(isDeepStrictEqual(actual, expected), `expected ${brief(expected)}, got ${brief(actual)}`);
  }
}

async function firstCertificate(tls: boolean) {
  return tls ? await clientCertificate(firstClientName) : undefined;
}
