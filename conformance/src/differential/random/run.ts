// Random scripts: each is run on an etcd and on a Holdfast, and everything they say is compared.
//
// A seed stands for a batch of scripts that share a pair of servers, so a seed and an emphasis reproduce a failure. The
// seeds are fixed, and as many of them are tried as the time allows. A script that fails is shrunk on fresh servers.

import fc from "fast-check";
import { printable } from "../answer.js";
import { differencesOf, inWords } from "../compare.js";
import { freshServer, runBody } from "../runner.js";
import { script } from "../script.js";
import { profiles, scriptsOf } from "./arbitraries.js";
import { shrinkSteps } from "./shrink.js";
import { runSteps, type Step } from "./steps.js";

/** The rules whose requests the random scripts are made of. */
export const randomRules: readonly string[] = [
  ["KV", 13],
  ["KV", 30],
  ["TXN", 18],
  ["COMP", 6],
].flatMap(([prefix, last]) => Array.from({ length: Number(last) }, (_, index) => `${prefix}-${index + 1}`));

/** How much to run. */
export interface RandomSettings {
  readonly runs: number | undefined;
  readonly seconds: number;
  readonly seed: string | undefined;
}

/** One emphasis passes or fails as a whole. */
export interface RandomCounts {
  readonly passed: number;
  readonly failed: number;
}

const runsPerSeed = 20;
/** How long a failure may be shrunk. */
const shrinkMs = 60_000;
const newSeedMax = 2 ** 31;

type Profile = keyof typeof profiles;
type Server = Awaited<ReturnType<typeof freshServer>>;
type Pair = readonly [Server, Server];

/** Runs random scripts of every emphasis at the same time, and prints what became of them. */
export async function runRandom(settings: RandomSettings): Promise<RandomCounts> {
  const deadlineMs = performance.now() + settings.seconds * 1000;
  const names = Object.keys(profiles) as Profile[];
  const outcomes = await Promise.all(names.map((profile) => runProfile(profile, settings, deadlineMs)));
  const passed = outcomes.filter((same) => same).length;
  return { passed, failed: outcomes.length - passed };
}

async function runProfile(profile: Profile, settings: RandomSettings, deadlineMs: number): Promise<boolean> {
  let scripts = 0;
  let seed = firstSeed(settings.seed);
  do {
    const failure = await runSeed(profile, seed, settings.runs ?? runsPerSeed);
    if (failure !== undefined) {
      console.log(`DIFFERS   random ${profile}, --seed ${seed}\n${failure}`);
      return false;
    }
    scripts += settings.runs ?? runsPerSeed;
    seed += 1;
  } while (performance.now() < deadlineMs && settings.runs === undefined);
  console.log(`same      random ${profile}: ${scripts} scripts, the last with --seed ${seed - 1}`);
  return true;
}

function firstSeed(given: string | undefined): number {
  return given === "new" ? Math.floor(Math.random() * newSeedMax) : Number(given ?? 1);
}

/** Runs the scripts of one seed; returns what failed, in words. */
async function runSeed(profile: Profile, seed: number, numRuns: number): Promise<string | undefined> {
  const pair = await freshPair();
  try {
    const check = async (steps: readonly Step[]): Promise<void> => {
      const complaints = await compareOn(pair, steps);
      if (complaints.length > 0) {
        throw new Error(complaints.join("\n"));
      }
    };
    const property = fc.asyncProperty(scriptsOf(profile), check);
    const details = await fc.check(property, { seed, numRuns, endOnFailure: true });
    const failing = details.counterexample?.[0];
    return failing === undefined ? undefined : await report(failing, String(details.errorInstance));
  } finally {
    await endPair(pair);
  }
}

/** Shrinks a failing script and puts it into words. */
async function report(failing: readonly Step[], complaint: string): Promise<string> {
  let pair = await freshPair();
  let complaints: readonly string[] = [];
  const fails = async (steps: readonly Step[]): Promise<boolean> => {
    const found = await compareOn(pair, steps);
    if (found.length === 0) {
      return false;
    }
    complaints = found;
    await endPair(pair);
    pair = await freshPair();
    return true;
  };
  try {
    if (!(await fails(failing))) {
      return inLines(failing, ["this needs the scripts of the seed before it:", complaint]);
    }
    const smallest = await shrinkSteps(failing, fails, performance.now() + shrinkMs);
    return inLines(smallest, complaints);
  } finally {
    await endPair(pair);
  }
}

function inLines(steps: readonly Step[], complaints: readonly string[]): string {
  const lines = steps.map(({ call, request }) => `    ${call} ${printable(request)}`);
  return [...lines, ...complaints].map((line) => `            ${line}`).join("\n");
}

async function freshPair(): Promise<Pair> {
  return await Promise.all([freshServer("etcd"), freshServer("holdfast")]);
}

async function endPair(pair: Pair): Promise<void> {
  await Promise.all(pair.map(({ end }) => end()));
}

/** How many differences of one random script are told. */
const complaintsMax = 5;

/** What the two servers say differently, in words. */
async function compareOn([etcdServer, holdfastServer]: Pair, steps: readonly Step[]): Promise<readonly string[]> {
  const body = script("random", "random", (s) => runSteps(s, steps));
  const [etcd, holdfast] = await Promise.all([
    runBody(etcdServer.server, "etcd", body, etcdServer.fill),
    runBody(holdfastServer.server, "holdfast", body, holdfastServer.fill),
  ]);
  const differences = differencesOf(etcd.observations, holdfast.observations).map(inWords);
  const failures = [etcd.failure, holdfast.failure].filter((failure) => failure !== undefined);
  return [...failures, ...differences.slice(0, complaintsMax)];
}
