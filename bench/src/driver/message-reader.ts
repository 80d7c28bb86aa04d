/**
 * Takes the content of one call's DATA frames apart into gRPC messages. A message that lies within one frame, as nearly
 * all do, is handed on where it is; others are put together first.
 */
import { envelopeBytes } from "./frame-output.js";

const noBytes = Buffer.alloc(0);

/** Takes the message `chunk[from, to)`, whose bytes are only valid during the call. */
export type MessageHandler = (chunk: Uint8Array, from: number, to: number) => void;

export class MessageReader {
  #begun = noBytes;
  #begunBytes = 0;

  /** Whether a message is incomplete. */
  get isInside(): boolean {
    return this.#begunBytes > 0;
  }

  /**
   * Takes `chunk[from, to)` and hands on each message that is now complete.
   * @throws Error for a compressed message, which we never asked for.
   */
  take(chunk: Uint8Array, from: number, to: number, handler: { message: MessageHandler }): void {
    let at = this.#begunBytes === 0 ? from : this.#complete(chunk, from, to, handler);
    while (to - at >= envelopeBytes) {
      const end = at + messageBytes(chunk, at);
      if (end > to) break;
      handler.message(chunk, at + envelopeBytes, end);
      at = end;
    }
    if (at < to) this.#keep(chunk, at, to);
  }

  #complete(chunk: Uint8Array, from: number, to: number, handler: { message: MessageHandler }): number {
    let at = from;
    if (this.#begunBytes < envelopeBytes) {
      at = Math.min(from + envelopeBytes - this.#begunBytes, to);
      this.#keep(chunk, from, at);
      if (this.#begunBytes < envelopeBytes) return at;
    }
    const bytes = messageBytes(this.#begun, 0);
    const end = Math.min(at + bytes - this.#begunBytes, to);
    this.#keep(chunk, at, end);
    if (this.#begunBytes < bytes) return end;
    const whole = this.#begun;
    this.#begun = noBytes;
    this.#begunBytes = 0;
    handler.message(whole, envelopeBytes, bytes);
    return end;
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    const needed = this.#begunBytes + to - from;
    if (needed > this.#begun.length) this.#grow(needed);
    this.#begun.set(chunk.subarray(from, to), this.#begunBytes);
    this.#begunBytes = needed;
  }

  /** To the size of the message where that is known. */
  #grow(needed: number): void {
    const known = this.#begunBytes >= envelopeBytes ? messageBytes(this.#begun, 0) : 0;
    const larger = Buffer.allocUnsafe(Math.max(needed, known, 1024));
    larger.set(this.#begun.subarray(0, this.#begunBytes));
    this.#begun = larger;
  }
}

/** Of the whole message, envelope included, that begins at `at`. */
function messageBytes(chunk: Uint8Array, at: number): number {
  if (chunk[at] !== 0) throw new Error("the server sent a compressed message");
  return envelopeBytes + chunk[at + 1]! * 2 ** 24 + ((chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!);
}
