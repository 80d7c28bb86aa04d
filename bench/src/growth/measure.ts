/**
 * Measures one axis on one server program: servers of all sizes stand at the same time, and the rounds go through the sizes
 * in turn, up and down, so that whatever else the machine does meanwhile befalls all sizes alike. The cheapest round counts:
 * others on the machine, caches they share with us, code that is not compiled yet, all of it only ever adds.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "../servers/launch.js";
import { Server, type StartOptions } from "../servers/server.js";
import type { Axis, Cost, Ground, Operation, Place } from "./axis.js";
import type { Point } from "./flatness.js";

/** How it is measured. */
export interface MeasureOptions {
  readonly rounds: number;
  /** Of each round, in seconds. */
  readonly seconds: number;
  /** A folder on a real disk; it is left empty. */
  readonly folder: string;
}

/** What one operation cost on one server program. */
export interface Series {
  readonly server: Launch["name"];
  readonly operation: string;
  readonly points: readonly SeriesPoint[];
}

export interface SeriesPoint extends Point {
  /** Processor time of the server for one operation. */
  readonly processorMicroseconds: number;
  /** Wall time for one operation, of all callers together. */
  readonly elapsedMicroseconds: number;
}

/** The result on one server program; `missing` are sizes that could not be reached, and why. */
export interface AxisResult {
  readonly series: readonly Series[];
  readonly missing: readonly { readonly size: number; readonly why: string }[];
}

/** Measures these sizes, told what is done by `say`. Rejects when a round fails. */
export async function measureAxis(
  axis: Axis,
  launch: Launch,
  sizes: readonly number[],
  options: MeasureOptions,
  say: (text: string) => void,
): Promise<AxisResult> {
  const stands: Stand[] = [];
  const missing: { size: number; why: string }[] = [];
  try {
    for (const size of sizes) {
      const startMs = performance.now();
      const stand = new Stand(launch, size, join(options.folder, `${launch.name}-${axis.name}-${size}`));
      stands.push(stand);
      const why = await stand.open(axis).then(() => undefined, messageOf);
      if (why !== undefined) missing.push({ size, why });
      say(`${size} ${why ?? `in ${((performance.now() - startMs) / 1000).toFixed(1)} s`}`);
    }
    const ready = stands.filter(({ isOpen }) => isOpen);
    await playRounds(axis, ready, options);
    return { series: axis.operations.map((operation, at) => seriesOf(launch, operation, at, ready)), missing };
  } finally {
    for (const stand of stands) await stand.close();
  }
}

/** One round of each operation that does not count, since a just-in-time compiler must see the code first; then the others. */
async function playRounds(axis: Axis, stands: readonly Stand[], { rounds, seconds }: MeasureOptions): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    const inTurn = round % 2 === 0 ? stands : [...stands].reverse();
    for (let operation = 0; operation < axis.operations.length; operation += 1) {
      for (const stand of inTurn) await stand.round(operation, seconds, round > 0);
    }
  }
}

function seriesOf({ name }: Launch, operation: Operation, at: number, stands: readonly Stand[]): Series {
  const points = stands.map((stand) => pointOf(stand.size, operation, stand.costs[at] ?? []));
  return { server: name, operation: operation.name, points };
}

function pointOf(size: number, { cost }: Operation, costs: readonly Cost[]): SeriesPoint {
  const each = (of: (cost: Cost) => number) => Math.min(...costs.map((cost) => (of(cost) / cost.operations) * 1e6));
  const processorMicroseconds = each(({ serverCpuSeconds }) => serverCpuSeconds);
  const elapsedMicroseconds = each(({ seconds }) => seconds);
  const microseconds = cost === "processor" ? processorMicroseconds : elapsedMicroseconds;
  return { size, microseconds, processorMicroseconds, elapsedMicroseconds };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The servers of one size. */
class Stand implements Place {
  readonly launch: Launch;
  readonly size: number;
  /** By operation, then by round. */
  readonly costs: Cost[][] = [];
  readonly #folder: string;
  readonly #servers: Server[] = [];
  #ground: Ground | undefined;

  constructor(launch: Launch, size: number, folder: string) {
    this.launch = launch;
    this.size = size;
    this.#folder = folder;
  }

  get isOpen(): boolean {
    return this.#ground !== undefined;
  }

  async start(options: StartOptions = {}): Promise<Server> {
    const server = await Server.spawn(this.launch, join(this.#folder, `data-${this.#servers.length}`), options);
    this.#servers.push(server);
    await server.ready();
    return server;
  }

  async open(axis: Axis): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    this.#ground = await axis.open(this, this.size);
  }

  async round(operation: number, seconds: number, counts: boolean): Promise<void> {
    const round = this.#ground?.rounds[operation];
    if (round === undefined) throw new Error(`there is no operation ${operation} at ${this.size}`);
    const cost = await round(seconds);
    if (!counts) return;
    this.costs[operation] ??= [];
    this.costs[operation].push(cost);
  }

  /** Ends everything, whatever state it is in. */
  async close(): Promise<void> {
    this.#ground?.close();
    for (const server of this.#servers) await server.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
