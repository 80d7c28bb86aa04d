/** A rolling hash over everything that happens in a run, and the last lines of what was worth a line. */

const linesKept = 400;

export class Trace {
  #low = 0x811c9dc5;
  #high = 0x01000193;
  readonly #words = new Uint32Array(2);
  readonly #time = new Float64Array(this.#words.buffer);
  readonly #lines: string[] = [];
  /** Every line there ever was, if somebody wants them. */
  onLine: ((line: string) => void) | undefined;

  step(timeMs: number, kind: number, owner: number, digest: number): void {
    this.#time[0] = timeMs;
    this.#take(this.#words[0] as number);
    this.#take(this.#words[1] as number);
    this.#take(kind * 65_536 + owner);
    this.#take(digest);
  }

  line(timeMs: number, text: string): void {
    for (let at = 0; at < text.length; at++) this.#take(text.charCodeAt(at));
    const line = `${timeMs.toFixed(3)} ${text}`;
    this.onLine?.(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * linesKept) this.#lines.splice(0, linesKept);
  }

  /** The hash so far: 16 hex digits. */
  get hash(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  #take(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#high = Math.imul(this.#high ^ (word >>> 7) ^ (this.#low >>> 15), 0x85ebca6b) + 1;
  }
}

/** So much of a message is looked at: what waits to be delivered in pieces is digested anew for each of them. */
const digestedBytesMax = 256;

/** A digest of the length and the beginning of `bytes`, for the trace. */
export function digestOfBytes(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, digestedBytesMax);
  let hash = 0x811c9dc5 ^ bytes.length;
  for (let at = 0; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}
