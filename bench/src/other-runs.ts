/** The runs of `npm run bench` besides the table: chooses what they measure, and hands over to them. */
import { allAxes } from "./growth/axes/all.js";
import { runGrowth } from "./growth/growth.js";
import { runGuard } from "./guard/guard.js";
import { type Options, UsageError } from "./options.js";
import { runOverload } from "./overload/overload.js";
import type { RunDescription } from "./report/json.js";
import type { Launch } from "./servers/launch.js";

/** Where a run takes place. */
export interface Stage {
  /** A folder on a real disk for data. */
  readonly folder: string;
  readonly launches: readonly Launch[];
  readonly description: RunDescription;
}

/** Runs what was asked for; resolves with the exit code. @throws UsageError (rejects) for names that nobody answers to. */
export async function runOther(options: Options, stage: Stage): Promise<number> {
  if (options.kind === "growth") return runGrowth({ ...options, ...stage, axes: chosen(allAxes, options) });
  const launch = stage.launches.find(({ name }) => name === "Holdfast");
  if (launch === undefined) throw new UsageError(`--${options.kind} is about Holdfast: --servers must name it`);
  if (options.kind === "overload") return runOverload({ ...options, ...stage, launch });
  return runGuard({ ...options, ...stage, launch });
}

/** Those whose names were given, or all. */
function chosen<Named extends { readonly name: string }>(all: readonly Named[], { only }: Options): readonly Named[] {
  const unknown = only.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    const known = all.map(({ name }) => name).join(", ");
    throw new UsageError(`there is no ${unknown.join(", ")} here; there are ${known}`);
  }
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name));
}
