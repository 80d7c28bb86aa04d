/**
 * Who uses the pool of threads on which Node.js runs file calls, and so where the log may sync appends (fault model F8).
 *
 * Where the process is the server's alone, these are all while it serves: the sync of an append, or its direct write; the log's
 * other calls, of which `BACKGROUND_CALLS_MAX` run at once; one look at the files of certificates. Together they are as many as
 * libuv starts threads, so the sync never waits for a thread. What else Node.js would run there does not: passwords are hashed on threads of
 * their own (`access/hash-threads.ts`), compression is synchronous, names are looked up only before the server listens. A test
 * counts what enters the pool (`thread-pool.test.ts`).
 */
import { BACKGROUND_CALLS_MAX, type SyncPlace } from "@holdfast/log";

const certificateLooks = 1;
const appendSyncs = 1;
/** What may be in the pool at once. */
export const poolCallsMax = appendSyncs + BACKGROUND_CALLS_MAX + certificateLooks;
/** How many threads libuv starts where nobody says otherwise. */
const poolThreadsDefault = 4;

/** Where the log of a server syncs appends. `poolSize` is the variable UV_THREADPOOL_SIZE. */
export function syncPlace(ownsProcess: boolean, poolSize: string | undefined): SyncPlace {
  if (!ownsProcess) return "own thread";
  // As libuv reads it: digits in front, and anything else is one thread.
  const threads = poolSize === undefined ? poolThreadsDefault : Number.parseInt(poolSize, 10) || 1;
  return threads >= poolCallsMax ? "pool" : "own thread";
}
