/** A configuration with something left out: for replaying a failure in its smallest form, and for finding that. */
import type { RoleName } from "../clients/config.js";
import { roleNames } from "../clients/config.js";
import { type FaultName, faultNames, haltFaults } from "./fault-names.js";
import { configOf, type RunConfig } from "./swarm.js";

/** A fault of the seed's, or one that is added. */
export type FaultChoice = FaultName | `${FaultName}=${number}`;

/** What is to be different from what the seed says. */
export interface Overrides {
  /** Of the seed's faults, only these; with a mean time between two strikes, in ms, whether the seed has it or not. */
  readonly faults?: readonly FaultChoice[];
  /** These clients instead of the seed's. */
  readonly roles?: readonly RoleName[];
  readonly safetyMs?: number;
}

export function overriddenConfig(seed: number, { faults, roles, safetyMs }: Overrides): RunConfig {
  const config = configOf(seed);
  const isToHalt = faults?.some((choice) => haltFaults.includes(faultOf(choice)) && choice.includes("="));
  return {
    ...config,
    ...(isToHalt ? { expected: "halt" } : {}),
    ...(faults === undefined ? {} : { faults: onlyThese(config.faults, faults) }),
    ...(roles === undefined ? {} : { clients: { ...config.clients, roles } }),
    ...(safetyMs === undefined ? {} : { safetyMs }),
  };
}

/** The command that runs this again, with that planted bug if there was one. */
export function commandFor(seed: number, { faults, roles, safetyMs }: Overrides, planted?: string): string {
  const words = ["npm run simulate -- --seed", String(seed)];
  if (planted !== undefined) words.push("--planted", planted);
  if (faults !== undefined) words.push("--faults", faults.length === 0 ? "none" : faults.join(","));
  if (roles !== undefined) words.push("--roles", roles.join(","));
  if (safetyMs !== undefined) words.push("--length", String(safetyMs));
  return words.join(" ");
}

/** Reads "kill,cut=2000", or "none". Throws `RangeError` for what it does not understand. */
export function parseFaults(text: string): FaultChoice[] {
  if (text === "none") return [];
  return text.split(",").map((part): FaultChoice => {
    const [, nameText = part, meanText] = /^([a-z-]+)=([1-9]\d*)$/.exec(part) ?? [];
    const [name] = parseNames(nameText, faultNames, "fault") as [FaultName];
    return meanText === undefined ? name : `${name}=${Number(meanText)}`;
  });
}

/** The fault that a choice is of. */
export function faultOf(choice: FaultChoice): FaultName {
  return choice.replace(/=.*/, "") as FaultName;
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

function onlyThese(all: RunConfig["faults"], choices: readonly FaultChoice[]): RunConfig["faults"] {
  const kept: Partial<Record<FaultName, number>> = {};
  for (const choice of choices) {
    const name = faultOf(choice);
    const meanMs = choice === name ? all[name] : Number(choice.slice(name.length + 1));
    if (meanMs !== undefined) kept[name] = meanMs;
  }
  return kept;
}
