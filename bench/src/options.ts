/**
 * The command line of `npm run bench`: what it may say, and which workloads that chooses.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./paths.js";
import type { Workload } from "./workload.js";

/** A wrong argument, in words for who gave it. */
export class UsageError extends Error {}

/** What `--help` prints. */
export const usage = `usage: npm run bench -- [options]

Holdfast and etcd side by side on this machine: the same loads on each in turn, one row per workload as it completes.

  --only TEXT[,TEXT...]   these groups, and workloads whose names contain the text
  --quick                 small sizes, few and short rounds: a first look
  --full                  also what takes minutes, and more and longer rounds
  --rounds N              rounds per workload and server (default 3; quick 2, full 5; other runs have their own)
  --seconds N             length of a round where the workload can choose it (default 1.5; quick 0.5, full 3)
  --servers NAME[,NAME]   etcd, holdfast (default both)
  --dir FOLDER            where the data goes: a folder on a real disk (default .cache)
  --json FILE             writes every sample as well
  --no-build              takes what is built as it is
  --list                  the workloads and their goals
  --help                  this

Other runs, with the options above where they apply (docs/performance.md):
  --growth                what an operation costs as keys, watchers, connections, waiters and history grow; --only takes
                          names of axes, e.g. keys,waiters; --full adds the largest sizes
  --overload              far more load than the machine can serve: memory must stay bounded, an honest client be served
  --guard                 compares what a few hot paths cost with the last record; --record makes the record
  --results FOLDER        where --growth and --guard keep their figures (default bench/results; quick .results/bench)

In the names of workloads 10×100 is connections × calls in flight on each; of keep-alive, streams × leases on each.

Needs an etcd (npm run peers, or ETCD_BIN), and for some workloads h2load (Debian's nghttp2-client); says what is missing.
BENCH_HOLDFAST=.../packages/holdfast/dist/main.js measures another build of Holdfast.
The exit code is 1 if something failed, of --overload also if a bound did not hold, of --guard if a path has become dearer;
2 for a wrong argument, of --guard also if there is no record to compare with. A goal that is missed is no failure.`;

/** What `npm run bench` can do: the table, unless another run is asked for. */
export type Kind = "table" | "growth" | "overload" | "guard";

const serverNames = ["etcd", "holdfast"] as const;

