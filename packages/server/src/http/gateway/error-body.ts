/** Errors of the gateway as JSON (etcd-v3-wire.md 4.3, 4.4). */
import { StatusCode } from "@holdfast/protocol";
import type { PlainHeaders, PlainRequest, Status } from "@holdfast/transport";
import { httpStatusOf } from "./http-status.js";

const json = ["content-type", "application/json"] as const;

/** Answers a request that never became a call, or a unary call. `further` go before the other headers. */
export function respondError(request: PlainRequest, status: Status, further: PlainHeaders = []): void {
  const isUnauthenticated = status.code === StatusCode.unauthenticated;
  const headers = isUnauthenticated ? [json, ["www-authenticate", headerText(status.message)] as const] : [json];
  request.respond(httpStatusOf(status.code), [...further, ...headers], errorJson(status));
}

/** The last line of a stream. */
export function errorLine(status: Status): string {
  return `{"error":${escapeForPages(errorJson(status))}}\n`;
}

function errorJson({ code, message }: Status): string {
  return message === "" ? `{"code":${code}}` : `{"code":${code},"message":${JSON.stringify(message)}}`;
}

/** Header values end with the line. */
function headerText(message: string): string {
  return message.replace(/[^\x20-\x7e]/g, " ");
}

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** Lines of a stream are escaped as Go's encoding/json does it, so that they are harmless inside HTML; unary bodies are not. */
export function escapeForPages(text: string): string {
  return /[<>&\u2028\u2029]/.test(text)
    ? text.replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] as string)
    : text;
}
