/**
 * `npm run bench -- --growth`: what an operation costs as keys, watchers, connections, waiters and history grow. Prints
 * every cost, says what is not flat, and leaves figures and plots in the folder of results.
 */
import { readable } from "../report/figures.js";
import type { RunDescription } from "../report/json.js";
import type { Launch } from "../servers/launch.js";
import { type Axis, sizesFor } from "./axis.js";
import { flatFactorMax, judgeFlatness } from "./flatness.js";
import { type AxisResult, type MeasureOptions, measureAxis, type Series } from "./measure.js";
import { writeAxis } from "./results.js";

/** What a run of this kind needs to know. */
export interface GrowthRun extends MeasureOptions {
  readonly axes: readonly Axis[];
  readonly launches: readonly Launch[];
  readonly isQuick: boolean;
  readonly isFull: boolean;
  readonly description: RunDescription;
  /** Where the figures and plots go. */
  readonly results: string;
}

/** Measures the axes; resolves with the exit code: 1 when Holdfast could not be measured somewhere. Not flat is no failure. */
export async function runGrowth(run: GrowthRun): Promise<number> {
  const verdicts: string[] = [];
  let hasFailed = false;
  for (const axis of run.axes) {
    console.log(`\n${axis.name}`);
    const results: AxisResult[] = [];
    for (const launch of run.launches) {
      const result = await measureOrSay(run, axis, launch);
      results.push(result);
      if (launch.name === "Holdfast" && result.missing.length > 0) hasFailed = true;
      for (const series of result.series) verdicts.push(printSeries(axis, series));
    }
    writeAxis(run.results, run.description, axis, results);
  }
  console.log(`\n${conclusion(verdicts.filter((verdict) => verdict !== ""))}\nWritten to ${run.results}`);
  return hasFailed ? 1 : 0;
}

/** A server that fails on one axis is measured on the next one all the same. */
async function measureOrSay(run: GrowthRun, axis: Axis, launch: Launch): Promise<AxisResult> {
  const sizes = sizesFor(axis.sizes[launch.name], run);
  const say = (text: string) => console.log(`  ${launch.name}: ${text}`);
  try {
    return await measureAxis(axis, launch, sizes, run, say);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(why);
    return { series: [], missing: sizes.map((size) => ({ size, why })) };
  }
}

/** Prints one line of figures; returns what is to be said of it at the end: nothing where it is flat. */
function printSeries(axis: Axis, { server, operation, points }: Series): string {
  const { isFlat, factor, from, to } = judgeFlatness(points);
  const figures = points.map(({ size, microseconds }) => `${sizeText(size)}: ${readable(microseconds)}`);
  const verdict = isFlat ? "flat" : "not flat";
  console.log(`  ${server.padEnd(8)}  ${operation}, µs  ${figures.join("  ")}  (${verdict}, ×${readable(factor)})`);
  if (isFlat) return "";
  return `${server}, ${axis.name}, ${operation}: ×${readable(factor)} from ${sizeText(from)} to ${sizeText(to)}`;
}

function conclusion(notFlat: readonly string[]): string {
  const rule = `more than ×${flatFactorMax} the cheapest at a smaller size`;
  if (notFlat.length === 0) return `All costs are flat: none is ${rule}.`;
  return `Not flat (${rule}):\n${notFlat.map((line) => `  ${line}`).join("\n")}`;
}

function sizeText(size: number): string {
  return size.toLocaleString("en-US");
}
