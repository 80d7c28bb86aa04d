/** Waiting for what tells nobody when it happens, and for time to pass; both end when the scenario does. */
import { setTimeout as timer } from "node:timers/promises";

/** How often is looked. */
const lookMs = 20;

/** Resolves after `ms`. Rejects when the scenario has ended. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await timer(ms, undefined, signal === undefined ? {} : { signal });
}

/**
 * Looks until `happened` is true. For what cannot be awaited: a file, a figure in /proc or a page.
 * @throws Error that names `what` after `secondsMax`, or when the scenario has ended.
 */
export async function until(
  what: string,
  happened: () => boolean | Promise<boolean>,
  secondsMax: number,
  signal?: AbortSignal,
): Promise<void> {
  const endMs = nowMs() + secondsMax * 1000;
  while (!(await happened())) {
    if (signal?.aborted === true) throw new Error(`the scenario ended while it waited for this: ${what}`);
    if (nowMs() > endMs) throw new Error(`within ${secondsMax} s this did not happen: ${what}`);
    await timer(lookMs);
  }
}

/** Milliseconds of the monotonic clock. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Rejects with `what` if `promise` takes longer than `secondsMax`. */
export async function within<T>(promise: Promise<T>, secondsMax: number, what: string): Promise<T> {
  const controller = new AbortController();
  const late = timer(secondsMax * 1000, undefined, { signal: controller.signal }).then(
    () => Promise.reject(new Error(`within ${secondsMax} s this did not happen: ${what}`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    controller.abort();
  }
}
