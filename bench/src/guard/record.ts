/**
 * What is kept of a guard's run, and how a later one is compared with it. A record says something about later runs on
 * machines of the same kind only: same processor, same major version of Node.js.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Machine } from "../machine.js";

/** What one operation of a path costs. */
export interface PathCost {
  readonly name: string;
  /** Processor time of the server for one operation, in millionths of one calibration. */
  readonly cost: number;
  /** In microseconds, for readers; nothing is compared with it. */
  readonly microseconds: number;
}

/** The file `guard.json`. */
export interface GuardRecord {
  readonly recordedAt: string;
  readonly version: string;
  readonly machine: Machine;
  /** Processor milliseconds of one calibration, for readers. */
  readonly calibrationMs: number;
  readonly paths: readonly PathCost[];
}

/** One path, then and now. */
export interface Comparison extends PathCost {
  /** Cost now divided by cost then; undefined when there is no record of the path. */
  readonly factor: number | undefined;
  readonly verdict: "as recorded" | "dearer" | "cheaper" | "not recorded";
}

/** Compares costs with the recorded ones; what differs by more than its tolerance, a share, is dearer or cheaper. */
export function compareCosts(
  record: Pick<GuardRecord, "paths">,
  now: readonly PathCost[],
  toleranceOf: (name: string) => number,
): Comparison[] {
  return now.map((path) => {
    const then = record.paths.find(({ name }) => name === path.name);
    const factor = then === undefined ? undefined : path.cost / then.cost;
    return { ...path, factor, verdict: verdictOf(factor, toleranceOf(path.name)) };
  });
}

function verdictOf(factor: number | undefined, tolerance: number): Comparison["verdict"] {
  if (factor === undefined) return "not recorded";
  if (factor > 1 + tolerance) return "dearer";
  return factor < 1 / (1 + tolerance) ? "cheaper" : "as recorded";
}

/** In what the two machines differ that makes costs incomparable, as a sentence; undefined when they are of one kind. */
export function differenceOf(then: Machine, now: Machine): string | undefined {
  if (then.processor !== now.processor) return `the record is of ${then.processor}, this is ${now.processor}`;
  const [before, after] = [majorOf(then.node), majorOf(now.node)];
  return before === after ? undefined : `the record is of Node.js ${before}, this is ${after}`;
}

function majorOf(version: string): string {
  return version.replace(/\..*$/, "");
}

/** Undefined when nothing has been recorded. */
export function readRecord(path: string): GuardRecord | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as GuardRecord) : undefined;
}

export function writeRecord(path: string, record: GuardRecord): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(record, undefined, 2)}\n`);
}
