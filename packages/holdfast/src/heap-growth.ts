/**
 * Lets more garbage gather between two collections. V8 begins to mark its whole heap when what is new since the last time, memory
 * outside of the heap included, is about as much as the heap holds: with 9 MiB in use, and each value and each chunk of a socket
 * outside, every 10 MiB of puts. Each time costs 5 to 8 ms of the event loop and 30 to 40 of other threads.
 *
 * So as long as little is in use, room for a fixed amount of garbage is left. Where more is in use, V8's own measure leaves
 * as much, and this does nothing.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** What may gather between two collections, about. */
const roomBytes = 64 * 1024 * 1024;
/** Below this V8's own measure may leave more. */
const leastPercent = 200;
const lookIntervalMs = 1_000;
/** What is in use without garbage is the least that was seen at so many looks. */
const looks = 10;
/** A change by less than this factor is none. */
const leastChange = 1.5;

/** By how many percent V8 shall let what is in use grow until the next collection. */
export class HeapGrowth {
  readonly #usedBytes: number[] = [];
  #percent = 0;

  /**
   * To be called once per interval with what is in use, garbage included. Returns the percentage if it is another than before;
   * 0 leaves it to V8.
   */
  look(usedBytes: number): number | undefined {
    this.#usedBytes.push(usedBytes);
    if (this.#usedBytes.length > looks) this.#usedBytes.shift();
    const percent = growthPercent(Math.min(...this.#usedBytes));
    const [less, more] = percent < this.#percent ? [percent, this.#percent] : [this.#percent, percent];
    if (more <= less * leastChange) return undefined;
    this.#percent = percent;
    return percent;
  }
}

function growthPercent(usedBytes: number): number {
  const percent = Math.round((roomBytes / usedBytes) * 100);
  return percent < leastPercent ? 0 : percent;
}

/**
 * Leaves room between collections for as long as this process lives, without keeping it alive. Begins after a second: V8
 * accepts stored code only where its flags are those that the code was made with.
 */
export function leaveRoomBetweenCollections(): void {
  const growth = new HeapGrowth();
  setInterval(() => {
    const percent = growth.look(getHeapStatistics().used_heap_size);
    if (percent !== undefined) setFlagsFromString(`--heap-growing-percent=${percent}`);
  }, lookIntervalMs).unref();
}
