/**
 * The one disk call that callers wait for, and where it runs: on a thread of its own (`sync-thread.ts`), or on the pool of
 * threads on which Node.js runs file calls (`pool-sync.ts`). Either way it must not wait behind other work of the process
 * (fault model F8).
 *
 * The pool has four threads, and password hashing, name lookups and compression run there as well: with 40 scrypt calls
 * running, a sync took 400 ms there instead of 0.2. Where nobody puts in more than leaves a thread free, it is the better
 * place: the answer comes back sooner (512 bytes written and synced, once a millisecond: 220 µs instead of 251, of processor
 * time 175 instead of 238), and a thread of one's own, with a JavaScript engine in it, takes 12 MB.
 */

/** Where appends are synced. `pool` is for a process in which nothing else keeps that pool busy. */
export type SyncPlace = "own thread" | "pool";

/** Syncs one file at a time. */
export interface AppendSync {
  /** Calls `done` in a later turn, once everything written to `file` is durable or that failed. */
  sync(file: number, done: (error: Error | undefined) => void): void;
  /** Ends what it needs. No sync may be in flight. */
  close(): Promise<void>;
}
