/** How many connections each peer address has, over all listeners and whatever they speak (fault-model F25). */
import { isThisMachine, placeOf } from "./place.js";

export class AddressCounts {
  /** By `placeOf` the address: who has an IPv6 network has 2 ^ 64 addresses. */
  readonly #counts = new Map<string, number>();
  readonly #max: number;
  readonly #loopbackMax: number;

  /** `max` is `connectionsPerAddressMax`, `loopbackMax` `connectionsFromLoopbackMax`; of this machine the larger one holds. */
  constructor(max: number, loopbackMax = max) {
    this.#max = max;
    this.#loopbackMax = Math.max(max, loopbackMax);
  }

  /**
   * Counts one more connection of `address`; false, and not counted, if it has enough. An empty address, which all
   * clients of a Unix socket have, has no limit: who may reach such a socket is said by its file.
   */
  admit(address: string): boolean {
    if (address === "") return true;
    const place = placeOf(address);
    const count = this.#counts.get(place) ?? 0;
    if (count >= (isThisMachine(address) ? this.#loopbackMax : this.#max)) return false;
    this.#counts.set(place, count + 1);
    return true;
  }

  /** One that was admitted is gone. */
  release(address: string): void {
    if (address === "") return;
    const place = placeOf(address);
    const left = (this.#counts.get(place) ?? 0) - 1;
    if (left > 0) this.#counts.set(place, left);
    else this.#counts.delete(place);
  }
}
