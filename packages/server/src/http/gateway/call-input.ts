/** Where the JSON of a call's request comes from: the body of a request, or the messages of a WebSocket. */
import { isUtf8 } from "node:buffer";
import type { PlainRequest } from "@holdfast/transport";

export interface InputListener {
  /** JSON values, any number of them; undefined if it is no text. */
  text(json: string | undefined): void;
  /** Nothing more comes. */
  end(): void;
}

export interface CallInput {
  /** Hands over what comes, from now on. Called once. */
  start(listener: InputListener): void;
  /** Hands over no more for now, as far as it can. */
  pause(): void;
  resume(): void;
}

/** The body of a request, which is there as a whole. */
export class BodyInput implements CallInput {
  readonly #request: PlainRequest;

  constructor(request: PlainRequest) {
    this.#request = request;
  }

  start(listener: InputListener): void {
    listener.text(textOf(this.#request.body));
    listener.end();
  }

  pause(): void {}
  resume(): void {}
}

/** Undefined if the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
