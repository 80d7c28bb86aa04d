/**
 * The only door through which time and chance enter the replica. The composition root hands in the
 * real ones, a test or the simulator its own; nothing else in this package may ask what time it is.
 */

export interface Environment {
  /** A monotonic clock in milliseconds. It may stand still; it never runs backwards. */
  nowMs(): number;
  /** Calls `tick` about every `intervalMs` until the returned function is called. */
  every(intervalMs: number, tick: () => void): () => void;
  /** Runs `task` soon, after the input that is already waiting has been read. */
  defer(task: () => void): void;
  /** A random non-zero positive 63-bit number (LEASE-1). */
  randomId(): bigint;
}
