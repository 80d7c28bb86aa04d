/**
 * F2: the power goes while clients write. A server on an ext4 file system of its own, which is then told to forget whatever was
 * not synced; what was acknowledged must be there afterwards. The same with syncs that do nothing must lose something,
 * else the test sees nothing.
 */
import { cannotMountImages, type Image, mountImage } from "../mounts.js";
import { PutLoad } from "../put-load.js";
import type { Scenario, ScenarioContext, Suite } from "../scenario.js";
import { type ServerOptions, ServerProcess } from "../server-process.js";
import { cannotTrace, tracedFromStart } from "../tracer.js";
import { nowMs } from "../waiting.js";
import { cannotCutPower, cutPower } from "./power-cut.js";

const imageMebibytes = 512;
/** Cycles run for so long, unless more is asked for. */
const secondsDefault = 20;
const secondsWithoutSync = 12;

async function missing(): Promise<string | undefined> {
  return (await cannotMountImages()) ?? (await cannotCutPower());
}

/** A length of values, in turn: small ones fill batches, large ones segments. */
const valueLengths = [64, 20_000, 1_000];

/** One cycle: start, write, cut, start again, compare. @returns how many were acknowledged, and what is wrong. */
async function cycle(
  image: Image,
  context: ScenarioContext,
  number: number,
  how: Pick<ServerOptions, "wrapper" | "env">,
) {
  const server = await ServerProcess.start({ dataDir: image.dataDir, ...how }, context);
  const load = new PutLoad({
    name: `cycle-${number}`,
    writers: 6,
    keysPerWriter: 20,
    valueBytes: valueLengths[number % valueLengths.length] ?? 64,
  });
  await load.start(server.endpoint);
  await load.acknowledged(50 + ((number * 977) % 1500));
  await cutPower(image.at);
  await server.kill();
  await load.ended();
  await load.stop();
  await image.unmount();
  await image.mount();
  const again = await ServerProcess.start({ dataDir: image.dataDir }, context);
  const problems = await load.problems(again.endpoint);
  await again.kill();
  return { load, problems };
}

const loseNothing: Scenario = {
  title: "F2, I1: the power is cut again and again under load, and nothing acknowledged is lost",
  secondsMax: 60,
  missing,
  run: async (context) => {
    const image = await mountImage(context, imageMebibytes);
    const endMs = nowMs() + (context.seconds ?? secondsDefault) * 1000;
    let acknowledged = 0;
    let cycles = 0;
    for (; nowMs() < endMs && !context.signal.aborted; cycles++) {
      const { load, problems } = await cycle(image, context, cycles, {});
      acknowledged += load.acknowledgedCount;
      if (problems.length > 0)
        throw new Error(`cycle ${cycles}: ${problems.length} keys: ${problems.slice(0, 3).join("; ")}`);
    }
    context.note(`${cycles} cycles, ${acknowledged} writes acknowledged, 0 lost`);
  },
};

const loseSomething: Scenario = {
  title: "F2: with syncs that do nothing, a power cut loses acknowledged writes (the test of the test)",
  secondsMax: 60,
  missing: async () => (await missing()) ?? (await cannotTrace()),
  run: async (context) => {
    const wrapper = tracedFromStart(["fdatasync:retval=0", "fsync:retval=0"]);
    // In so small a pool the log does not append: it does with syncs, instead of direct writes, which need none.
    const env = { UV_THREADPOOL_SIZE: "1" };
    const endMs = nowMs() + secondsWithoutSync * 1000;
    const image = await mountImage(context, imageMebibytes);
    for (let number = 0; nowMs() < endMs; number++) {
      const lost = await cycle(image, context, number, { wrapper, env }).then(
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
      await image.mount().catch(() => undefined);
    }
    throw new Error("nothing was lost although nothing was synced: the power cut does not cut");
  },
};

export const powerCutSuite: Suite = {
  name: "power-cut",
  summary: "a disk that forgets what was not synced, under load",
  scenarios: [loseNothing, loseSomething],
};
