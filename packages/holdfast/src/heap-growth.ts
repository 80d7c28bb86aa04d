/**
 * Lets more garbage gather between two collections. V8 begins to mark its whole heap when what is new since the last time, memory
 * outside of the heap included, is about as much as the heap holds: with 9 MiB in use, and each value and each chunk of a socket
 * outside, every 10 MiB of puts. Each time costs 5 to 8 ms of the event loop and 30 to 40 of other threads.
 *
 * So as long as little is in use, room for a fixed amount of garbage is left. Where more is in use, V8's own measure leaves
 * as much, and this does nothing.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** What may gather between two collections. */
const roomBytes = 64 * 1024 * 1024;
/** Changed in steps of this, so that it is rarely changed. */
const stepPercent = 50;
const lookIntervalMs = 1_000;

/**
 * By how many percent V8 shall let what is in use grow until the next collection; 0 leaves it to V8.
 *
 * @param usedBytes what is in use now.
 */
export function growthPercent(usedBytes: number): number {
  const percent = (roomBytes / usedBytes) * 100;
  return percent < 100 ? 0 : Math.floor(percent / stepPercent) * stepPercent;
}

/**
 * Leaves room between collections for as long as this process lives, without keeping it alive. Begins after a second: V8
 * accepts stored code only where its flags are those that the code was made with.
 */
export function leaveRoomBetweenCollections(): void {
  let current = 0;
  setInterval(() => {
    const percent = growthPercent(getHeapStatistics().used_heap_size);
    if (percent === current) return;
    current = percent;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  }, lookIntervalMs).unref();
}
