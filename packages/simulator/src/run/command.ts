/** Reads the command line of `npm run simulate`. */
import { type Overrides, parseFaults, parseRoles } from "./overrides.js";

export interface SimulateCommand {
  readonly help: boolean;
  /** Seeds `from` to `from + seeds - 1`. */
  readonly from: number;
  readonly seeds: number;
  /** Goes on with further seeds until so much real time has passed; undefined: runs `seeds` of them. */
  readonly seconds: number | undefined;
  readonly jobs: number;
  readonly describe: boolean;
  readonly shrink: boolean;
  readonly trace: boolean;
  /** Stops at the first seed that fails. */
  readonly firstFailure: boolean;
  /** A planted bug, by name: the run is to find it. */
  readonly planted: string | undefined;
  readonly overrides: Overrides;
}

export const usage = `Usage: npm run simulate -- [options]
Runs the server in a simulated world, from seeds, and checks what came of it.

  --seeds N        how many seeds (default 100)
  --from N         the first of them (default 1)
  --seed N         this one only
  --seconds N      as many seeds as N seconds take
  --jobs N         processes at the same time (default: the number of cores)
  --describe       only prints what each seed's run would be like
  --shrink         makes a failure smaller: leaves out faults, clients and time while it still fails
  --trace          prints every event that is worth a line
  --first-failure  stops at the first seed that fails
  --planted NAME   with this planted bug; stops at the first seed that finds it
  --faults A,B=MS  of the seed's faults only these; one with a mean time between its strikes even if the seed
                   does not have it; or "none"
  --roles A,B      these clients instead of the seed's
  --length MS      virtual length of the phase with faults`;

const numberFlags = ["seeds", "from", "seed", "seconds", "jobs", "length"] as const;
const textFlags = ["planted", "faults", "roles"] as const;
const plainFlags = ["describe", "shrink", "trace", "first-failure", "help"] as const;

/** Throws `RangeError` for what it does not understand. */
export function parseCommand(words: readonly string[], cores: number): SimulateCommand {
  const { numbers, texts, plain } = sorted(words);
  const seed = numbers.get("seed");
  const faults = texts.get("faults");
  const roles = texts.get("roles");
  const safetyMs = numbers.get("length");
  return {
    help: plain.has("help"),
    from: seed ?? numbers.get("from") ?? 1,
    seeds: seed === undefined ? (numbers.get("seeds") ?? 100) : 1,
    seconds: numbers.get("seconds"),
    jobs: Math.max(1, numbers.get("jobs") ?? cores),
    describe: plain.has("describe"),
    shrink: plain.has("shrink"),
    trace: plain.has("trace"),
    firstFailure: plain.has("first-failure") || texts.has("planted"),
    planted: texts.get("planted"),
    overrides: {
      ...(faults === undefined ? {} : { faults: parseFaults(faults) }),
      ...(roles === undefined ? {} : { roles: parseRoles(roles) }),
      ...(safetyMs === undefined ? {} : { safetyMs }),
    },
  };
}

interface SortedWords {
  readonly numbers: Map<string, number>;
  readonly texts: Map<string, string>;
  readonly plain: Set<string>;
}

function sorted(words: readonly string[]): SortedWords {
  const result: SortedWords = { numbers: new Map(), texts: new Map(), plain: new Set() };
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const name = word.replace(/^--/, "");
    if (isOf(plainFlags, name)) result.plain.add(name);
    else if (isOf(numberFlags, name)) result.numbers.set(name, wholeNumber(word, left.shift()));
    else if (isOf(textFlags, name)) result.texts.set(name, present(word, left.shift()));
    else throw new RangeError(`unknown option ${word}`);
  }
  return result;
}

function isOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}

function present(option: string, value: string | undefined): string {
  if (value === undefined) throw new RangeError(`${option} needs a value`);
  return value;
}

function wholeNumber(option: string, value: string | undefined): number {
  if (value === undefined || !/^\d+$/.test(value)) throw new RangeError(`${option} needs a whole number`);
  return Number(value);
}
