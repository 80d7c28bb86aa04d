/** The log replayed through the reference model: what was true at each position. */
import { AlarmType } from "@holdfast/protocol";
import { readBatch, UnreadableEntryError } from "@holdfast/replica";
import type { LoggedCommand } from "@holdfast/state-machine";
import type { History, StoredEntry } from "../history/history.js";
import { type Applied, apply, emptyStore, type Store } from "../model/index.js";

/** One command of the log. Positions are counted over the commands of all entries, from 1. */
export interface Step extends LoggedCommand, Applied {
  readonly position: number;
  /** The entry it came in. */
  readonly entry: StoredEntry;
}

/** A run of positions, both ends included. */
export interface Positions {
  readonly first: number;
  readonly last: number;
}

export class Replay {
  /** In the order of their positions: the one at position 1 comes first. */
  readonly steps: readonly Step[];
  /** Why the log could not be replayed to its end: an entry that cannot be read, or one that the model does not know. */
  readonly unreadable: string | undefined;
  readonly unmodelled: string | undefined;
  readonly #ofRevision = new Map<number, Positions>();
  /** For each step the highest order of a moment up to it. */
  readonly #toldBy: number[] = [];

  constructor(entries: readonly StoredEntry[]) {
    const steps: Step[] = [];
    try {
      for (const entry of entries) replayEntry(entry, steps);
    } catch (error) {
      if (!(error instanceof UnreadableEntryError)) throw error;
      this.unreadable = error.message;
    }
    this.steps = steps;
    this.unmodelled = unmodelledOf(steps);
    this.#index();
  }

  get lastPosition(): number {
    return this.steps.length;
  }

  /** The state after the command at `position`; at 0 nothing has happened. */
  storeAt(position: number): Store {
    return position === 0 ? emptyStore : this.steps[position - 1]!.store;
  }

  get lastStore(): Store {
    return this.storeAt(this.lastPosition);
  }

  /** The positions after which the store has that revision; undefined if it never had. */
  positionsOf(revision: number): Positions | undefined {
    return this.#ofRevision.get(revision);
  }

  /** The last position that a server had been told to be stored before the moment of that order. */
  lastToldBefore(order: number): number {
    let low = 0;
    let high = this.#toldBy.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#toldBy[middle]! < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #index(): void {
    let told = 0;
    this.#ofRevision.set(emptyStore.revision, { first: 0, last: 0 });
    for (const { position, store, entry } of this.steps) {
      told = Math.max(told, entry.at.order);
      this.#toldBy.push(told);
      const first = this.#ofRevision.get(store.revision)?.first ?? position;
      this.#ofRevision.set(store.revision, { first, last: position });
    }
  }
}

/** Everything that is known of the log: what was observed, and behind it what the run ended with. */
export function knownEntries({ entries, finalEntries }: History): StoredEntry[] {
  const lastIndex = entries.at(-1)?.index ?? 0;
  return [...entries, ...finalEntries.filter(({ index }) => index > lastIndex)];
}

/** A log's own entries, such as the mark of an owner, have no payload. */
function replayEntry(entry: StoredEntry, steps: Step[]): void {
  if (entry.payload.length === 0) return;
  readBatch(entry.index, entry.payload, (logged) => {
    const applied = apply(steps.at(-1)?.store ?? emptyStore, logged.command);
    steps.push({ ...logged, ...applied, position: steps.length + 1, entry });
  });
}

/** Users and roles may be there; what they may do is not modelled, nor what the alarm of a corrupt store forbids. */
function unmodelledOf(steps: readonly Step[]): string | undefined {
  const isOn = steps.some(({ command }) => command.kind === "authEnable");
  if (isOn) return "authentication is on, and what it forbids is not modelled";
  const isCorrupt = steps.some(({ command }) => command.kind === "alarm" && command.alarm === AlarmType.CORRUPT);
  return isCorrupt ? "there is an alarm of a corrupt store, and what it forbids is not modelled" : undefined;
}
