/** Asks a route as the HTTP door would, without one. */
import type { PlainHeaders, PlainRequest } from "@holdfast/transport";
import type { Door, Route } from "../ops/route.js";

export interface PageAnswer {
  readonly status: number;
  /** As "name: value", in order. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface PageQuestion {
  readonly method?: string;
  readonly serves?: Door["serves"];
  readonly headers?: readonly (readonly [string, string])[];
}

/** What the first route that takes the request answers; undefined if none takes it. */
export async function ask(
  routes: readonly Route[],
  path: string,
  question: PageQuestion = {},
): Promise<PageAnswer | undefined> {
  const { method = "GET", serves = "all", headers = [] } = question;
  let answered: (answer: PageAnswer) => void = () => {};
  const answer = new Promise<PageAnswer>((resolve) => {
    answered = resolve;
  });
  const request: PlainRequest = {
    method,
    path,
    headers,
    authority: "localhost",
    body: new Uint8Array(0),
    peer: { address: "127.0.0.1", port: 1 },
    respond: (status: number, fields: PlainHeaders, body: Uint8Array | string) =>
      answered({
        status,
        headers: [...fields].map((field) => field.join(": ")),
        body: Buffer.from(body).toString("latin1"),
      }),
    begin: notInPieces,
    write: notInPieces,
    finish: notInPieces,
    unsentBytes: 0,
    congested: false,
    onDrain: notInPieces,
    onTaken: (listener: () => void) => listener(),
    onCancel: () => {},
  };
  return routes.some((route) => route(request, { serves, secure: false })) ? answer : undefined;
}

function notInPieces(): never {
  throw new Error("pages answer in one piece");
}
