/**
 * The names in a log folder. Anything else found there is left alone.
 */

export const META_NAME = "meta";
export const OWNER_NAME = "owner";
const SEGMENT_PREFIX = "log-";
const SNAPSHOT_PREFIX = "snapshot-";
const CUT_PREFIX = "cut-";
/** A file still being made; it becomes real by being renamed, and is worthless before. */
const UNFINISHED_SUFFIX = ".new";
/** Enough for any index, so that names sort as numbers do. */
const DIGITS = 16;

export const SEQUENCE_MAX = 2 ** 32 - 1;

export function segmentName(sequence: number): string {
  return `${SEGMENT_PREFIX}${digits(sequence)}`;
}

export function snapshotName(index: number): string {
  return `${SNAPSHOT_PREFIX}${digits(index)}`;
}

/** Where bytes cut from a torn tail are kept. */
export function cutName(number: number): string {
  return `${CUT_PREFIX}${digits(number)}`;
}

export function unfinished(name: string): string {
  return name + UNFINISHED_SUFFIX;
}

/** What lies in a folder, sorted by number. */
export interface FolderContents {
  readonly hasMeta: boolean;
  readonly hasOwner: boolean;
  readonly segments: readonly number[];
  /** Newest last. */
  readonly snapshots: readonly number[];
  readonly cuts: readonly number[];
  /** Full names of our own unfinished files. */
  readonly leftovers: readonly string[];
}

export function sortNames(names: readonly string[]): FolderContents {
  return {
    hasMeta: names.includes(META_NAME),
    hasOwner: names.includes(OWNER_NAME),
    segments: numbersOf(names, SEGMENT_PREFIX),
    snapshots: numbersOf(names, SNAPSHOT_PREFIX),
    cuts: numbersOf(names, CUT_PREFIX),
    leftovers: names.filter(isLeftover),
  };
}

function numbersOf(names: readonly string[], prefix: string): number[] {
  const numbers = [];
  for (const name of names) {
    const number = numberOf(name, prefix);
    if (number !== undefined) numbers.push(number);
  }
  return numbers.sort((a, b) => a - b);
}

function isLeftover(name: string): boolean {
  if (!name.endsWith(UNFINISHED_SUFFIX)) return false;
  const finished = name.slice(0, -UNFINISHED_SUFFIX.length);
  if (finished === META_NAME || finished === OWNER_NAME) return true;
  return [SEGMENT_PREFIX, SNAPSHOT_PREFIX, CUT_PREFIX].some((prefix) => numberOf(finished, prefix) !== undefined);
}

function numberOf(name: string, prefix: string): number | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const number = Number(name.slice(prefix.length));
  return Number.isSafeInteger(number) && name === prefix + digits(number) ? number : undefined;
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
