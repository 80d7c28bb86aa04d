/**
 * `npm run bench -- --guard`: whether a few hot paths have become dearer since the last record. Meant to be run before a
 * release; `--record` makes the record.
 *
 * Counting instructions would be steadier, but most virtual machines have no counters. So: processor time of the server for
 * one operation, divided by that of a calibration, over rounds that go through all paths in turn. The cheapest round of a
 * path counts, and the cheapest calibration: what others on the machine do only ever adds, up to twice as much. While a path
 * looks dearer, all rounds are played again, up to twice: what is really dearer stays so.
 */
import { join } from "node:path";
import { costOf } from "../growth/axes/ground.js";
import type { Place } from "../growth/axis.js";
import { readable } from "../report/figures.js";
import type { RunDescription } from "../report/json.js";
import type { Launch } from "../servers/launch.js";
import { Server } from "../servers/server.js";
import { Calibration } from "./calibration.js";
import { hotPaths, type OpenPath, openPath } from "./hot-paths.js";
import {
  type Comparison,
  compareCosts,
  differenceOf,
  type GuardRecord,
  type PathCost,
  readRecord,
  writeRecord,
} from "./record.js";

/** What a run of this kind needs to know. */
export interface GuardRun {
  readonly launch: Launch;
  readonly folder: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly isRecord: boolean;
  readonly results: string;
  readonly description: RunDescription;
}

/** Rounds before those that count. */
const warmUpRounds = 4;
/** How often the rounds of a run are played at most; a record is made of as many. */
const repetitionsMax = 3;

/** Exit codes. */
const exitAsRecorded = 0;
const exitDearer = 1;
const exitUnknown = 2;

function toleranceOf(path: string): number {
  return hotPaths.find(({ name }) => name === path)?.tolerance ?? 0;
}

/** Measures, then compares or records. */
export async function runGuard(run: GuardRun): Promise<number> {
  const file = join(run.results, "guard.json");
  const record = run.isRecord ? undefined : readRecord(file);
  const measured = await measure(run, record);
  return run.isRecord ? keep(run, file, measured) : compare(run, file, measured, record);
}

function keep({ description, launch }: GuardRun, file: string, { paths, calibrationMs }: Measured): number {
  const { machine, startedAt: recordedAt } = description;
  writeRecord(file, { recordedAt, version: launch.version, machine, calibrationMs, paths });
  console.log(head);
  for (const path of paths) console.log(row(path));
  console.log(`\nRecorded in ${file}`);
  return exitAsRecorded;
}

function compare(run: GuardRun, file: string, { paths }: Measured, record: GuardRecord | undefined): number {
  const comparisons = compareCosts(record ?? { paths: [] }, paths, toleranceOf);
  console.log(head);
  for (const comparison of comparisons) console.log(`${row(comparison)}   ${verdictText(comparison)}`);
  if (record === undefined) return say(`Nothing is recorded in ${file}: run the last release with --record first.`);
  const difference = differenceOf(record.machine, run.description.machine);
  if (difference !== undefined) return say(`Cannot be judged: ${difference}. Run the last release here with --record.`);
  return judge(comparisons);
}

const nameWidth = 32;

const head = `\n${"processor time of one operation".padEnd(nameWidth)}   millionths of the calibration         µs`;

function row({ name, cost, microseconds }: PathCost): string {
  return `${name.padEnd(nameWidth)}   ${readable(cost).padStart(29)}   ${readable(microseconds).padStart(8)}`;
}

function verdictText({ factor, verdict }: Comparison): string {
  return factor === undefined ? verdict : `×${readable(factor)}, ${verdict}`;
}

function say(text: string): number {
  console.log(`\n${text}`);
  return exitUnknown;
}

function judge(comparisons: readonly Comparison[]): number {
  const dearer = comparisons.filter(({ verdict }) => verdict === "dearer");
  const names = dearer.map(({ name }) => `${name} (more than ${Math.round(toleranceOf(name) * 100)} %)`);
  console.log(names.length === 0 ? "\nNo path has become dearer." : `\nDearer than recorded: ${names.join(", ")}`);
  return dearer.length === 0 ? exitAsRecorded : exitDearer;
}

interface Measured {
  readonly paths: readonly PathCost[];
  readonly calibrationMs: number;
}

async function measure(run: GuardRun, record: GuardRecord | undefined): Promise<Measured> {
  const servers: Server[] = [];
  const paths: OpenPath[] = [];
  try {
    for (const path of hotPaths) paths.push(await openPath(path, placeOf(run, servers)));
    return await repeat(new Rounds(paths), run, record);
  } finally {
    for (const { site } of paths) site.connections.close();
    for (const server of servers) await server.stop("SIGKILL");
  }
}

function placeOf({ launch, folder }: GuardRun, servers: Server[]): Place {
  return {
    launch,
    start: async (options) => {
      const server = await Server.start(launch, join(folder, `data-${servers.length}`), options);
      servers.push(server);
      return server;
    },
  };
}

/** Plays the rounds until nothing looks dearer than recorded; all repetitions for a record. */
async function repeat(all: Rounds, run: GuardRun, record: GuardRecord | undefined): Promise<Measured> {
  await all.play(warmUpRounds, run.seconds, false);
  for (let repetition = 0; repetition < repetitionsMax; repetition += 1) {
    await all.play(run.rounds, run.seconds, true);
    const isDearer = compareCosts(record ?? { paths: [] }, all.measured.paths, toleranceOf).some(
      ({ verdict }) => verdict === "dearer",
    );
    if (!run.isRecord && !isDearer) break;
  }
  return all.measured;
}

/** Rounds that go through all paths, and the cheapest of everything so far. */
class Rounds {
  readonly #paths: readonly OpenPath[];
  readonly #calibration = new Calibration();
  #calibrationSeconds = Number.POSITIVE_INFINITY;
  readonly #cheapest: number[];

  constructor(paths: readonly OpenPath[]) {
    this.#paths = paths;
    this.#cheapest = paths.map(() => Number.POSITIVE_INFINITY);
  }

  async play(rounds: number, seconds: number, counts: boolean): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      for (const [at, { site, work }] of this.#paths.entries()) {
        this.#calibrationSeconds = Math.min(this.#calibrationSeconds, this.#calibration.run());
        const { serverCpuSeconds, operations } = await costOf(site, work, seconds);
        if (counts) this.#cheapest[at] = Math.min(this.#cheapest[at]!, serverCpuSeconds / operations);
      }
    }
  }

  get measured(): Measured {
    const paths = this.#paths.map(({ name }, at) => {
      const each = this.#cheapest[at]!;
      return { name, cost: (each / this.#calibrationSeconds) * 1e6, microseconds: each * 1e6 };
    });
    return { paths, calibrationMs: this.#calibrationSeconds * 1000 };
  }
}
