/**
 * Measures one workload on all servers: each gets an empty folder, then rounds in turn. The order changes every round,
 * so that nobody always runs on the heels of the other.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Outcome, ServerRounds } from "./report/summary.js";
import type { Launch } from "./servers/launch.js";
import { Server, type StartOptions } from "./servers/server.js";
import type { Bench, Load, Sample, Workload } from "./workload.js";

/** What all workloads of a run have in common. */
export interface RunnerOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly isQuick: boolean;
  /** A folder on a real disk; each workload gets one below it, and leaves nothing there. */
  readonly folder: string;
}

/** Measures one workload. Never rejects: a workload that fails says so, and the others go on. */
export async function measureWorkload(
  workload: Workload,
  launches: readonly Launch[],
  options: RunnerOptions,
): Promise<Outcome> {
  const subjects = launches
    .filter(({ name }) => workload.isHoldfastAlone !== true || name === "Holdfast")
    .map((launch) => new Subject(workload, launch, options));
  if (subjects.length === 0) return { workload, skipped: "it is about Holdfast alone" };
  const rounds = Math.min(options.rounds, workload.roundsMax ?? options.rounds);
  try {
    for (const subject of subjects) await subject.open();
    for (let round = 0; round < rounds; round += 1) {
      for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) await subject.round();
    }
    return { workload, servers: subjects.map((subject) => subject.rounds()) };
  } catch (error) {
    return { workload, failed: error instanceof Error ? error.message : String(error) };
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

/** A workload on one server. */
class Subject implements Bench {
  readonly launch: Launch;
  readonly folder: string;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly #workload: Workload;
  readonly #servers: Server[] = [];
  readonly #samples: Sample[] = [];
  #load: Load | undefined;

  constructor(workload: Workload, launch: Launch, { folder, seconds, isQuick }: RunnerOptions) {
    this.launch = launch;
    this.folder = join(folder, launch.name);
    this.seconds = seconds;
    this.isQuick = isQuick;
    this.#workload = workload;
  }

  async start(options: StartOptions = {}): Promise<Server> {
    const server = await Server.spawn(this.launch, join(this.folder, "data"), options);
    this.#servers.push(server);
    await server.ready(options.isReady);
    return server;
  }

  async open(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    this.#load = await this.#named(() => this.#workload.open(this));
  }

  async round(): Promise<void> {
    const load = this.#load;
    if (load === undefined) throw new Error("a round before the workload was opened");
    this.#samples.push(await this.#named(() => load.round()));
  }

  rounds(): ServerRounds {
    const peakMiB = Math.max(0, ...this.#servers.map((server) => server.peakMiB()));
    return { name: this.launch.name, samples: this.#samples, peakMiB };
  }

  /** Ends everything, whatever state it is in; what the servers wrote is of no use to anybody. */
  async close(): Promise<void> {
    // What went wrong before matters more than that its connections cannot be ended in peace.
    await this.#load?.close().catch(() => {});
    for (const server of this.#servers) await server.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Says on which server something went wrong, and what it printed. */
  async #named<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const lastWords = this.#servers.at(-1)?.lastWords.trim() ?? "";
      throw new Error(`${this.launch.name}: ${message}${lastWords === "" ? "" : `\n${lastWords}`}`, { cause: error });
    }
  }
}
