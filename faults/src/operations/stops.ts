/** F63: a server is asked to stop under load, and may be killed while it does. */
import assert from "node:assert/strict";
import { SeededRandom } from "@holdfast/simulator";
import type { Scenario } from "../scenario.js";
import { nowMs, pause } from "../waiting.js";
import { RealRun } from "../world/real-run.js";

const secondsDefault = 12;
/** Most of a stop happens soon; the rest is waiting for calls that do not end by themselves. */
const stopMs = { begins: 60, lasts: 2500 };

export const stops: Scenario = {
  title:
    "F63, F1, I1, I2, I8, I9: asked to stop under load, and often killed while it stops; the joined history is sound",
  secondsMax: 90,
  run: async (context) => {
    const seed = context.seed ?? Math.floor(Math.random() * 2 ** 31);
    context.note(`seed ${seed}`);
    const random = new SeededRandom(seed).fork("stops");
    const run = new RealRun(context, seed);
    const dataDir = `${context.folder}/data`;
    const endMs = nowMs() + (context.seconds ?? secondsDefault) * 1000;
    let cutShort = 0;
    let longestMs = 0;
    for (let number = 0; ; number++) {
      const server = await run.start({ dataDir });
      if (nowMs() > endMs) break;
      await pause(random.within(200, 900), context.signal);
      if (number % 4 === 0) {
        const askedMs = nowMs();
        await run.end("closed", "SIGTERM");
        longestMs = Math.max(longestMs, nowMs() - askedMs);
        assert.equal(server.end?.exitCode, 0, `a stop ended with ${server.end?.signal ?? server.end?.exitCode}`);
      } else {
        server.signal("SIGTERM");
        await pause(random.within(0, random.chance(0.7) ? stopMs.begins : stopMs.lasts), context.signal);
        await run.end("killed");
        if (server.end?.signal === "SIGKILL") cutShort++;
      }
    }
    context.note(`${cutShort} stops were cut short; the longest of the others took ${longestMs.toFixed(0)} ms`);
    await run.judge();
  },
};
