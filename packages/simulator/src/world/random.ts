/**
 * Chance from a seed. Every concern draws from a stream of its own, made by `fork`, so that a fault that is left out
 * does not reshuffle what the others do.
 */

/** FNV-1a, begun with `start`: spreads names over the states. */
function hashOf(text: string, start: number): number {
  let hash = start ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

/** Spreads every bit of `value` over the whole word. */
function mixed(value: number): number {
  let word = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** A generator of pseudo-random numbers, the same for the same seed. Of no use for secrets. */
export class SeededRandom {
  readonly #low: number;
  readonly #high: number;
  // Four words of a xorshift generator with a period of 2^128 - 1.
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any whole number; its lowest 32 bits count. @param salt further 32 bits. */
  constructor(seed: number, salt = 0) {
    this.#low = mixed(seed + 0x9e3779b9);
    this.#high = mixed(salt ^ this.#low);
    this.#a = mixed(this.#low + 1);
    this.#b = mixed(this.#high + 2);
    this.#c = mixed(this.#low + 3);
    this.#d = mixed(this.#high + 4) | 1;
  }

  /** An independent stream. It depends on the seed and the name only, not on what was drawn before. */
  fork(name: string): SeededRandom {
    return new SeededRandom(hashOf(name, this.#low), hashOf(name, this.#high));
  }

  /** 32 bits. */
  word(): number {
    const old = this.#d;
    let word = old ^ (old << 11);
    word ^= word >>> 8;
    this.#d = this.#c;
    this.#c = this.#b;
    this.#b = this.#a;
    word ^= this.#a ^ (this.#a >>> 19);
    this.#a = word >>> 0;
    return mixed(this.#a);
  }

  /** At least 0, less than 1. */
  next(): number {
    return this.word() / 2 ** 32;
  }

  /** At least 0, less than `below`, a whole number. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** At least `from`, less than `to`. */
  within(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Exponentially distributed with this mean: the time to the next of events that come at random. */
  wait(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** `items` in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let at = result.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      const item = result[at] as T;
      result[at] = result[other] as T;
      result[other] = item;
    }
    return result;
  }

  /** Fills `target` with bytes. */
  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; at++) target[at] = this.word() & 0xff;
  }

  /** 63 bits, never 0. */
  id(): bigint {
    return (((BigInt(this.word()) << 32n) | BigInt(this.word())) >> 1n) | 1n;
  }
}
