/** What keeps the process busy: handles, timers, threads. */
import { createHook } from "node:async_hooks";

/** How many there are of each kind. */
export type Resources = ReadonlyMap<string, number>;

/** Requests and tasks that end by themselves. */
const passing = /Req|ConnectWrap|ShutdownWrap|WriteWrap|Immediate/;
const looksMax = 20_000;

export function activeResources(): Resources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!passing.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/**
 * The kinds of which there are more than before. Looks again for a while, because a handle that was closed is gone only
 * some turns of the event loop later; what is still there then was left behind.
 */
export async function leftBehind(before: Resources): Promise<string[]> {
  let left: string[] = [];
  for (let looks = 0; looks < looksMax; looks++) {
    left = [...activeResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
    if (left.length === 0) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return left;
}

/** Counts timers from its making on, those that do not keep the process alive included. */
export class TimerWatch {
  readonly #running = new Set<number>();
  readonly #hook = createHook({
    init: (id, type) => {
      if (type === "Timeout") this.#running.add(id);
    },
    destroy: (id) => {
      this.#running.delete(id);
    },
  }).enable();

  /** How many of them are still running, after some turns of the event loop; counts no more from then on. */
  async left(): Promise<number> {
    for (let looks = 0; looks < looksMax && this.#running.size > 0; looks++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#hook.disable();
    return this.#running.size;
  }
}
