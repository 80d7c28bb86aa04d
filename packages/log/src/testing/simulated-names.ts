/**
 * The names on a simulated disk, twice: as programs see them and as the platter holds them. A name
 * that was created, renamed or removed is durable only once its folder has been synced.
 */

import { dirname } from "node:path";
import type { SimulatedFile } from "./simulated-file.js";

/** What one call does to names: all of it, or, after a power cut, nothing. Undefined takes a name away. */
type NameChange = readonly (readonly [path: string, file: SimulatedFile | undefined])[];

export class SimulatedNames {
  #seen: Map<string, SimulatedFile>;
  readonly #durable: Map<string, SimulatedFile>;
  #unsynced: NameChange[] = [];

  /** @param files durable from the start. */
  constructor(files: Iterable<readonly [string, SimulatedFile]> = []) {
    this.#durable = new Map(files);
    this.#seen = new Map(this.#durable);
  }

  get(path: string): SimulatedFile | undefined {
    return this.#seen.get(path);
  }

  entries(): IterableIterator<[string, SimulatedFile]> {
    return this.#seen.entries();
  }

  in(folder: string): string[] {
    const paths = [...this.#seen.keys()].filter((path) => dirname(path) === folder);
    return paths.map((path) => path.slice(folder.length + 1));
  }

  change(...change: NameChange): void {
    apply(change, this.#seen);
    this.#unsynced.push(change);
  }

  sync(folder: string): void {
    const isOf = (change: NameChange) => change.some(([path]) => dirname(path) === folder);
    for (const change of this.#unsynced) if (isOf(change)) apply(change, this.#durable);
    this.#unsynced = this.#unsynced.filter((change) => !isOf(change));
  }

  /** Only what was synced stays, and of the rest each change for which `survives` says so. */
  powerCut(survives: () => boolean): void {
    for (const change of this.#unsynced) if (survives()) apply(change, this.#durable);
    this.#unsynced = [];
    this.#seen = new Map(this.#durable);
  }
}

function apply(change: NameChange, names: Map<string, SimulatedFile>): void {
  for (const [path, file] of change) {
    if (file === undefined) names.delete(path);
    else names.set(path, file);
  }
}
