/**
 * F1: the server is killed again and again under a mixed load, at random moments and while it recovers, and starts on the same
 * folder each time. The history over all its lives is judged by the checks of the simulator.
 */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { maintenanceService } from "@holdfast/protocol";
import { type ClientsConfig, SeededRandom } from "@holdfast/simulator";
import { Client } from "../client.js";
import type { Scenario, ScenarioContext, Suite } from "../scenario.js";
import { nowMs, pause } from "../waiting.js";
import { RealRun } from "../world/real-run.js";

/** Cycles run for so long, unless more is asked for. */
const secondsDefault = 15;
/** A start takes about this long here, so that kills during it hit all its parts. */
const startMs = 700;

/** Launches servers and kills them on their way up, up to three in a row. @returns how many. */
async function killStarts(run: RealRun, dataDir: string, random: SeededRandom, signal: AbortSignal): Promise<number> {
  let kills = 0;
  for (; kills < 3 && random.chance(0.5); kills++) {
    const server = run.launch({ dataDir });
    await Promise.race([pause(random.within(startMs / 3, startMs), signal), server.exited, server.ready]);
    await run.end("killed");
  }
  return kills;
}

/** Has the server write a snapshot, for later lives to begin with. Never rejects: the server may be killed meanwhile. */
async function takeSnapshot(endpoint: string): Promise<void> {
  const client = await Client.connect(endpoint).catch(() => undefined);
  await client?.call(maintenanceService.methods.defragment);
  client?.destroy();
}

/** Few enough for the search for a legal order of all calls to come to an end (C3). */
const fewClients: Partial<ClientsConfig> = {
  roles: ["register", "register", "transaction", "watcher", "lease", "careful-lock", "careless-lock"],
  thinkMs: 400,
  callsPerClientMax: 25,
};

async function killLoop(
  context: ScenarioContext,
  clients: Partial<ClientsConfig>,
  duringStarts: boolean,
): Promise<void> {
  const seed = context.seed ?? Math.floor(Math.random() * 2 ** 31);
  context.note(`seed ${seed}`);
  const random = new SeededRandom(seed).fork("kills");
  const run = new RealRun(context, seed, clients);
  const dataDir = `${context.folder}/data`;
  const endMs = nowMs() + (context.seconds ?? secondsDefault) * 1000;
  let killedStarts = 0;
  for (;;) {
    const { endpoint } = await run.start({ dataDir });
    if (nowMs() > endMs) break;
    await pause(random.within(50, 1000), context.signal);
    const snapshot = takeSnapshot(endpoint);
    await pause(random.within(0, 500), context.signal);
    await run.end("killed");
    await snapshot;
    if (duringStarts) killedStarts += await killStarts(run, dataDir, random, context.signal);
  }
  if (duringStarts) context.note(`${killedStarts} of the lives were killed before or when they served`);
  await run.judge();
}

const anyMoment: Scenario = {
  title:
    "F1, F23, I1, I2, I4b, I5, I6, I8, I9, I10: killed at random moments under mixed load, and the joined history is sound",
  secondsMax: 90,
  run: (context) => killLoop(context, {}, false),
};

const recovery: Scenario = {
  title:
    "F1, I1, I2, I4b, I5, I6, I8, I9, I10, I14: killed during recovery as well, up to three times in a row, and the joined history is sound",
  secondsMax: 90,
  run: (context) => killLoop(context, fewClients, true),
};

/** The folder as it was some seconds ago comes back after a kill: a loss of what had been acknowledged. */
const fallBack: Scenario = {
  title: "F1: a server that falls back to an older state is found out by the checks (the test of the test)",
  secondsMax: 60,
  run: async (context) => {
    const run = new RealRun(context, context.seed ?? 1);
    const dataDir = `${context.folder}/data`;
    await run.start({ dataDir });
    await pause(2000, context.signal);
    await run.end("killed");
    await cp(dataDir, `${dataDir}-older`, { recursive: true });
    await run.start({ dataDir });
    await pause(2000, context.signal);
    await run.end("killed");
    await run.start({ dataDir: `${dataDir}-older` });
    await pause(2000, context.signal);
    await run.end("killed");
    const violations = await run.violations();
    assert(violations.length > 0, "what was lost has not been missed");
    context.note(`${violations.length} violations, such as ${violations[0]}`);
  },
};

export const killSuite: Suite = {
  name: "kill",
  summary: "kill -9 at random moments and during recovery, under mixed load",
  scenarios: [anyMoment, recovery, fallBack],
};
