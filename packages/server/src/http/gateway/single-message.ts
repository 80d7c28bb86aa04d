/** The one message of a unary or server-streaming request: the first JSON value there is; the rest is not looked at. */
import { JsonError, JsonMessages, type MessageCodec } from "@holdfast/protocol";
import type { InputListener } from "./call-input.js";

export class SingleMessage implements InputListener {
  readonly #codec: MessageCodec<unknown>;
  readonly #onMessage: (bytes: Uint8Array) => void;
  readonly #onError: (text: string) => void;
  #done = false;

  /** `onMessage` gets the message in its binary form, `onError` why there is none; one of them is called, once. */
  constructor(codec: MessageCodec<unknown>, onMessage: (bytes: Uint8Array) => void, onError: (text: string) => void) {
    this.#codec = codec;
    this.#onMessage = onMessage;
    this.#onError = onError;
  }

  text(json: string | undefined): void {
    if (this.#done) return;
    const message = json === undefined ? new JsonError("invalid UTF-8") : readFirst(this.#codec, json);
    if (message === undefined) return;
    this.#done = true;
    if (message instanceof JsonError) this.#onError(message.message);
    else this.#onMessage(this.#codec.encode(message));
  }

  /** No value at all is the empty message. */
  end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#onMessage(this.#codec.encode(this.#codec.create()));
  }
}

/** Undefined if there is none. */
function readFirst(codec: MessageCodec<unknown>, json: string): unknown {
  try {
    return new JsonMessages(codec, json).next();
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
}
