/**
 * The watchers of single keys, by key. Most keys that are watched at all are watched once: with ten thousand of them each object
 * on the way to a watcher is one more wait for memory, so that one has no set of its own.
 */
import type { ByteString } from "@holdfast/protocol";
import { Watcher } from "./watcher.js";

/** Who watches one key: nobody, one watcher, or several. */
export type OnKey = Watcher | ReadonlySet<Watcher> | undefined;

export class KeyWatchers {
  readonly #byKey = new Map<ByteString, Watcher | Set<Watcher>>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  get(key: ByteString): OnKey {
    return this.#byKey.get(key);
  }

  add(watcher: Watcher): void {
    const { key } = watcher;
    const others = this.#byKey.get(key);
    if (others === undefined) this.#byKey.set(key, watcher);
    else if (others instanceof Watcher) this.#byKey.set(key, new Set([others, watcher]));
    else others.add(watcher);
  }

  remove(watcher: Watcher): void {
    const { key } = watcher;
    const found = this.#byKey.get(key);
    if (found === watcher) this.#byKey.delete(key);
    else if (found instanceof Set && found.delete(watcher) && found.size === 0) this.#byKey.delete(key);
  }
}

/** Visits them in the order in which they came. */
export function forEachWatcher(onKey: OnKey, visit: (watcher: Watcher) => void): void {
  if (onKey instanceof Watcher) visit(onKey);
  else if (onKey !== undefined) for (const watcher of onKey) visit(watcher);
}
