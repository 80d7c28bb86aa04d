/**
 * A network namespace with cables to it: a server in it is reached over addresses of its own, and each cable can be pulled,
 * which neither end is told of. Needs root; the scenario's end removes all of it.
 */
import { missingProgram, mustRun, notRoot, runCommand } from "../processes.js";
import type { ScenarioContext } from "../scenario.js";

/** Why there can be no namespaces here. */
export async function cannotMakeNamespaces(): Promise<string | undefined> {
  const missing = notRoot() ?? (await missingProgram("ip"));
  if (missing !== undefined) return missing;
  const name = `holdfast-try-${process.pid}`;
  const made = await runCommand("ip", ["netns", "add", name]);
  if (made.exitCode !== 0) return "network namespaces are not permitted here";
  const cable = await runCommand("ip", ["-n", name, "link", "add", "try0", "type", "veth", "peer", "name", "try1"]);
  await runCommand("ip", ["netns", "del", name]);
  return cable.exitCode === 0 ? undefined : "virtual cables are not permitted here";
}

/** A cable between this side and the namespace. */
export interface Cable {
  /** The address at the namespace's end. */
  readonly farAddress: string;
  /** The address at this end. */
  readonly nearAddress: string;
  pull(): Promise<void>;
  plugIn(): Promise<void>;
}

export interface Namespace {
  /** Runs a program in it: `["ip", "netns", "exec", …]`. */
  readonly wrapper: readonly string[];
  readonly cables: readonly Cable[];
}

/** Addresses for measurements of networks (RFC 2544): nobody else uses them. */
const addressesOf = (cable: number): readonly [near: string, far: string] => {
  const third = (process.pid + cable) % 256;
  return [`198.18.${third}.1`, `198.18.${third}.2`];
};

export async function makeNamespace(context: Pick<ScenarioContext, "cleanUp">, cables: number): Promise<Namespace> {
  const name = `holdfast-${process.pid}`;
  await mustRun("ip", "netns", "add", name);
  context.cleanUp(async () => {
    // Takes the far ends with it, and with them the near ones.
    await mustRun("ip", "netns", "del", name);
  });
  await mustRun("ip", "-n", name, "link", "set", "lo", "up");
  const made: Cable[] = [];
  for (let number = 0; number < cables; number++) made.push(await layCable(name, number));
  return { wrapper: ["ip", "netns", "exec", name], cables: made };
}

async function layCable(namespace: string, number: number): Promise<Cable> {
  const near = `hf${process.pid % 100_000}n${number}`;
  const far = `hf${process.pid % 100_000}f${number}`;
  const [nearAddress, farAddress] = addressesOf(number);
  await mustRun("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", namespace);
  await mustRun("ip", "addr", "add", `${nearAddress}/30`, "dev", near);
  await mustRun("ip", "-n", namespace, "addr", "add", `${farAddress}/30`, "dev", far);
  await mustRun("ip", "link", "set", near, "up");
  await mustRun("ip", "-n", namespace, "link", "set", far, "up");
  return {
    nearAddress,
    farAddress,
    pull: async () => {
      await mustRun("ip", "link", "set", near, "down");
    },
    plugIn: async () => {
      await mustRun("ip", "link", "set", near, "up");
    },
  };
}
