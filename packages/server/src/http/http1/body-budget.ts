/** F16: memory for the bodies of all requests, as one sum. */

export class BodyBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes reserved. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False if there is no room. */
  reserve(byteCount: number): boolean {
    if (this.#bytes + byteCount > this.#bytesMax) return false;
    this.#bytes += byteCount;
    return true;
  }

  release(byteCount: number): void {
    this.#bytes -= byteCount;
  }
}
