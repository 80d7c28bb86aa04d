/** How the operations pages read a request and answer it, byte for byte as etcd does (etcd-v3-wire.md 4.9). */
import type { PlainHeaders, PlainRequest } from "@holdfast/transport";
import { decodePath, withoutQuery } from "../http/target.js";
import type { Door, Route } from "./route.js";

const plainText = "text/plain; charset=utf-8";

/** Headers of a text that is not to be taken for anything else. */
export const textHeaders: PlainHeaders = [
  ["content-type", plainText],
  ["x-content-type-options", "nosniff"],
];

/** Headers of a text for which etcd leaves the type to be guessed, and says so nowhere. */
export const guessedTextHeaders: PlainHeaders = [["content-type", plainText]];

const notAllowedHeaders: PlainHeaders = [["allow", "GET"], ...textHeaders];

/** Where the monitoring pages are served, and where the others. */
export const everyDoor: readonly Door["serves"][] = ["all", "http", "metrics"];
export const clientDoors: readonly Door["serves"][] = ["all", "http"];

/** The route of one path that can only be read (GET), at the given doors. */
export function page(path: string, doors: readonly Door["serves"][], answer: (request: PlainRequest) => void): Route {
  return (request, door) => {
    if (pathOf(request) !== path || !doors.includes(door.serves)) return false;
    if (request.method === "GET") answer(request);
    else request.respond(405, notAllowedHeaders, "Method Not Allowed\n");
    return true;
  };
}

/** The path without its query, its escapes decoded; undefined if they are none. */
export function pathOf({ path }: PlainRequest): string | undefined {
  return decodePath(withoutQuery(path));
}

/** The query. A part with a semicolon counts for nothing, as in Go. */
export function queryOf({ path }: PlainRequest): URLSearchParams {
  const query = path.indexOf("?");
  const parts = query === -1 ? [] : path.slice(query + 1).split("&");
  return new URLSearchParams(parts.filter((part) => !part.includes(";")).join("&"));
}
