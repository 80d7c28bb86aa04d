/** The answers that HTTP itself gives, in Go's words. */
import type { PlainHeaders, PlainRequest } from "@holdfast/transport";

const textHeaders: PlainHeaders = [
  ["content-type", "text/plain; charset=utf-8"],
  ["x-content-type-options", "nosniff"],
];

/** A line of text with a status. */
export function respondText(request: PlainRequest, status: number, text: string): void {
  request.respond(status, textHeaders, `${text}\n`);
}

/** Nobody serves the path. */
export function respondNotFound(request: PlainRequest): void {
  respondText(request, 404, "404 page not found");
}

/** Sends the client to another path of this server. */
export function respondRedirect(request: PlainRequest, location: string): void {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const headers: PlainHeaders = [...(isRead ? [htmlHeader] : []), ["location", location]];
  request.respond(307, headers, isRead ? redirectPage(location) : "");
}

const htmlHeader = ["content-type", "text/html; charset=utf-8"] as const;

function redirectPage(location: string): string {
  const link = location.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<a href="${link}">Temporary Redirect</a>.\n\n`;
}
