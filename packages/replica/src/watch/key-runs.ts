/**
 * Which intervals a revision of very many changes touches: told by search, because such changes come in ascending runs of
 * keys, one for each delete (LEASE-11) and nested transaction.
 */
import type { ByteString } from "@holdfast/protocol";
import type { KeyVersion } from "@holdfast/state-machine";
import type { IntervalEnd } from "./interval-index.js";

export class KeyRuns {
  readonly #changes: readonly KeyVersion[];
  /** Where the runs end. */
  readonly #ends: number[] = [];

  constructor(changes: readonly KeyVersion[]) {
    this.#changes = changes;
    let before = changes[0]?.key;
    for (let at = 1; at < changes.length; at++) {
      const { key } = changes[at] as KeyVersion;
      if (before === undefined || key < before) this.#ends.push(at);
      before = key;
    }
    this.#ends.push(changes.length);
  }

  /** Whether any of the changes is in the interval. */
  touch(from: ByteString, to: IntervalEnd): boolean {
    let start = 0;
    for (const end of this.#ends) {
      const at = this.#firstFrom(from, start, end);
      if (at < end && (to === undefined || (this.#changes[at] as KeyVersion).key < to)) return true;
      start = end;
    }
    return false;
  }

  #firstFrom(key: ByteString, start: number, end: number): number {
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as KeyVersion).key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
