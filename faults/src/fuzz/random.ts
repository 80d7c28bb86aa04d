/** Numbers that look random and are the same for the same seed: every input of a fuzzer can be made again from one number. */

/** A stream of numbers (the generator "mulberry32"); good enough to choose mutations, and nothing else. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring streams.
    this.#state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) >>> 0;
    this.next();
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `count - 1`; 0 if `count` is 0. */
  below(count: number): number {
    return count === 0 ? 0 : this.next() % count;
  }

  /** True once in `oneIn` times. */
  chance(oneIn: number): boolean {
    return this.next() % oneIn === 0;
  }

  /** One of `choices`, which must not be empty. */
  pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.below(choices.length)] as Choice;
  }

  /** A length of at most `most`; short ones far more often than long ones. */
  length(most: number): number {
    return this.below(1 + this.below(1 + this.below(most + 1)));
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; at++) bytes[at] = this.next();
    return bytes;
  }
}
