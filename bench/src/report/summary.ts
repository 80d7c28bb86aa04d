/**
 * What the rounds of one workload come to: medians of each server, the ratio of the two, and whether the goal is
 * reached.
 */
import type { Launch } from "../servers/launch.js";
import type { Goal, Sample, Workload } from "../workload.js";
import { median } from "./figures.js";

/** The rounds of one workload on one server. */
export interface ServerRounds {
  readonly name: Launch["name"];
  readonly samples: readonly Sample[];
  /** The most memory that the workload's servers held, in MiB (resident set). */
  readonly peakMiB: number;
}

/** What became of a workload. */
export type Outcome =
  | { readonly workload: Workload; readonly servers: readonly ServerRounds[] }
  /** It cannot run here, or an answer was wrong. */
  | { readonly workload: Workload; readonly skipped: string }
  | { readonly workload: Workload; readonly failed: string };

/** An outcome with figures. */
export type Measured = Extract<Outcome, { servers: unknown }>;

/** Medians over the rounds of one server. What no round has is NaN. */
export interface Medians {
  readonly figure: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly serverCpuSecondsPerMillion: number;
  readonly driverCpuSecondsPerMillion: number;
  /** The longest of all rounds, not their median. */
  readonly longestTurnMs: number;
}

/** Over the rounds: Holdfast's figure divided by etcd's. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** The figures of one server. */
export function mediansOf({ samples }: ServerRounds): Medians {
  const of = (pick: (sample: Sample) => number | undefined) =>
    median(samples.map(pick).filter((value) => value !== undefined));
  const turns = samples.map(({ longestTurnMs }) => longestTurnMs).filter((value) => value !== undefined);
  return {
    figure: of(({ figure }) => figure),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    p999Ms: of(({ p999Ms }) => p999Ms),
    serverCpuSecondsPerMillion: of((sample) => perMillion(sample.serverCpuSeconds, sample)),
    driverCpuSecondsPerMillion: of((sample) => perMillion(sample.driverCpuSeconds, sample)),
    longestTurnMs: turns.length === 0 ? Number.NaN : Math.max(...turns),
  };
}

function perMillion(seconds: number, { operations }: Sample): number | undefined {
  return operations === 0 ? undefined : (seconds / operations) * 1e6;
}

/** The median of the ratios of the rounds, which is not the ratio of the medians; undefined with one server alone. */
export function ratioOf({ servers }: Measured): Ratio | undefined {
  const [ours, theirs] = (["Holdfast", "etcd"] as const).map((name) => servers.find((server) => server.name === name));
  if (ours === undefined || theirs === undefined) return undefined;
  const all = ours.samples.map(({ figure }, round) => figure / (theirs.samples[round]?.figure ?? Number.NaN));
  return { median: median(all), least: Math.min(...all), greatest: Math.max(...all) };
}

/** Whether Holdfast reaches the goal; undefined when what it is measured by is missing. */
export function isReached(measured: Measured): boolean | undefined {
  const ours = measured.servers.find(({ name }) => name === "Holdfast");
  if (ours === undefined) return undefined;
  const { goal } = measured.workload;
  const medians = mediansOf(ours);
  if (medians.longestTurnMs > (goal.longestTurnMsMax ?? Number.POSITIVE_INFINITY)) return false;
  const value = goal.isOfOwnFigure === true ? medians.figure : ratioOf(measured)?.median;
  if (value === undefined || Number.isNaN(value)) return undefined;
  return goal.sense === "at least" ? value >= goal.ratio : value <= goal.ratio;
}

/** A goal in words: `≥ 3`, `≤ 1, turn ≤ 20 ms`. */
export function goalText({ ratio, sense, isOfOwnFigure, longestTurnMsMax }: Goal): string {
  const own = isOfOwnFigure === true ? " itself" : "";
  const turn = longestTurnMsMax === undefined ? "" : `, turn ≤ ${longestTurnMsMax} ms`;
  return `${sense === "at least" ? "≥" : "≤"} ${ratio}${own}${turn}`;
}
