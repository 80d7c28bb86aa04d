/**
 * What flow control holds back (RFC 9113, 5.2), of one connection, in order. Empty nearly always: a load's messages are
 * small.
 */

import { envelopeBytes, type FrameOutput } from "./frame-output.js";
import { framePayloadBytesMax, windowBytesDefault } from "./http2.js";

/** The sending side of one stream. */
export interface SendingStream {
  readonly id: number;
  /** Bytes of DATA that the server still takes on this stream. */
  sendWindowBytes: number;
  isEnded: boolean;
}

interface Waiting {
  readonly stream: SendingStream;
  readonly bytes: Uint8Array;
  sent: number;
  readonly isLast: boolean;
}

export class SendQueue {
  readonly #output: FrameOutput;
  /** Bytes of DATA that the server still takes on the connection. */
  #windowBytes = windowBytesDefault;
  #waiting: Waiting[] = [];

  constructor(output: FrameOutput) {
    this.#output = output;
  }

  /** Sends a message now where the windows allow it, otherwise as soon as they do. */
  send(stream: SendingStream, message: Uint8Array, isLast: boolean): void {
    const bytes = message.length + envelopeBytes;
    const fits = bytes <= this.#windowBytes && bytes <= stream.sendWindowBytes && bytes <= framePayloadBytesMax;
    if (!fits || this.#waiting.length > 0) {
      this.#waiting.push({ stream, bytes: enveloped(message), sent: 0, isLast });
      if (this.#waiting.length === 1) this.#go();
      return;
    }
    this.#windowBytes -= bytes;
    stream.sendWindowBytes -= bytes;
    this.#output.message(stream.id, message, isLast);
  }

  /** Ends the stream behind what was sent on it. */
  end(stream: SendingStream): void {
    this.#waiting.push({ stream, bytes: new Uint8Array(0), sent: 0, isLast: true });
    this.#go();
  }

  /** The server takes so many bytes more on the connection. */
  widen(bytes: number): void {
    this.#windowBytes += bytes;
    this.#go();
  }

  /** The server takes so many bytes more (or fewer) on a stream. */
  widenStream(stream: SendingStream, bytes: number): void {
    stream.sendWindowBytes += bytes;
    this.#go();
  }

  #go(): void {
    if (this.#waiting.length === 0) return;
    const held = new Set<SendingStream>();
    this.#waiting = this.#waiting.filter((entry) => {
      if (entry.stream.isEnded) return false;
      if (!held.has(entry.stream) && this.#sendWhatFits(entry)) return false;
      held.add(entry.stream);
      return true;
    });
  }

  /** Whether all of it is sent. */
  #sendWhatFits(entry: Waiting): boolean {
    const { stream, bytes } = entry;
    do {
      const window = Math.min(this.#windowBytes, stream.sendWindowBytes, framePayloadBytesMax);
      const count = Math.min(window, bytes.length - entry.sent);
      if (count <= 0 && bytes.length > entry.sent) return false;
      const end = entry.sent + count;
      this.#output.data(stream.id, bytes, entry.sent, end, entry.isLast && end === bytes.length);
      this.#windowBytes -= count;
      stream.sendWindowBytes -= count;
      entry.sent = end;
    } while (entry.sent < bytes.length);
    return true;
  }
}

function enveloped(message: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(envelopeBytes + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, envelopeBytes);
  return bytes;
}
