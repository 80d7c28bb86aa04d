// Where the observations of two runs differ, and whether a script's declared divergences explain it.

import { brief, type Expected, matches } from "./answer.js";
import { type Masked, Roughly } from "./masks.js";
import type { Observation } from "./recorder.js";

/** A place where the two servers said different things. */
export interface Difference {
  /** The observation's name, then the fields down to the value: `waiter.status`. */
  readonly path: string;
  readonly etcd: Masked;
  readonly holdfast: Masked;
}

/** A difference that is meant: its row in docs/divergence.md, where it shows, and what exactly each server says there. */
export interface Divergence {
  /** A rule number that the first column of docs/divergence.md names. */
  readonly row: string;
  /** The path of the value; differences below it belong to it. */
  readonly at: string;
  readonly etcd: Expected;
  readonly holdfast: Expected;
}

/** Every difference, in the order of the script. */
export function differencesOf(etcd: readonly Observation[], holdfast: readonly Observation[]): readonly Difference[] {
  const found: Difference[] = [];
  collect(found, "", byName(etcd), byName(holdfast));
  return found;
}

/** What is left unexplained, as lines for a person; empty when the divergences explain everything, and all occur. */
export function unexplained(
  etcd: readonly Observation[],
  holdfast: readonly Observation[],
  divergences: readonly Divergence[],
): readonly string[] {
  const differences = differencesOf(etcd, holdfast);
  const strangers = differences.filter(({ path }) => !divergences.some(({ at }) => isWithin(path, at)));
  return [
    ...strangers.map(inWords),
    ...divergences.flatMap((divergence) => complaintsAbout(divergence, differences, byName(etcd), byName(holdfast))),
  ];
}

function complaintsAbout(
  { row, at, etcd, holdfast }: Divergence,
  differences: readonly Difference[],
  etcdSays: Masked,
  holdfastSays: Masked,
): readonly string[] {
  if (!differences.some(({ path }) => isWithin(path, at))) {
    return [`the divergence ${row} at ${at} does not occur any more`];
  }
  const sides = [
    { server: "etcd", says: valueAt(etcdSays, at), declared: etcd },
    { server: "Holdfast", says: valueAt(holdfastSays, at), declared: holdfast },
  ];
  return sides
    .filter(({ says, declared }) => !matches(says, declared))
    .map(({ server, says, declared }) => `${row} at ${at}: ${server} says ${brief(says)}, not ${brief(declared)}`);
}

function byName(observations: readonly Observation[]): Masked {
  return Object.fromEntries(observations.map(({ name, value }) => [name, value]));
}

function isWithin(path: string, at: string): boolean {
  return path === at || path.startsWith(`${at}.`);
}

/** The value at a path; the names of observations may hold dots and spaces, so the longest fitting step is taken. */
function valueAt(value: Masked, path: string): Masked {
  if (path === "") {
    return value;
  }
  if (typeof value !== "object" || value === null || value instanceof Roughly) {
    return undefined;
  }
  for (const [step, item] of Object.entries(value)) {
    if (isWithin(path, step)) {
      return valueAt(item as Masked, path.slice(step.length + 1));
    }
  }
  return undefined;
}

function collect(found: Difference[], path: string, etcd: Masked, holdfast: Masked): void {
  if (etcd instanceof Roughly ? etcd.equals(holdfast) : Object.is(etcd, holdfast)) {
    return;
  }
  if (!isPlainObject(etcd) || !isPlainObject(holdfast)) {
    found.push({ path, etcd, holdfast });
    return;
  }
  for (const step of new Set([...Object.keys(etcd), ...Object.keys(holdfast)])) {
    const below = path === "" ? step : `${path}.${step}`;
    collect(found, below, etcd[step], holdfast[step]);
  }
}

/** Objects and lists; the items of a list are fields called 0, 1 and so on. */
function isPlainObject(value: Masked): value is { readonly [field: string]: Masked } {
  return typeof value === "object" && value !== null && !(value instanceof Roughly);
}

/** One difference as a line. */
export function inWords({ path, etcd, holdfast }: Difference): string {
  return `${path}: etcd says ${brief(etcd)}, Holdfast says ${brief(holdfast)}`;
}
