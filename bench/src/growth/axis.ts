/**
 * What an axis of growth is: one thing that a server has more and more of, and what an operation costs beside so many of
 * them. How it is measured is `measure.ts`; what is flat, `flatness.ts`.
 */
import type { Launch } from "../servers/launch.js";
import type { Server, StartOptions } from "../servers/server.js";

/** One thing that grows. */
export interface Axis {
  /** What `--only` selects, and the name of the files: `keys`. */
  readonly name: string;
  /** Under the plot: `keys in the store`. */
  readonly title: string;
  readonly operations: readonly Operation[];
  /** How many there are of it, ascending; those of an etcd are fewer where it would take minutes to get there. */
  readonly sizes: Readonly<Record<Launch["name"], Sizes>>;
  /** Starts what is needed on empty folders and brings it to the size. */
  open(place: Place, size: number): Promise<Ground>;
}

/** Sizes for a first look, those of a usual run, and what `--full` adds to these. */
export interface Sizes {
  readonly quick: readonly number[];
  readonly usual: readonly number[];
  readonly full: readonly number[];
}

/** What is done beside so many of them. */
export interface Operation {
  /** Above its plot: `range of one key`. */
  readonly name: string;
  /**
   * What is plotted and judged. `processor`: time that the server used for one operation, user and system, which depends
   * least on what else the machine does. `elapsed`: wall time for one, where waiting in turn is the point.
   */
  readonly cost: "processor" | "elapsed";
}

/** Where an axis puts its servers. */
export interface Place {
  readonly launch: Launch;
  /** Starts one on an empty folder; whoever gave the place stops it. */
  start(options?: StartOptions): Promise<Server>;
}

/** Servers of one size, ready. */
export interface Ground {
  /** One for each operation, in their order: does it for about so many seconds. */
  readonly rounds: readonly ((seconds: number) => Promise<Cost>)[];
  /** Ends connections. */
  close(): void;
}

/** What so many operations cost. */
export interface Cost {
  readonly operations: number;
  readonly seconds: number;
  readonly serverCpuSeconds: number;
}

/** The sizes to measure, which a run chooses by its flags. */
export function sizesFor(sizes: Sizes, { isQuick, isFull }: { isQuick: boolean; isFull: boolean }): readonly number[] {
  if (isQuick) return sizes.quick;
  return isFull ? [...sizes.usual, ...sizes.full] : sizes.usual;
}
