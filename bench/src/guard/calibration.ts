/**
 * A fixed piece of work in JavaScript, to measure a machine with: what a server does costs so many times what this costs,
 * on a faster or a busier machine of the same kind as well. Hashing, a map and copies of buffers, in sizes that do not fit
 * into the nearest cache, as servers use them.
 *
 * Changing anything here makes every record worthless.
 */

const texts = 5_000;
const textBytes = 16;
const turns = 40;
const blockBytes = 512;
const blocks = 512;
const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/** The work, with memory of its own. */
export class Calibration {
  readonly #keys: readonly string[];
  readonly #map = new Map<string, number>();
  readonly #source = Buffer.alloc(blockBytes * blocks, 7);
  readonly #target = Buffer.alloc(blockBytes * blocks);
  /** Comes out the same every time; kept so that nothing can be left out as useless. */
  sum = 0;

  constructor() {
    this.#keys = Array.from({ length: texts }, (_, number) => String(number).padStart(textBytes, "k"));
  }

  /** Does it once; returns the processor seconds of this process that it took. */
  run(): number {
    const before = process.cpuUsage();
    this.sum = 0;
    for (let turn = 0; turn < turns; turn += 1) this.#turn(turn);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  }

  #turn(turn: number): void {
    for (const key of this.#keys) {
      const hash = hashOf(key, turn);
      this.#map.set(key, hash);
      const at = (hash >>> 0) % blocks;
      this.#source.copy(this.#target, at * blockBytes, (blocks - 1 - at) * blockBytes, (blocks - at) * blockBytes);
      this.#target[at] = hash;
    }
    for (const key of this.#keys) this.sum = (this.sum + (this.#map.get(key) ?? 0)) | 0;
  }
}

/** FNV-1a. */
function hashOf(text: string, seed: number): number {
  let hash = fnvOffset ^ seed;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), fnvPrime);
  return hash;
}
