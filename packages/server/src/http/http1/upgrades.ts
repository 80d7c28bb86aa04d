/** Requests that ask for another protocol on their connection: a WebSocket, or one that we do not speak there. */
import type { IncomingMessage } from "node:http";

/** Whether the request asks for a WebSocket (RFC 6455, 4.2.1). How well is judged by the library. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.method === "GET" && request.headers.upgrade?.toLowerCase() === "websocket";
}

const hopHeaders: ReadonlySet<string> = new Set(["upgrade", "http2-settings", "connection"]);

/**
 * The head of `request` as it would be without the wish for another protocol, which a server may ignore (RFC 9110, 7.8).
 * Java's and curl's clients ask every server for HTTP/2 that way.
 */
export function headWithoutUpgrade(request: IncomingMessage): Buffer {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!hopHeaders.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  const connection = request.headers.connection ?? "";
  if (/(?:^|,)\s*close\s*(?:,|$)/i.test(connection)) lines.push("connection: close");
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
