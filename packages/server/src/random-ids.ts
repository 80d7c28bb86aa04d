/** Ids by chance, for leases. */
import { randomFillSync } from "node:crypto";

/** Chance is taken for so many ids at a time: asking for it takes 2 µs, nearly whatever the number of bytes. */
const idsAtOnce = 512;
const idBytes = 8;

/** Ids are no secrets, so those that are still to be handed out may lie in memory. */
export class RandomIds {
  readonly #bytes = Buffer.alloc(idsAtOnce * idBytes);
  #position = this.#bytes.length;

  /** A positive number of 63 bits, never 0: the lowest bit is always set. */
  next(): bigint {
    if (this.#position === this.#bytes.length) {
      randomFillSync(this.#bytes);
      this.#position = 0;
    }
    const random = this.#bytes.readBigUInt64BE(this.#position);
    this.#position += idBytes;
    return (random >> 1n) | 1n;
  }
}
