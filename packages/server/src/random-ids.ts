/** Ids by chance, for leases. */
import { randomFillSync } from "node:crypto";

/** Chance is taken for so many ids at a time: asking for it takes 2 µs, nearly whatever the number of bytes. */
const idsAtOnce = 512;

const notNegative = 0x7fffffff;
const notZero = 1;

/** Ids are no secrets, so those that are still to be handed out may lie in memory. */
export class RandomIds {
  readonly #ids = new BigUint64Array(idsAtOnce);
  readonly #halves = new Uint32Array(this.#ids.buffer);
  #next = idsAtOnce;

  /** A positive number of 63 bits, never 0, of which 60 bits are left to chance. */
  next(): bigint {
    if (this.#next === idsAtOnce) this.#fill();
    return this.#ids[this.#next++]!;
  }

  /** Both halves are treated alike, so that it does not matter which comes first. Each step with bigints would make another. */
  #fill(): void {
    randomFillSync(this.#halves);
    for (let at = 0; at < this.#halves.length; at++) this.#halves[at] = (this.#halves[at]! & notNegative) | notZero;
    this.#next = 0;
  }
}
