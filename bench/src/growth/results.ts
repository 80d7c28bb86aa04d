/** What a run leaves in the folder of results: for each axis the figures as JSON, and the plot that is drawn from them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunDescription } from "../report/json.js";
import type { Axis } from "./axis.js";
import { flatFactorMax, judgeFlatness } from "./flatness.js";
import type { AxisResult, Series } from "./measure.js";
import { drawPlot } from "./svg-plot.js";

/** Writes `growth-NAME.json` and `growth-NAME.svg`, replacing what is there. */
export function writeAxis(folder: string, run: RunDescription, axis: Axis, results: readonly AxisResult[]): void {
  mkdirSync(folder, { recursive: true });
  const series = results.flatMap((result) => result.series);
  const path = join(folder, `growth-${axis.name}`);
  writeFileSync(`${path}.json`, `${JSON.stringify(describe(run, axis, series, results), undefined, 2)}\n`);
  writeFileSync(`${path}.svg`, drawPlot(plotOf(axis, series)));
}

function describe(run: RunDescription, axis: Axis, series: readonly Series[], results: readonly AxisResult[]): object {
  return {
    ...run,
    axis: axis.name,
    title: axis.title,
    operations: axis.operations,
    flatFactorMax,
    series: series.map((one) => ({ ...one, flatness: judgeFlatness(one.points) })),
    missing: results.flatMap(({ missing }) => missing),
  };
}

/** Holdfast first: its line is what the plot is about. */
function plotOf(axis: Axis, series: readonly Series[]) {
  const inOrder = [...series].sort((a, b) => Number(a.server === "etcd") - Number(b.server === "etcd"));
  return {
    title: `One operation as there are more ${axis.name}`,
    sizeTitle: axis.title,
    panels: axis.operations.map(({ name, cost }) => ({
      title: `${name}: ${cost} time`,
      lines: inOrder
        .filter(({ operation, points }) => operation === name && points.length > 0)
        .map(({ server, points }) => ({ name: server, points })),
    })),
  };
}
