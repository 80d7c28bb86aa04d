/**
 * The table that a run prints: one row per workload, printed as soon as it is measured, so the widths of its columns are
 * chosen beforehand. The lines are Markdown.
 */
import type { Launch } from "../servers/launch.js";
import type { Workload } from "../workload.js";
import { readable } from "./figures.js";
import { goalText, isReached, type Measured, type Medians, mediansOf, type Outcome, ratioOf } from "./summary.js";

/** A column: its title, the least width of its cells, and what stands in it. */
interface Column {
  readonly title: string;
  readonly width: number;
  cell(measured: Measured): string;
}

/** Formats the rows of a run. */
export class ResultTable {
  readonly #columns: readonly Column[];

  /** `workloads`: all that will get a row; `names`: the servers that are measured. */
  constructor(workloads: readonly Workload[], names: readonly Launch["name"][]) {
    const nameWidth = Math.max(...workloads.map(({ name }) => name.length), "workload".length);
    const unitWidth = Math.max(...workloads.map(({ unit }) => unit.length), "unit".length);
    this.#columns = [
      { title: "workload", width: nameWidth, cell: ({ workload }) => workload.name },
      { title: "unit", width: unitWidth, cell: ({ workload }) => workload.unit },
      ...names.map((name) => serverColumn(name, name, 9, figureCell)),
      ...(names.length === 2 ? [{ title: "ratio (min–max)", width: 18, cell: ratioCell }] : []),
      { title: "goal", width: 6, cell: ({ workload }) => goalText(workload.goal) },
      { title: "reached", width: 7, cell: reachedCell },
      ...names.map((name) => serverColumn(name, `${name} p50 / p99 ms`, 13, latencyCell)),
      ...names.map((name) =>
        serverColumn(name, `${name} CPU s/M`, 7, (medians) => readable(medians.serverCpuSecondsPerMillion)),
      ),
      { title: `driver CPU s/M (${names.join(" / ")})`, width: 13, cell: driverCell },
      ...names.map((name) => ({
        title: `${name} peak MiB`,
        width: 6,
        cell: ({ servers }: Measured) => readable(servers.find((server) => server.name === name)?.peakMiB),
      })),
      { title: "longest turn ms", width: 6, cell: turnCell },
    ];
  }

  /** The two lines on top. */
  head(): string {
    const rule = this.#columns.map((column, at) => (at < 2 ? "-".repeat(widthOf(column)) : ruled(widthOf(column))));
    return `${this.#line(this.#columns.map(({ title }) => title))}\n| ${rule.join(" | ")} |`;
  }

  /** One workload: its figures, or why there are none. */
  row(outcome: Outcome): string {
    if ("servers" in outcome) return this.#line(this.#columns.map((column) => column.cell(outcome)));
    const words = "skipped" in outcome ? `skipped: ${outcome.skipped}` : `FAILED: ${outcome.failed}`;
    const blanks = this.#columns.slice(3).map(() => "");
    return this.#line([outcome.workload.name, outcome.workload.unit, words.replaceAll(/\s+/g, " "), ...blanks]);
  }

  #line(cells: readonly string[]): string {
    const padded = cells.map((cell, at) => {
      const width = widthOf(this.#columns[at]);
      return at < 2 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(" | ")} |`;
  }
}

function widthOf(column: Column | undefined): number {
  return Math.max(column?.width ?? 0, column?.title.length ?? 0);
}

function ruled(width: number): string {
  return `${"-".repeat(width - 1)}:`;
}

function serverColumn(name: Launch["name"], title: string, width: number, cell: (medians: Medians) => string): Column {
  return {
    title,
    width,
    cell: ({ servers }) => {
      const rounds = servers.find((server) => server.name === name);
      return rounds === undefined ? "-" : cell(mediansOf(rounds));
    },
  };
}

function figureCell({ figure }: Medians): string {
  return figure === 0 ? "stalled" : readable(figure);
}

function latencyCell({ p50Ms, p99Ms }: Medians): string {
  return Number.isNaN(p50Ms) && Number.isNaN(p99Ms) ? "-" : `${readable(p50Ms)} / ${readable(p99Ms)}`;
}

function ratioCell(measured: Measured): string {
  const ratio = ratioOf(measured);
  if (ratio === undefined) return "-";
  return `${readable(ratio.median)} (${readable(ratio.least)}–${readable(ratio.greatest)})`;
}

function reachedCell(measured: Measured): string {
  const reached = isReached(measured);
  if (reached === undefined) return "-";
  return reached ? "yes" : "NO";
}

function driverCell({ servers }: Measured): string {
  return servers.map((rounds) => readable(mediansOf(rounds).driverCpuSecondsPerMillion)).join(" / ");
}

function turnCell({ servers }: Measured): string {
  const ours = servers.find(({ name }) => name === "Holdfast");
  return ours === undefined ? "-" : readable(mediansOf(ours).longestTurnMs);
}

/** The lines below the table: how many workloads reach their goal, and which do not. */
export function conclusion(outcomes: readonly Outcome[]): string {
  const measured = outcomes.filter((outcome) => "servers" in outcome);
  const judged = measured.filter((outcome) => isReached(outcome) !== undefined);
  const missed = judged.filter((outcome) => isReached(outcome) === false);
  const reached = judged.length - missed.length;
  const first =
    judged.length === 0 ? "no goal could be judged" : `${reached} of ${judged.length} workloads reach their goal`;
  const lines = [first];
  for (const outcome of missed) lines.push(`  missed: ${outcome.workload.name} (${missedBy(outcome)})`);
  for (const outcome of outcomes) {
    if ("skipped" in outcome) lines.push(`  skipped: ${outcome.workload.name} (${outcome.skipped})`);
    if ("failed" in outcome) lines.push(`  FAILED: ${outcome.workload.name} (${outcome.failed.trim()})`);
  }
  return lines.join("\n");
}

function missedBy(measured: Measured): string {
  const { goal } = measured.workload;
  const ours = goal.isOfOwnFigure === true ? figureOfHoldfast(measured) : ratioOf(measured)?.median;
  const turn = goal.longestTurnMsMax === undefined ? "" : `, longest turn ${turnCell(measured)} ms`;
  return `${readable(ours)}${turn}; goal ${goalText(goal)}`;
}

function figureOfHoldfast({ servers }: Measured): number | undefined {
  const ours = servers.find(({ name }) => name === "Holdfast");
  return ours && mediansOf(ours).figure;
}
