/** What is told of a set of runs: lines for people, results for the table of faults. */
import { allChecks } from "../checks/index.js";
import { ranCount } from "./check-counts.js";
import { type FaultName, faultNames } from "./fault-names.js";
import { marks } from "./marks.js";

/** What one run comes down to; goes from process to process. */
export interface SeedSummary {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly faults: readonly FaultName[];
  readonly marks: Readonly<Record<string, number>>;
  /** What the checks looked at and what they could not: see `countsOf`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Checks that found something. */
  readonly failedChecks: readonly string[];
  /** What they found, one line each, beginning with the check. */
  readonly violations: readonly string[];
  /** What to print if it failed. */
  readonly report: string | undefined;
  /** The run did not come to an end, or took its process with it: nothing was checked. */
  readonly broken?: boolean;
}

/** One line of a results file. */
export interface Result {
  readonly title: string;
  readonly file: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly reason?: string;
}

/** Fewer runs need not reach every mark. */
const seedsForMarks = 1_000;
const file = "packages/simulator/src/run/run.ts";

/** The checks by name, with the invariants they decide. */
const checks: Readonly<Record<string, string>> = {
  C1: "I1",
  C2: "I1, I2, I3, I9",
  C3: "I2",
  C4: "I2",
  C5: "I4a, I4b, I5",
  C6: "I4c, I5",
  C7: "I6, I14",
  C8: "I7",
  C9: "I8",
  C10: "I10",
  C11: "I11",
  C12: "I12, I14",
  C13: "determinism",
  F17: "I11, F17",
  clients: "I2",
  start: "I1, I11",
};

/** Which rows of the fault model a fault of the simulation belongs to. */
const rows: Readonly<Record<FaultName, string>> = {
  kill: "F1",
  "power-cut": "F2, F3",
  "disk-crash": "F1",
  "append-crash": "F1, F3",
  "recovery-kill": "F1",
  "short-write": "F6",
  "no-space": "F6",
  "sync-error": "F7",
  "write-error": "F7",
  "slow-disk": "F8",
  "server-pause": "F13",
  "server-freeze": "F12",
  "client-pause": "F13",
  "client-kill": "F19",
  partition: "F27",
  cut: "F23",
  clog: "F27",
  "half-open": "F19",
  "slow-reader": "F20",
  "graceful-close": "F63",
  "snapshot-rot": "F5",
  "bit-rot": "F4",
};

export class Report {
  readonly #summaries: SeedSummary[] = [];

  add(summary: SeedSummary): void {
    this.#summaries.push(summary);
  }

  get failed(): number {
    return this.#summaries.filter(({ failedChecks }) => failedChecks.length > 0).length;
  }

  get passed(): number {
    return this.#summaries.length - this.failed;
  }

  /** How often each mark was reached, in all. */
  get reached(): ReadonlyMap<string, number> {
    const none = new Map<string, number>(marks.map(({ name }) => [name, 0]));
    return addUp(
      none,
      this.#summaries.map((summary) => summary.marks),
    );
  }

  /** What the checks looked at and what they could not, in all, by name. */
  get counts(): ReadonlyMap<string, number> {
    const counts = this.#summaries.map((summary) => summary.counts);
    const numberOf = (name: string): number => Number(/^C(\d+)/.exec(name)?.[1]);
    const sums = [...addUp(new Map(), counts)];
    return new Map(sums.sort(([left], [right]) => numberOf(left) - numberOf(right) || (left < right ? -1 : 1)));
  }

  /** The first run in which a check found something; one that merely broke off has found nothing. */
  get found(): SeedSummary | undefined {
    return this.#summaries.find(({ failedChecks, broken }) => failedChecks.length > 0 && broken !== true);
  }

  get steps(): number {
    return this.#summaries.reduce((sum, { steps }) => sum + steps, 0);
  }

  get virtualHours(): number {
    return this.#summaries.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 3_600_000;
  }

  results(): Result[] {
    return [...this.#checkResults(), ...this.#faultResults(), ...this.#markResults()];
  }

  #checkResults(): Result[] {
    const { counts } = this;
    return Object.entries(checks).map(([check, invariants]) => {
      const failing = this.#summaries.filter(({ failedChecks }) => failedChecks.includes(check));
      const title = `${invariants}, ${check}: no violation in any seed`;
      if (failing.length > 0) {
        return { title, file, result: "failed", reason: `seeds ${failing.map(({ seed }) => seed).join(", ")}` };
      }
      const neverRan = check in allChecks && counts.get(ranCount(check)) === undefined;
      if (neverRan) return { title, file, result: "skipped", reason: "no seed had anything for it to look at" };
      return { title, file, result: "passed" };
    });
  }

  #faultResults(): Result[] {
    return faultNames.map((name) => {
      const having = this.#summaries.filter(({ faults }) => faults.includes(name));
      const failing = having.filter(({ failedChecks }) => failedChecks.length > 0);
      const title = `${rows[name]}: simulated runs with ${name} violate nothing`;
      if (having.length === 0) return { title, file, result: "skipped", reason: "no seed had it" };
      if (failing.length === 0) return { title, file, result: "passed" };
      return { title, file, result: "failed", reason: `seeds ${failing.map(({ seed }) => seed).join(", ")}` };
    });
  }

  #markResults(): Result[] {
    const { reached } = this;
    return marks.map(({ name, means }) => {
      const title = `SIM ${name}: ${means}`;
      if ((reached.get(name) ?? 0) > 0) return { title, file, result: "passed" };
      const seeds = this.#summaries.length;
      if (seeds >= seedsForMarks) return { title, file, result: "failed", reason: `not reached by ${seeds} seeds` };
      return { title, file, result: "skipped", reason: `not reached; only ${seeds} seeds were run` };
    });
  }
}

/** Adds to `sums` and returns it. */
function addUp(
  sums: Map<string, number>,
  all: readonly Readonly<Record<string, number>>[],
): ReadonlyMap<string, number> {
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}
