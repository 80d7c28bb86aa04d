/** A connection on which a test plays the server. */
import type { MessageCodec } from "@holdfast/protocol";
import type { CallEnd, CallListener, ClientCall, Metadata, UnaryResult } from "@holdfast/transport";
import type { Channel } from "../line.js";

const NO_METADATA: Metadata = {
  get: () => undefined,
  getAll: () => [],
  entries: () => new Map<string, string>().entries(),
};

export function ending(code: number, message: string, neverProcessed = false): CallEnd {
  return { status: { code, message }, trailers: NO_METADATA, neverProcessed };
}

/** One call as the server sees it. */
export class ScriptedCall implements ClientCall {
  readonly congested = false;
  readonly sent: Uint8Array[] = [];
  readonly #listener: CallListener;
  cancelled = false;
  halfClosed = false;
  paused = false;

  constructor(listener: CallListener) {
    this.#listener = listener;
  }

  answer<Response>(codec: MessageCodec<Response>, fields: Partial<Response>): void {
    this.#listener.message(codec.encode(codec.create(fields)));
  }

  end(end: CallEnd): void {
    this.#listener.end(end);
  }

  send(message: Uint8Array): void {
    this.sent.push(message);
  }

  halfClose(): void {
    this.halfClosed = true;
  }

  cancel(): void {
    this.cancelled = true;
    this.end(ending(1, "cancelled by the client"));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

export class ScriptedChannel implements Channel {
  readonly calls: ScriptedCall[] = [];

  /** The newest call. */
  get call(): ScriptedCall {
    return this.calls.at(-1)!;
  }

  open(_path: string, listener: CallListener): ClientCall {
    const call = new ScriptedCall(listener);
    this.calls.push(call);
    return call;
  }

  unary(): Promise<UnaryResult> {
    throw new Error("a scripted channel has streams only");
  }
}
