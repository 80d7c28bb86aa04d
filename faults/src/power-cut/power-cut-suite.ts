/**
 * F2: the power goes while clients write. A server on a file system of its own, on a disk with a cache, both of which forget
 * whatever was not synced; what was acknowledged must be there afterwards, whichever way appends take. The same with syncs
 * that do nothing must lose something, else the test sees nothing.
 */
import assert from "node:assert/strict";
import type { AppendWay } from "@holdfast/log";
import { cannotMountImages } from "../mounts.js";
import { PutLoad } from "../put-load.js";
import type { Scenario, ScenarioContext, Suite } from "../scenario.js";
import { type ServerOptions, ServerProcess, throughCache } from "../server-process.js";
import { cannotTrace, tracedFromStart } from "../tracer.js";
import { nowMs } from "../waiting.js";
import { cannotCutPower, PoweredDisk } from "./power-cut.js";

/** Cycles run for so long, unless more is asked for. */
const secondsDefault = 12;

async function missing(): Promise<string | undefined> {
  return (await cannotMountImages()) ?? (await cannotCutPower());
}

/** A length of values, in turn: small ones fill batches, large ones segments. */
const valueLengths = [64, 20_000, 1_000];

/** One cycle: start, write, cut, start again, compare. @returns how many were acknowledged, and what is wrong. */
async function cycle(
  disk: PoweredDisk,
  context: ScenarioContext,
  number: number,
  how: Pick<ServerOptions, "wrapper" | "env">,
  way: AppendWay,
) {
  const server = await ServerProcess.start({ dataDir: disk.dataDir, ...how }, context);
  await server.line((line) => line.includes(`"appends":"${way}"`));
  const load = new PutLoad({
    name: `cycle-${number}`,
    writers: 6,
    keysPerWriter: 20,
    valueBytes: valueLengths[number % valueLengths.length] ?? 64,
  });
  await load.start(server.endpoint);
  await load.acknowledged(50 + ((number * 977) % 1500));
  await disk.cutPower();
  await server.kill();
  await load.ended();
  await load.stop();
  await disk.restart();
  const again = await ServerProcess.start({ dataDir: disk.dataDir }, context);
  const problems = await load.problems(again.endpoint);
  await again.kill();
  return { load, problems };
}

function loseNothing(what: string, way: AppendWay, env: Readonly<Record<string, string>>): Scenario {
  return {
    title: `F2, I1: the power is cut again and again under load, with ${what}, and nothing acknowledged is lost`,
    secondsMax: 60,
    missing,
    run: async (context) => {
      const disk = await PoweredDisk.mount(context);
      const endMs = nowMs() + (context.seconds ?? secondsDefault) * 1000;
      let acknowledged = 0;
      let cycles = 0;
      for (; nowMs() < endMs && !context.signal.aborted; cycles++) {
        const { load, problems } = await cycle(disk, context, cycles, { env }, way);
        acknowledged += load.acknowledgedCount;
        assert.deepEqual(problems.slice(0, 3), [], `cycle ${cycles}: ${problems.length} keys`);
      }
      context.note(`${cycles} cycles, ${acknowledged} writes acknowledged, 0 lost`);
    },
  };
}

const loseSomething: Scenario = {
  title: "F2: with syncs that do nothing, a power cut loses acknowledged writes (the test of the test)",
  secondsMax: 60,
  missing: async () => (await missing()) ?? (await cannotTrace()),
  run: async (context) => {
    const wrapper = tracedFromStart(["fdatasync:retval=0", "fsync:retval=0"]);
    const endMs = nowMs() + secondsDefault * 1000;
    const disk = await PoweredDisk.mount(context);
    for (let number = 0; nowMs() < endMs; number++) {
      // Not directly: such writes need no sync.
      const lost = await cycle(disk, context, number, { wrapper, env: throughCache }, "cached").then(
        ({ problems }) => problems.length,
        // A folder that was made without a single sync may be of no use at all: that is a loss as well.
        (error: unknown) =>
          String(error).includes("before it served") ? Number.POSITIVE_INFINITY : Promise.reject(error),
      );
      if (lost > 0) {
        context.note(
          `lost in cycle ${number}: ${lost === Number.POSITIVE_INFINITY ? "the whole folder" : `${lost} keys`}`,
        );
        return;
      }
    }
    throw new Error("nothing was lost although nothing was synced: the power cut does not cut");
  },
};

export const powerCutSuite: Suite = {
  name: "power-cut",
  summary: "a disk that forgets what was not synced, under load",
  scenarios: [
    loseNothing("appends that go past the cache", "direct", {}),
    loseNothing("appends that go through the cache", "cached", throughCache),
    loseSomething,
  ],
};
