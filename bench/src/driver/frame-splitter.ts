/**
 * Cuts what arrives from a socket into frames. A frame that lies within one chunk is handed on where it is; only the one
 * that a chunk ends in is copied.
 */
import { frameHeaderBytes, framePayloadBytesMax } from "./http2.js";

/** Takes the frame `chunk[from, to)`, header included. The bytes are only valid during the call. */
export type FrameHandler = (chunk: Uint8Array, from: number, to: number) => void;

export class FrameSplitter {
  readonly #onFrame: FrameHandler;
  /** The frame whose end has not arrived, up to now. */
  readonly #begun = Buffer.allocUnsafeSlow(frameHeaderBytes + framePayloadBytesMax);
  #begunBytes = 0;

  constructor(onFrame: FrameHandler) {
    this.#onFrame = onFrame;
  }

  /** Takes `chunk[0, length)`. @throws Error for a frame above the size that we allow. */
  take(chunk: Uint8Array, length: number): void {
    let at = this.#begunBytes === 0 ? 0 : this.#complete(chunk, length);
    while (length - at >= frameHeaderBytes) {
      const end = at + frameBytes(chunk, at);
      if (end > length) break;
      this.#onFrame(chunk, at, end);
      at = end;
    }
    if (at < length) this.#keep(chunk, at, length);
  }

  /** Adds to the frame that was begun what belongs to it; returns where the next one begins. */
  #complete(chunk: Uint8Array, length: number): number {
    let at = 0;
    if (this.#begunBytes < frameHeaderBytes) {
      at = Math.min(frameHeaderBytes - this.#begunBytes, length);
      this.#keep(chunk, 0, at);
      if (this.#begunBytes < frameHeaderBytes) return at;
    }
    const bytes = frameBytes(this.#begun, 0);
    const end = Math.min(at + bytes - this.#begunBytes, length);
    this.#keep(chunk, at, end);
    if (this.#begunBytes === bytes) {
      this.#begunBytes = 0;
      this.#onFrame(this.#begun, 0, bytes);
    }
    return end;
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    this.#begun.set(chunk.subarray(from, to), this.#begunBytes);
    this.#begunBytes += to - from;
  }
}

function frameBytes(chunk: Uint8Array, at: number): number {
  const payloadBytes = (chunk[at]! << 16) | (chunk[at + 1]! << 8) | chunk[at + 2]!;
  if (payloadBytes > framePayloadBytesMax) throw new Error(`the server sent a frame of ${payloadBytes} bytes`);
  return frameHeaderBytes + payloadBytes;
}
