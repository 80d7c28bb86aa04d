// HTTP/1.1 exchanges: the JSON gateway, and the other pages of the client port. Bodies are compared as exact text.

import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { createInterface } from "node:readline";
import { brief, type Demand, type Expectation, type Expected, matches, Reply } from "./answer.js";
import type { ClientCertificate } from "./certificates.js";
import { JsonText, type ObservedObject } from "./masks.js";
import { comparableHeaders, noSlot, type Slot } from "./recorder.js";
import type { RunContext } from "./run-context.js";
import type { Message } from "./wire.js";

/** What to ask for. */
export interface HttpRequest {
  /** GET, unless there is a body; then POST. */
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** An object is sent as JSON, text and bytes as they are. */
  readonly body?: object | string | Uint8Array;
  /** Goes to this address or path of a Unix socket, with the placeholders of flags, instead of the endpoint. */
  readonly to?: string;
  /** See `CallOptions`. */
  readonly as?: string;
  readonly unobserved?: string;
}

/** Headers that only say how the body was cut or masked, or who carries it. */
const uncomparedHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
]);

/** The whole answer to one request. */
export class HttpAnswer {
  readonly status: number;
  readonly headers: ObservedObject;
  readonly text: string;
  readonly #demand: Demand;

  constructor(response: IncomingMessage, text: string, demand: Demand) {
    this.status = response.statusCode ?? 0;
    this.headers = comparedHeaders(response);
    this.text = text;
    this.#demand = demand;
  }

  /** The body as JSON. */
  get json(): Message {
    return JSON.parse(this.text) as Message;
  }

  /** Demands this status, and a JSON body with these fields (it may have more), or a text. */
  shows(status: number, body: Expectation | string | RegExp): this {
    const actual = typeof body === "string" || body instanceof RegExp ? this.text : parsed(this.text);
    const holds = this.status === status && matches(actual, body as Expected);
    this.#demand(holds, () => `expected ${status} ${brief(body)}, got ${this.status} ${brief(this.text)}`);
    return this;
  }
}

/** An answer that comes line by line, each a JSON object; only the lines taken are compared. */
export class HttpLines {
  readonly #run: RunContext;
  readonly #request: ClientRequest;
  readonly #slot: Slot;
  readonly #lines: AsyncIterator<string>;

  constructor(run: RunContext, request: ClientRequest, response: IncomingMessage, slot: Slot) {
    this.#run = run;
    this.#request = request;
    this.#slot = slot;
    this.#lines = createInterface({ input: response })[Symbol.asyncIterator]();
    run.onEnd(() => this.close());
  }

  /** The next line; throws when the answer ends first. */
  async next(): Promise<Reply> {
    const { value, done } = await this.#run.waitFor("a line", this.#lines.next());
    if (done === true) {
      throw new Error("the answer ended while a line was awaited");
    }
    this.#slot.push("lines", new JsonText(value));
    return new Reply(JSON.parse(value) as Message, this.#run.demand(false));
  }

  /** Every line up to the end of the answer. */
  async rest(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (let next = await this.#lines.next(); next.done !== true; next = await this.#lines.next()) {
      lines.push(next.value);
      this.#slot.push("lines", new JsonText(next.value));
    }
    this.#slot.set("ended", true);
    return lines;
  }

  /** Breaks the connection off. */
  close(): void {
    this.#request.destroy();
  }
}

/** One client for HTTP; a connection per request. */
export class HttpClient {
  readonly #run: RunContext;
  readonly #certificate: ClientCertificate | undefined;

  constructor(run: RunContext, certificate?: ClientCertificate) {
    this.#run = run;
    this.#certificate = certificate;
  }

  /** Sends a request and reads the answer to its end. */
  async exchange(request: HttpRequest): Promise<HttpAnswer> {
    const slot = this.#slot(request);
    const { response } = await this.#send(request, slot);
    const chunks: Buffer[] = [];
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
    }
    const text = Buffer.concat(chunks).toString();
    slot.set("body", new JsonText(text));
    return new HttpAnswer(response, text, this.#run.demand(request.unobserved !== undefined));
  }

  /** Sends a request whose answer comes in lines, and waits for the head of the answer. */
  async lines(request: HttpRequest): Promise<HttpLines> {
    const slot = this.#slot(request);
    const { sent, response } = await this.#send(request, slot);
    return new HttpLines(this.#run, sent, response, slot);
  }

  #slot({ path, as, unobserved }: HttpRequest): Slot {
    return unobserved === undefined ? this.#run.recorder.slot(path, as) : noSlot;
  }

  async #send(request: HttpRequest, slot: Slot): Promise<{ sent: ClientRequest; response: IncomingMessage }> {
    const { path, headers = {}, body, to } = request;
    const method = request.method ?? (body === undefined ? "GET" : "POST");
    const address = to === undefined ? this.#run.endpoint : this.#run.fill(to);
    const [host, port] = address.split(":");
    const at = address.startsWith("/") ? { socketPath: address } : { host, port };
    const options = { ...at, method, path, headers, agent: false };
    const sent =
      this.#certificate === undefined ? plainRequest(options) : tlsRequest({ ...options, ...this.#certificate });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once("response", resolve);
      sent.once("error", reject);
    });
    sent.end(typeof body === "object" && !(body instanceof Uint8Array) ? JSON.stringify(body) : body);
    const response = await this.#run.waitFor(`${method} ${path}`, answered);
    slot.set("status", response.statusCode);
    slot.set("headers", comparedHeaders(response));
    return { sent, response };
  }
}

function comparedHeaders({ headers }: IncomingMessage): ObservedObject {
  return comparableHeaders(
    Object.fromEntries(Object.entries(headers).filter(([name]) => !uncomparedHeaders.has(name))),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
