/** What clients write and where: keys, names, values, lease ids, chosen so that mistakes with odd ones come to light (F18). */
import { type ByteString, byteStringFromText } from "@holdfast/protocol";
import type { SeededRandom } from "../world/random.js";
import type { ClientsConfig } from "./config.js";

function latin1(text: string): ByteString {
  return text as ByteString;
}

/** All below `KEYS_FROM`..`KEYS_TO`, which no lock or election touches. */
const keyPool: readonly ByteString[] = [
  latin1("k/a"),
  latin1("k/__proto__"),
  latin1("k/b\x00"),
  latin1("k/b"),
  latin1("k/\xff"),
  latin1("k/constructor"),
  latin1("k/\x00\xff\xfe"),
  byteStringFromText("k/ключ"),
  latin1("k/2"),
  latin1("k/10"),
];
const KEYS_FROM = latin1("k/");
const KEYS_TO = latin1("k0");

const lockNames: readonly ByteString[] = [latin1("lock"), latin1("__proto__"), latin1("l\x00\xff")];
const electionNames: readonly ByteString[] = [latin1("vote"), latin1("toString"), latin1("e\xff")];

/** An interval of keys, as requests have it. */
export interface Interval {
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
}

/** The one value of a call: its tag, filled up to `bytes` if that is longer. */
export function taggedValue(tag: string, bytes = 0): Uint8Array {
  return Buffer.from(tag.padEnd(bytes, "."), "latin1");
}

/** No two of them ever give the same id. */
const LEASE_RANGES: readonly ((number: bigint) => bigint)[] = [
  (number) => number,
  (number) => 2n ** 53n + number,
  (number) => 2n ** 63n - 1n - number,
  (number) => -(2n ** 63n) + number,
  (number) => -number,
];
const SERIES_LENGTH = 4;

/** Shared by all clients of a run. */
export class Supplies {
  readonly keys: readonly ByteString[];
  readonly lockNames: readonly ByteString[];
  readonly electionNames: readonly ByteString[];
  readonly #config: ClientsConfig;
  #leases = 0;
  #leaseRange = 0;

  constructor(config: ClientsConfig) {
    this.#config = config;
    this.keys = keyPool.slice(0, config.keys);
    this.lockNames = lockNames.slice(0, config.names);
    this.electionNames = electionNames.slice(0, config.names);
  }

  /** Everything that `keys` are in and names of locks and elections are not. */
  get allKeys(): Interval {
    return { key: KEYS_FROM, rangeEnd: KEYS_TO };
  }

  /** One key, some, or all. */
  interval(random: SeededRandom): Interval {
    const key = random.pick(this.keys);
    if (random.chance(0.5)) return { key, rangeEnd: latin1("") };
    if (random.chance(0.4)) return this.allKeys;
    const other = random.pick(this.keys);
    return key < other ? { key, rangeEnd: other } : { key: other, rangeEnd: `${key}\x00` as ByteString };
  }

  /** How long a value is to be: now and then longer than a sector, and half of these at the limit. */
  valueBytes(random: SeededRandom): number {
    const { longValueChance, valueBytesMax } = this.#config;
    if (random.chance(longValueChance)) return random.chance(0.5) ? valueBytesMax : random.below(valueBytesMax);
    return random.chance(0.2) ? random.below(200) : 0;
  }

  /**
   * A lease id that nobody has used. They come in short series, so that of those alive at a time some are the same once they
   * are squeezed into a double.
   */
  leaseId(random: SeededRandom): bigint {
    if (this.#leases % SERIES_LENGTH === 0) this.#leaseRange = random.below(LEASE_RANGES.length);
    this.#leases++;
    return LEASE_RANGES[this.#leaseRange]!(BigInt(this.#leases));
  }

  /** A TTL of a lease that is given up soon. */
  ttlSeconds(random: SeededRandom): number {
    return random.between(this.#config.ttlSecondsMin, this.#config.ttlSecondsMax);
  }
}
