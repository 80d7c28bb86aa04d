/** HTTP/1.1 on a real server's port: the JSON gateway's bodies and URLs, pages, and requests that are none (F26, F42, F44). */
import { type AnyMethodDescriptor, methodsByPath } from "@holdfast/protocol";
import { honestRange } from "../honest-range.js";
import { jsonText } from "../json-text.js";
import { mutate } from "../mutate.js";
import { ProcessTarget } from "../process-target.js";
import type { Random } from "../random.js";

/** Would turn the honest caller away as well. */
const leftOut = ["/v3/auth/enable"];
const methods = [...methodsByPath.values()].filter(
  ({ httpPaths }) => httpPaths.length > 0 && !httpPaths.some((path) => leftOut.includes(path)),
);
const pages = [
  "/",
  "/health",
  "/livez?verbose",
  "/readyz",
  "/version",
  "/metrics",
  "/debug/vars",
  "/v3",
  "/v3/",
  "/health?serializable=true&exclude=x",
];
const oddTargets = [
  "*",
  "http://x/health",
  "//",
  "/%00",
  "/%",
  "/v3/kv/../kv/put",
  "/v3/kv/put?a=b#c",
  "/\xff",
  "?",
  "x",
  "/v3/kv/put/",
];
const verbs = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "PRI", "get", "X"];
const oddFields = [
  "Connection: close",
  "Connection: Upgrade\r\nUpgrade: h2c",
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
  "Expect: 100-continue",
  "Content-Length: 5\r\nContent-Length: 6",
  "Content-Length: -1",
  "Content-Length: 99999999999999999999",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: gzip",
  "Authorization: Bearer \xff",
  "Grpc-Timeout: 1n",
  "Grpc-Metadata-X: y",
  "Origin: null",
  "Content-Encoding: gzip",
  "Accept: */*;q=x",
  ": x",
  "No colon",
  " folded: x",
  `X: ${"y".repeat(20_000)}`,
] as const;

export class HttpTarget extends ProcessTarget {
  readonly name = "http";

  protected bytesOf(random: Random): Buffer {
    const parts = Array.from({ length: 1 + random.length(4) }, () => requestOf(random));
    const all = Buffer.concat(parts);
    return random.chance(5) ? mutate(all, random) : all;
  }

  protected honestUse(endpoint: string): Promise<void> {
    return honestRange(endpoint);
  }
}

function requestOf(random: Random): Buffer {
  if (random.chance(4)) return plainRequest(random);
  const method = random.pick(methods) as AnyMethodDescriptor;
  const body = bodyOf(method, random);
  const head = [`POST ${random.pick(method.httpPaths)} HTTP/1.1`, "Host: x"];
  if (random.chance(6)) head.push(random.pick(oddFields));
  return random.chance(4) ? chunked(head, body, random) : whole(head, body, random);
}

function plainRequest(random: Random): Buffer {
  const verb = random.chance(2) ? "GET" : random.pick(verbs);
  const target = random.chance(3) ? random.pick(oddTargets) : random.pick(pages);
  const fields = Array.from({ length: random.length(3) }, () => random.pick(oddFields));
  const version = random.pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", ""]);
  return Buffer.from([`${verb} ${target} ${version}`, "Host: x", ...fields, "", ""].join("\r\n"), "latin1");
}

/** One value, or several where the method takes a stream. */
function bodyOf({ kind, request }: AnyMethodDescriptor, random: Random): Buffer {
  const count = kind === "bidi" ? 1 + random.length(4) : 1;
  return Buffer.concat(Array.from({ length: count }, () => jsonText(request, random)));
}

function whole(head: readonly string[], body: Buffer, random: Random): Buffer {
  const length = random.chance(15) ? random.below(100_000) : body.length;
  return Buffer.concat([Buffer.from([...head, `Content-Length: ${length}`, "", ""].join("\r\n"), "latin1"), body]);
}

function chunked(head: readonly string[], body: Buffer, random: Random): Buffer {
  const parts: Buffer[] = [Buffer.from([...head, "Transfer-Encoding: chunked", "", ""].join("\r\n"), "latin1")];
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + 1 + random.below(200));
    const length = random.chance(30) ? random.pick(["ffffffffff", "-1", "x", ""]) : piece.length.toString(16);
    parts.push(Buffer.from(`${length}\r\n`), piece, Buffer.from("\r\n"));
    at += piece.length;
  }
  parts.push(Buffer.from("0\r\n\r\n"));
  return Buffer.concat(parts);
}
