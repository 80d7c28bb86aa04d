/**
 * The one call that opens a log in memory.
 */

import type { Log } from "../log.js";
import { type LogOptions, openLog } from "../owned-log.js";
import { MemoryEngine } from "./memory-engine.js";
import { MemoryStore } from "./memory-store.js";

export interface MemoryLogOptions extends LogOptions {
  /** What was remembered earlier; a new, empty store if absent. */
  readonly store?: MemoryStore;
}

/**
 * Opens a log that lives as long as its store.
 * @throws LogFolderLockedError if the store is open already and not shared.
 */
export async function openMemoryLog(options: MemoryLogOptions = {}): Promise<Log> {
  return openLog(new MemoryEngine(options.store ?? new MemoryStore(options), options), options);
}
