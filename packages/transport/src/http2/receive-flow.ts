/**
 * The receiving half of flow control for the connection as a whole. Credit is given back as soon as bytes arrive, in
 * batches: a slow stream is held back by its own window and must not starve the others.
 */
import { ConnectionError } from "./errors.js";
import { writeWindowUpdate } from "./frame-writer.js";
import type { Output } from "./output.js";
import { FLOW_CONTROL_ERROR, WINDOW_DEFAULT } from "./protocol.js";

/** One per connection. */
export class ReceiveFlow {
  readonly #windowBytes: number;
  /** Bytes the peer may still send. */
  #window = WINDOW_DEFAULT;

  /** `windowBytes` is what the peer gets, at least the 65,535 that it has from the start. */
  constructor(windowBytes: number) {
    this.#windowBytes = Math.max(windowBytes, WINDOW_DEFAULT);
  }

  /**
   * Takes the payload of a DATA frame, padding included, from the window.
   * @throws ConnectionError FLOW_CONTROL_ERROR if it does not fit (RFC 9113, 6.9.1).
   */
  take(byteCount: number): void {
    this.#window -= byteCount;
    if (this.#window < 0) throw new ConnectionError(FLOW_CONTROL_ERROR, "connection window exceeded");
  }

  /** Widens the window again once half of it is used up. */
  topUp(output: Output): void {
    if (this.#window > this.#windowBytes / 2 && this.#window >= WINDOW_DEFAULT / 2) return;
    this.open(output);
  }

  /** Widens the window to its full size. */
  open(output: Output): void {
    const increment = this.#windowBytes - this.#window;
    if (increment <= 0) return;
    writeWindowUpdate(output, 0, increment);
    this.#window = this.#windowBytes;
  }
}