/** A command line, understood. */
export interface Options {
  readonly kind: Kind;
  /** Of a guard: its figures become the record. */
  readonly isRecord: boolean;
  /** The folder where runs of some kinds keep their figures. */
  readonly results: string;
  readonly isHelp: boolean;
  readonly isList: boolean;
  readonly isQuick: boolean;
  readonly isFull: boolean;
  /** Groups and parts of names; empty for all. */
  readonly only: readonly string[];
  readonly servers: readonly (typeof serverNames)[number][];
  readonly rounds: number;
  readonly seconds: number;
  /** The folder below which the servers' data goes. */
  readonly parent: string;
  readonly json: string | undefined;
}

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const { help: isHelp = false, list: isList = false, quick: isQuick = false, full: isFull = false } = values;
  if (isQuick && isFull) throw new UsageError("--quick and --full exclude each other");
  const kind = readKind(values);
  refuseUnused(kind, values);
  return {
    ...{ kind, isRecord: values.record === true, results: readResults(values) },
    ...{ isHelp, isList, isQuick, isFull },
    // A comma inside a number such as 10,000 is part of a name.
    only: values.only?.split(/,(?!\d{3}\b)/) ?? [],
    servers: readServers(values.servers),
    rounds: readRounds(values.rounds) ?? pick(values, ...roundCounts[kind]),
    seconds: readPositive("--seconds", values.seconds) ?? pick(values, ...roundSeconds[kind]),
    parent: resolve(values.dir ?? join(root, ".cache")),
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        list: { type: "boolean" },
        quick: { type: "boolean" },
        full: { type: "boolean" },
        only: { type: "string" },
        servers: { type: "string" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        dir: { type: "string" },
        json: { type: "string" },
        growth: { type: "boolean" },
        overload: { type: "boolean" },
        guard: { type: "boolean" },
        record: { type: "boolean" },
        results: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

/** What some kinds of runs would silently leave out. */
const unusedBy: Readonly<Record<Kind, readonly ("list" | "json" | "only")[]>> = {
  table: [],
  growth: ["list", "json"],
  overload: ["list", "json", "only"],
  guard: ["list", "json", "only"],
};

function refuseUnused(kind: Kind, values: ReturnType<typeof parse>): void {
  const unused = unusedBy[kind].filter((name) => values[name] !== undefined);
  if (unused.length > 0) throw new UsageError(`--${kind} knows no --${unused.join(" and no --")}`);
}

/** Quick, usual and full. A growth has so many rounds that each must be short. */
const roundSeconds: Readonly<Record<Kind, readonly [number, number, number]>> = {
  table: [0.5, 1.5, 3],
  growth: [0.25, 0.4, 0.8],
  overload: [4, 10, 30],
  guard: [0.5, 0.5, 0.5],
};

/** Likewise. Of a growth and a guard the cheapest round counts, so there must be several. */
const roundCounts: Readonly<Record<Kind, readonly [number, number, number]>> = {
  table: [2, 3, 5],
  growth: [2, 5, 5],
  overload: [1, 1, 1],
  guard: [4, 8, 16],
};

function readKind(values: { growth?: boolean; overload?: boolean; guard?: boolean; record?: boolean }): Kind {
  const kinds = (["growth", "overload", "guard"] as const).filter((kind) => values[kind] === true);
  if (kinds.length > 1) throw new UsageError(`--${kinds.join(" and --")} exclude each other`);
  const [kind = "table"] = kinds;
  if (values.record === true && kind !== "guard") throw new UsageError("--record belongs to --guard");
  return kind;
}

/** A first look leaves the figures of a proper run alone. */
function readResults({ results, quick }: { results?: string; quick?: boolean }): string {
  return resolve(results ?? (quick === true ? join(root, ".results", "bench") : join(root, "bench", "results")));
}

function pick<T>(sizes: { quick?: boolean; full?: boolean }, quick: T, usual: T, full: T): T {
  if (sizes.quick === true) return quick;
  return sizes.full === true ? full : usual;
}

function readServers(text: string | undefined): Options["servers"] {
  const names = text?.split(",") ?? serverNames;
  const unknown = names.filter((name) => !(serverNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new UsageError(`no server is called ${unknown.join(", ")}; there are etcd and holdfast`);
  return serverNames.filter((name) => names.includes(name));
}

function readRounds(text: string | undefined): number | undefined {
  const rounds = readPositive("--rounds", text);
  if (rounds !== undefined && !Number.isInteger(rounds)) throw new UsageError("--rounds needs a whole number");
  return rounds;
}

function readPositive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new UsageError(`${name} needs a positive number, not "${text}"`);
  return value;
}

/**
 * The workloads that were asked for. A text that is the name of a group means that group and nothing else; any other, the
 * workloads whose names contain it. What takes minutes needs `--full`.
 * @throws UsageError for a text that no workload answers to.
 */
export function chooseWorkloads(
  all: readonly Workload[],
  { only, isFull }: Pick<Options, "only" | "isFull">,
): Workload[] {
  const groups = new Set(all.map(({ group }) => group));
  const isMeant = (workload: Workload, text: string) =>
    groups.has(text) ? workload.group === text : workload.name.includes(text);
  const unknown = only.filter((text) => !all.some((workload) => isMeant(workload, text)));
  if (unknown.length > 0) {
    throw new UsageError(`no workload answers to ${unknown.join(", ")}; groups: ${[...groups].join(", ")}; see --list`);
  }
  return all
    .filter((workload) => only.length === 0 || only.some((text) => isMeant(workload, text)))
    .filter(({ isLong }) => isFull || isLong !== true);
}
