/** A socket without a network: bytes go in with `receive`, in the same turn, and come out in `sent`. */
import { Duplex } from "node:stream";

export class MemorySocket extends Duplex {
  readonly remoteAddress = "memory";
  readonly remotePort = 1;
  /** While true, writes wait as they do in a socket whose peer does not read. */
  full = false;
  readonly #chunks: Buffer[] = [];

  constructor() {
    super({ allowHalfOpen: false });
  }

  /** What was written so far. */
  get sent(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Hands bytes to the reader at once: what it throws comes out here. */
  receive(bytes: Uint8Array): void {
    if (!this.destroyed) this.emit("data", Buffer.from(bytes));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    if (!this.full) done();
  }
}
