/**
 * The log of a real server, as the simulator's checks want it: which entries there are and when the server was told that each
 * is stored. The entries come from a copy of the data folder, read whenever no server runs; the times from the server itself
 * (log-tap.mjs), on the clock that all processes of a machine share.
 */
import { existsSync } from "node:fs";
import { cp, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { History, Life, Moment, StateDigest, StoredEntry } from "@holdfast/simulator";
import type { ServerOptions } from "../server-process.js";
import { digestOfEntries, type FolderContents, readDataFolder } from "./data-folder.js";

const tap = fileURLToPath(new URL("../../log-tap.mjs", import.meta.url));
/** Two numbers: the index, and milliseconds of the monotonic clock. */
const toldBytes = 16;

/** When a server was told of each entry, by index, in milliseconds of the monotonic clock. */
export type Told = ReadonlyMap<number, number>;

/** What the checks want to know of the log. */
export type LogHistory = Required<
  Pick<History, "entries" | "finalEntries" | "finalFirstIndex" | "logContradictions" | "digests">
>;

/** All that the lives of a server stored, life by life. */
export class ObservedLog {
  readonly #folder: string;
  readonly #momentAt: (monotonicMs: number) => Moment;
  readonly #byIndex = new Map<number, StoredEntry>();
  readonly #contradictions: string[] = [];
  readonly #digests: StateDigest[] = [];
  readonly #snapshots = new Set<number>();
  #finalFirstIndex = 1;
  #finalEntries: readonly StoredEntry[] = [];

  /** `folder` is for its own files; `momentAt` places a time of the monotonic clock among the moments of the history. */
  constructor(folder: string, momentAt: (monotonicMs: number) => Moment) {
    this.#folder = folder;
    this.#momentAt = momentAt;
  }

  /** `options`, with what makes the server of that life tell of its log. */
  tapped(life: number, options: ServerOptions): ServerOptions {
    return {
      ...options,
      nodeArgs: [...(options.nodeArgs ?? []), "--import", tap],
      isWatched: true,
      env: { ...options.env, FAULTS_LOG_TAP: this.#tapFile(life) },
    };
  }

  /** Reads what a life has left. Only when it has ended, and before another one begins. */
  async read(life: Life, dataDir: string): Promise<void> {
    const told = await readTold(this.#tapFile(life.number));
    try {
      const contents = await this.#contents(dataDir);
      if (contents !== undefined) this.take(life, told, contents);
    } catch (error) {
      this.#contradictions.push(`after life ${life.number} the log cannot be read: ${String(error)}`);
    }
  }

  /** Takes down what a life has left, and notes what contradicts what lives were told before. */
  take(life: Life, told: Told, contents: FolderContents): void {
    const { firstIndex, entries } = contents;
    const end = endOf(life);
    this.#finalEntries = entries.map((entry) => {
      const toldMs = told.get(entry.index);
      // If nobody was told of it, it came about by the end.
      const at = toldMs === undefined ? end : this.#momentAt(toldMs);
      return { ...entry, at: this.#add({ ...entry, at }, life) };
    });
    for (const index of told.keys()) {
      if (!this.#byIndex.has(index) && index < firstIndex)
        this.#contradictions.push(`entry ${index} of life ${life.number} was discarded before anybody read it`);
      else if (!this.#byIndex.has(index))
        this.#contradictions.push(`entry ${index} was stored in life ${life.number} and is not in the log behind it`);
    }
    this.#finalFirstIndex = firstIndex;
    this.#noteState(life, contents);
  }

  /** How many snapshots there have been behind one life or another. */
  get snapshotsCount(): number {
    return this.#snapshots.size;
  }

  /** What is known so far; the final log is the one that was read last. */
  history(): LogHistory {
    const entries = this.#entries();
    return {
      entries,
      finalEntries: this.#finalEntries,
      finalFirstIndex: this.#finalFirstIndex,
      logContradictions: this.#contradictions,
      digests: this.#digests,
    };
  }

  /** Two digests at one place: as the life left the state, and, told as that of life 0, as the entries make it. */
  #noteState({ number }: Life, { entries, snapshotIndex, digest }: FolderContents): void {
    if (snapshotIndex !== undefined) this.#snapshots.add(snapshotIndex);
    const index = Math.max(snapshotIndex ?? 0, entries.at(-1)?.index ?? 0);
    const known = this.#entries().filter((entry) => entry.index <= index);
    this.#digests.push({ life: 0, index, digest: digestOfEntries(known) }, { life: number, index, digest });
  }

  #entries(): StoredEntry[] {
    return [...this.#byIndex.values()].sort((left, right) => left.index - right.index);
  }

  /** @returns when the entry was first known to be stored. */
  #add(entry: StoredEntry, { number }: Life): Moment {
    const { index, epoch, payload } = entry;
    const known = this.#byIndex.get(index);
    if (known === undefined) this.#byIndex.set(index, entry);
    else if (known.epoch !== epoch || Buffer.compare(known.payload, payload) !== 0)
      this.#contradictions.push(
        `entry ${index} is of epoch ${epoch} after life ${number}, with other bytes than before`,
      );
    return known?.at ?? entry.at;
  }

  #tapFile(life: number): string {
    return `${this.#folder}/told-${life}`;
  }

  /** Of a copy, since opening a log puts right what is torn: that is for the next life to do. */
  async #contents(dataDir: string): Promise<FolderContents | undefined> {
    const copy = `${this.#folder}/read`;
    if (!existsSync(dataDir)) return undefined;
    await cp(dataDir, copy, { recursive: true });
    try {
      return await readDataFolder(copy);
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  }
}

/** A server that was killed before it came so far has no such file. */
async function readTold(file: string): Promise<Told> {
  const told = new Map<number, number>();
  if (!existsSync(file)) return told;
  const bytes = await readFile(file);
  for (let at = 0; at + toldBytes <= bytes.length; at += toldBytes) {
    told.set(bytes.readDoubleLE(at), bytes.readDoubleLE(at + 8));
  }
  return told;
}

/** Just before a life's end, within it. */
function endOf({ number, ended }: Life): Moment {
  if (ended === undefined) throw new Error(`life ${number} has not ended`);
  return { ms: ended.ms, order: ended.order - 0.5 };
}
