/** The only file of the simulator that touches the real world: the turns of the real event loop, and nothing of its time. */

/** Runs `task` when every promise callback and `nextTick` that is due has run. */
export function afterMicrotasks(task: () => void): void {
  setImmediate(task);
}

/**
 * Hands errors that nobody catches to `handle` until the returned function is called: in production each of them ends the
 * process (fault model F17).
 */
export function onUncaught(handle: (error: unknown) => void): () => void {
  process.on("uncaughtException", handle);
  process.on("unhandledRejection", handle);
  return () => {
    process.off("uncaughtException", handle);
    process.off("unhandledRejection", handle);
  };
}
