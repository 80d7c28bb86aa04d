/** The ways to make a call: gRPC, JSON over HTTP, JSON over a WebSocket. Each tells how the call was refused, if it was. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import {
  type AnyMethodDescriptor,
  type MethodDescriptor,
  messageToJson,
  type WatchResponse,
  watchService,
} from "@holdfast/protocol";
import { type ClientOptions, WebSocket } from "ws";
import { StatusError } from "./status-error.js";
import type { TestClient } from "./test-client.js";

/** How a call ended that was refused, or what a watcher was told; the code is undefined where none is sent. */
export interface Refused {
  readonly code: number | undefined;
  readonly message: string;
}

/** Makes a call with a token; resolves with its refusal, or undefined once it has begun to be answered. */
export type AccessDoor = (
  method: AnyMethodDescriptor,
  request: object,
  token: string | undefined,
) => Promise<Refused | undefined>;

export function grpcDoor(client: TestClient): AccessDoor {
  return async (method, request, token) => {
    const caller = token === undefined ? client : client.withToken(token);
    try {
      if (method.kind === "unary") {
        await caller.call(method as MethodDescriptor<unknown, unknown, "unary">, request);
        return undefined;
      }
      return await firstOfStream(caller, method, request);
    } catch (error) {
      if (error instanceof StatusError) return { code: error.code, message: error.text };
      throw error;
    }
  };
}

async function firstOfStream(
  client: TestClient,
  method: AnyMethodDescriptor,
  request: object,
): Promise<Refused | undefined> {
  const stream = client.open(method as MethodDescriptor<object, unknown, "bidi">);
  stream.send(request);
  if (method.kind === "serverStream") stream.call.halfClose();
  try {
    const first = await stream.next();
    if (method.path !== watchService.methods.watch.path) return undefined;
    const { cancelReason } = first as WatchResponse;
    return cancelReason === "" ? undefined : { code: undefined, message: cancelReason };
  } finally {
    stream.call.cancel();
  }
}

/** The gateway at `origin`; `options` are for TLS. Only for methods that have a path there. */
export function jsonDoor(origin: string, options: RequestOptions = {}): AccessDoor {
  return async (method, request, token) => {
    const headers = token === undefined ? {} : { authorization: token };
    const ask = origin.startsWith("https:") ? httpsRequest : httpRequest;
    const call = ask(`${origin}${method.httpPaths[0]}`, { ...options, method: "POST", headers, agent: false });
    call.end(jsonOf(method, request));
    const [response] = (await once(call, "response")) as [IncomingMessage];
    const line = await firstLine(response);
    call.destroy();
    return refusedIn(line);
  };
}

/** A line, or all if it has no end. */
async function firstLine(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text;
}

export function webSocketDoor(origin: string, options: ClientOptions = {}): AccessDoor {
  return async (method, request, token) => {
    const protocols = token === undefined ? [] : ["Bearer", token];
    const socket = new WebSocket(`${origin.replace(/^http/, "ws")}${method.httpPaths[0]}`, protocols, options);
    const messages: string[] = [];
    const answered = new Promise<void>((resolve) => {
      socket.once("message", (data) => {
        messages.push(String(data));
        resolve();
      });
      socket.once("close", () => resolve());
    });
    await once(socket, "open");
    socket.send(jsonOf(method, request));
    await answered;
    socket.terminate();
    return refusedIn(messages[0] ?? "");
  };
}

function jsonOf({ request: codec }: AnyMethodDescriptor, request: object): string {
  return messageToJson(codec, codec.create(request));
}

interface Line {
  readonly code?: number;
  readonly message?: string;
  readonly error?: { readonly code?: number; readonly message?: string };
  readonly result?: { readonly cancel_reason?: string };
}

function refusedIn(text: string): Refused | undefined {
  // The first piece of a snapshot need not be a whole line.
  if (!text.startsWith("{") || text.startsWith('{"result"')) return cancelledIn(text);
  const line = JSON.parse(text) as Line;
  const { code, message } = line.error ?? line;
  return message === undefined ? undefined : { code, message };
}

function cancelledIn(text: string): Refused | undefined {
  const reason = /"cancel_reason":"([^"]*)"/.exec(text)?.[1];
  return reason === undefined ? (text === "" ? undefined : plainText(text)) : { code: undefined, message: reason };
}

/** What is neither an answer nor an error of the gateway was turned away before it. */
function plainText(text: string): Refused | undefined {
  return text.startsWith("{") ? undefined : { code: undefined, message: text.trim() };
}
