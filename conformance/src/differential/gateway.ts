// What the scripts about the JSON gateway share.

import type { HttpAnswer, HttpRequest } from "./http.js";
import type { Session } from "./session.js";

/** Text, one character per byte, as the gateway wants bytes. */
export function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

/** Calls a binding of the gateway, named without its `/v3/`. */
export function post(
  s: Session,
  binding: string,
  body: object | string | Uint8Array = {},
  more: Omit<HttpRequest, "path" | "body"> = {},
): Promise<HttpAnswer> {
  return s.http({ path: `/v3/${binding}`, body, ...more });
}

/** The body of a refusal. */
export function refusal(code: number, message: string | RegExp): { code: number; message: string | RegExp } {
  return { code, message };
}

/** Sends what cannot be read, and demands that it is refused for that. */
export async function unreadable(
  s: Session,
  binding: string,
  body: object | string | Uint8Array,
  more: Omit<HttpRequest, "path" | "body"> & { readonly as: string },
): Promise<void> {
  (await post(s, binding, body, more)).shows(400, refusal(3, /./));
}
