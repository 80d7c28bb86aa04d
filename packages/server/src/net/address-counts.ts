/** How many connections each peer address has, over all listeners and whatever they speak (fault-model F25). */

export class AddressCounts {
  readonly #counts = new Map<string, number>();
  readonly #max: number;

  /** `max` is `connectionsPerAddressMax`. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts one more connection of `address`; false, and not counted, if it has enough. An empty address, which all
   * clients of a Unix socket have, has no limit: who may reach such a socket is said by its file.
   */
  admit(address: string): boolean {
    if (address === "") return true;
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#max) return false;
    this.#counts.set(address, count + 1);
    return true;
  }

  /** One that was admitted is gone. */
  release(address: string): void {
    if (address === "") return;
    const left = (this.#counts.get(address) ?? 0) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }
}
