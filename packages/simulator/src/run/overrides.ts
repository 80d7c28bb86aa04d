/** A configuration with something left out: for replaying a failure in its smallest form, and for finding that. */
import type { RoleName } from "../clients/config.js";
import { roleNames } from "../clients/config.js";
import { type FaultName, faultNames } from "./fault-names.js";
import { configOf, type RunConfig } from "./swarm.js";

/** What is to be different from what the seed says. */
export interface Overrides {
  /** Of the seed's faults, only these. */
  readonly faults?: readonly FaultName[];
  /** These clients instead of the seed's. */
  readonly roles?: readonly RoleName[];
  readonly safetyMs?: number;
}

export function overriddenConfig(seed: number, { faults, roles, safetyMs }: Overrides): RunConfig {
  const config = configOf(seed);
  return {
    ...config,
    ...(faults === undefined ? {} : { faults: onlyThese(config.faults, faults) }),
    ...(roles === undefined ? {} : { clients: { ...config.clients, roles } }),
    ...(safetyMs === undefined ? {} : { safetyMs }),
  };
}

/** The command that runs this again. */
export function commandFor(seed: number, { faults, roles, safetyMs }: Overrides): string {
  const words = ["npm run simulate -- --seed", String(seed)];
  if (faults !== undefined) words.push("--faults", faults.length === 0 ? "none" : faults.join(","));
  if (roles !== undefined) words.push("--roles", roles.join(","));
  if (safetyMs !== undefined) words.push("--length", String(safetyMs));
  return words.join(" ");
}

/** Reads "kill,cut", or "none". Throws `RangeError` for a name that is none. */
export function parseFaults(text: string): FaultName[] {
  return text === "none" ? [] : parseNames(text, faultNames, "fault");
}

/** Reads "register,watcher". Throws `RangeError` for a name that is none. */
export function parseRoles(text: string): RoleName[] {
  return parseNames(text, roleNames, "role");
}

function parseNames<Name extends string>(text: string, known: readonly Name[], what: string): Name[] {
  return text.split(",").map((part) => {
    const name = known.find((candidate) => candidate === part);
    if (name === undefined) throw new RangeError(`there is no ${what} "${part}"; there are ${known.join(", ")}`);
    return name;
  });
}

function onlyThese(all: RunConfig["faults"], names: readonly FaultName[]): RunConfig["faults"] {
  const kept: Partial<Record<FaultName, number>> = {};
  for (const name of names) if (all[name] !== undefined) kept[name] = all[name];
  return kept;
}
