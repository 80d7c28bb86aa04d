/** The token a page can send with a WebSocket, where it cannot set headers (etcd-v3-wire.md 4.3). */
import type { Headers } from "../wrapped-request.js";

export const bearerProtocol = "Bearer";

/** Headers of the handshake that the call gets to see. */
const passedOn: ReadonlySet<string> = new Set(["origin", "referer"]);

/** The headers of the call that a handshake with these headers opens. A cookie named "token" counts more than a sub-protocol. */
export function callHeaders(handshake: Headers): Headers {
  const headers = handshake.filter(([name]) => passedOn.has(name));
  const token =
    tokenInCookie(headerOf(handshake, "cookie")) ?? tokenInProtocol(headerOf(handshake, "sec-websocket-protocol"));
  return token === undefined ? headers : [...headers, ["authorization", `Bearer ${token}`]];
}

function headerOf(headers: Headers, name: string): string {
  return headers.find(([other]) => other === name)?.[1] ?? "";
}

function tokenInCookie(cookies: string): string | undefined {
  return /(?:^|;)\s*token="?([^;"\s]*)/.exec(cookies)?.[1];
}

/** The sub-protocol behind "Bearer". */
function tokenInProtocol(protocols: string): string | undefined {
  const names = protocols.split(",").map((name) => name.trim());
  const at = names.indexOf(bearerProtocol);
  return at < 0 ? undefined : names[at + 1];
}
