// WebSockets of the JSON gateway: every message is compared, and how the connection ended.

import WebSocket from "ws";
import { Reply } from "./answer.js";
import { JsonText } from "./masks.js";
import type { Session } from "./session.js";
import type { Message } from "./wire.js";

/** What a WebSocket is opened with. */
export interface WebSocketOptions {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** One open WebSocket; only the messages taken are compared. */
export class GatewaySocket {
  readonly #session: Session;
  readonly #name: string;
  readonly #socket: WebSocket;
  readonly #messages: string[] = [];
  readonly #closed: Promise<number>;
  #taken = 0;
  #wake: () => void = () => undefined;

  constructor(session: Session, name: string, socket: WebSocket) {
    this.#session = session;
    this.#name = name;
    this.#socket = socket;
    socket.on("message", (data, isBinary) => {
      this.#messages.push(`${isBinary ? "binary: " : ""}${String(data)}`);
      this.#wake();
    });
    this.#closed = new Promise((resolve) => {
      socket.once("close", (code) => {
        resolve(code);
        this.#wake();
      });
    });
  }

  /** Sends a value as JSON, text as it is, bytes as a binary message. */
  send(message: object | string): void {
    const asItIs = typeof message === "string" || message instanceof Uint8Array;
    this.#socket.send(asItIs ? message : JSON.stringify(message));
  }

  /** The next message, one of the gateway's lines of JSON. */
  async next(): Promise<Reply> {
    while (this.#messages.length === 0) {
      if (this.#socket.readyState === WebSocket.CLOSED) {
        throw new Error("the WebSocket was closed while a message was awaited");
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const text = this.#messages.shift() as string;
    this.#taken += 1;
    this.#session.observe(`${this.#name} message ${this.#taken}`, new JsonText(text));
    return new Reply(JSON.parse(text) as Message, (holds, complaint) => this.#session.ok(holds, complaint()));
  }

  /** Waits until the server closes; the code, and what came before and was not taken, are compared. */
  async closed(): Promise<number> {
    const code = await this.#closed;
    this.#session.observe(`${this.#name} closed`, { code, left: this.#messages.length });
    return code;
  }

  /** Breaks the connection off. */
  terminate(): void {
    this.#socket.terminate();
  }
}

/** Opens a WebSocket at a path of the gateway; throws if it is refused. Its messages are compared under this name. */
export async function openSocket(
  s: Session,
  name: string,
  path: string,
  { protocols = [], headers = {} }: WebSocketOptions = {},
): Promise<GatewaySocket> {
  const socket = new WebSocket(`ws://${s.endpoint}${path}`, [...protocols], { headers });
  const opened = new GatewaySocket(s, name, socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => undefined);
  s.observe(`${name} protocol`, socket.protocol);
  return opened;
}

/** Asks for a WebSocket that is refused; the status it is refused with. */
export function refusedSocket(s: Session, path: string, options: WebSocketOptions = {}): Promise<number> {
  const socket = new WebSocket(`ws://${s.endpoint}${path}`, [...(options.protocols ?? [])], {
    headers: options.headers ?? {},
  });
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.terminate();
      reject(new Error(`a WebSocket was opened at ${path}`));
    });
    socket.once("unexpected-response", (_request, response) => {
      socket.terminate();
      resolve(response.statusCode ?? 0);
    });
    socket.on("error", reject);
  });
}
