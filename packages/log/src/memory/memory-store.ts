/**
 * What a memory engine remembers, apart from the engine itself, so that it survives the crash and
 * the reopening of engines: it stands where a disk stands. As long as the process lives it keeps the
 * same promises as a disk; a server without a data folder runs on it, and so do tests.
 */

import { type LogEnvironment, realEnvironment } from "../environment.js";

export interface MemoryStoreOptions {
  readonly environment?: LogEnvironment;
  /** True lets several engines be open at once, as if each ran on a machine of its own. */
  readonly shared?: boolean;
}

/** An entry handed over and not yet answered. */
interface InFlight {
  readonly index: number;
  readonly bytes: Uint8Array;
}

export class MemoryStore {
  readonly identity: string;
  readonly shared: boolean;
  /** Index of `entries[0]`. */
  firstIndex = 1;
  readonly entries: Uint8Array[] = [];
  /** Chunks by index. */
  readonly snapshots = new Map<number, readonly Uint8Array[]>();
  readonly #inFlight = new Set<InFlight>();
  #entryBytes = 0;
  #openEngines = 0;
  #life = 1;

  constructor(options: MemoryStoreOptions = {}) {
    const identity = Buffer.alloc(16);
    (options.environment ?? realEnvironment).fillRandom(identity);
    this.identity = identity.toString("hex");
    this.shared = options.shared ?? false;
  }

  /** Grows with each crash; an engine of an earlier life is dead. */
  get life(): number {
    return this.#life;
  }

  get lastIndex(): number {
    return this.firstIndex + this.entries.length - 1;
  }

  /** @returns false if an exclusive store is open already. */
  attach(): boolean {
    if (!this.shared && this.#openEngines > 0) return false;
    this.#openEngines += 1;
    return true;
  }

  detach(): void {
    this.#openEngines -= 1;
  }

  /** Takes over a copy of `bytes`; it counts only once `land` is called. */
  receive(index: number, bytes: Uint8Array): InFlight {
    const entry = { index, bytes: Uint8Array.from(bytes) };
    this.#inFlight.add(entry);
    return entry;
  }

  /** Stores an entry received earlier. @returns false if its place is taken. */
  land(entry: InFlight): boolean {
    this.#inFlight.delete(entry);
    if (entry.index !== this.lastIndex + 1) return false;
    this.entries.push(entry.bytes);
    this.#entryBytes += entry.bytes.length;
    return true;
  }

  get(index: number): Uint8Array | undefined {
    return this.entries[index - this.firstIndex];
  }

  discardBefore(keepFrom: number): void {
    const count = Math.min(keepFrom, this.lastIndex + 1) - this.firstIndex;
    if (count <= 0) return;
    for (const entry of this.entries.splice(0, count)) this.#entryBytes -= entry.length;
    this.firstIndex += count;
  }

  get bytesHeld(): number {
    let bytes = this.#entryBytes;
    for (const chunks of this.snapshots.values()) for (const chunk of chunks) bytes += chunk.length;
    return bytes;
  }

  /**
   * Ends every engine that is open as a killed process would end: without an answer to anything in
   * flight. Whether an unanswered entry made it is the caller's choice, as it is chance's on a disk.
   */
  crash(unanswered: "lost" | "kept" = "lost"): void {
    this.#life += 1;
    this.#openEngines = 0;
    const inFlight = [...this.#inFlight];
    this.#inFlight.clear();
    if (unanswered === "kept") for (const entry of inFlight) this.land(entry);
  }
}
