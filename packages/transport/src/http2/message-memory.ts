/**
 * Memory in which messages of many frames are gathered, used again for the next ones.
 *
 * New memory for each costs ten times as much as copying into what was in use before, and what is thrown away must be found by
 * the garbage collector, which marks all there is for every few tens of megabytes of it. It is for requests of methods that keep
 * nothing of them (`Method.keepsNothing`), which take it and give it back.
 */

const KIB = 1024;
/** A little more than the powers of two that values like to have, for what is around them in a message. */
const SIZES = [64, 128, 256, 512, 1024, 2048].map((kib) => (kib + 4) * KIB);
/** Smaller ones get memory of just their length. */
const LENGTH_MIN = 32 * KIB;
/** How much is kept for use anew. */
const KEPT_BYTES_MAX = 16 * 1024 * KIB;

/** One per server. */
export class MessageMemory {
  /** What is kept of each size. */
  readonly #kept: Buffer[][] = SIZES.map(() => []);
  #keptBytes = 0;

  /** How long the memory will be that `take` gives for so many bytes. */
  lengthFor(bytes: number): number {
    if (bytes < LENGTH_MIN) return bytes;
    return SIZES.find((size) => size >= bytes) ?? bytes;
  }

  /** Memory of exactly this length, which `lengthFor` has told; its content is arbitrary. */
  take(length: number): Buffer {
    const kept = this.#kept[SIZES.indexOf(length)]?.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(length);
    this.#keptBytes -= length;
    return kept;
  }

  /** Gives back the memory that `bytes` begin, to which nobody else refers. What did not come from `take` is let go. */
  giveBack(bytes: Buffer): void {
    const { buffer, byteOffset } = bytes;
    const kept = byteOffset === 0 ? this.#kept[SIZES.indexOf(buffer.byteLength)] : undefined;
    if (kept === undefined || this.#keptBytes + buffer.byteLength > KEPT_BYTES_MAX) return;
    kept.push(Buffer.from(buffer));
    this.#keptBytes += buffer.byteLength;
  }
}
