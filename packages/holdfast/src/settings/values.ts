/**
 * How the values of settings are written, in flags, variables and files alike: as etcd's flags have them, which are Go's.
 * Each reader throws commander's `InvalidArgumentError`, whose message completes "... is invalid".
 */
import { InvalidArgumentError } from "commander";

/** What Go's `strconv.ParseBool` takes. */
const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  TRUE: true,
  True: true,
  t: true,
  T: true,
  "1": true,
  false: false,
  FALSE: false,
  False: false,
  f: false,
  F: false,
  "0": false,
};

export function trueOrFalse(text: string): boolean {
  const value = booleans[text];
  if (value === undefined) throw new InvalidArgumentError("want true or false");
  return value;
}

export function notEmpty(text: string): string {
  if (text === "") throw new InvalidArgumentError("want a text that is not empty");
  return text;
}

/** Parts separated by commas; none of them may be empty, and there must be one. */
export function commaSeparated(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new InvalidArgumentError("want values separated by commas");
  return parts;
}

/** As `commaSeparated`, where an empty text means none. */
export function commaSeparatedOrNone(text: string): string[] {
  return text.trim() === "" ? [] : commaSeparated(text);
}

/** A reader of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`want a whole number ${range}`);
    return value;
  };
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const durationPattern = /^(?:\d+(?:\.\d*)?(?:ns|us|µs|μs|ms|s|m|h))+$/;
const durationPart = /(\d+(?:\.\d*)?)(ns|us|µs|μs|ms|s|m|h)/g;

/** A duration such as "5m" or "1h30m", in milliseconds; "0" needs no unit. */
export function durationMs(text: string): number {
  if (text === "0") return 0;
  if (!durationPattern.test(text)) throw new InvalidArgumentError('want a duration such as "300ms", "5s" or "1h30m"');
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(durationPart))
    sum += Number(amount) * (unitMs[unit as string] as number);
  return sum;
}

/** A number of nanoseconds, as durations stand in a config file of etcd; or a duration with its unit. */
export function fileDurationMs(text: string): number {
  return /^\d+$/.test(text) ? Number(text) / 1e6 : durationMs(text);
}
