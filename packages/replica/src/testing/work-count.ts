/**
 * Counts how much of our own code runs, block by block, so that work can be compared without looking at a clock.
 *
 * Counting begins when this module is loaded, because only what is compiled after that has counters in its loops; a test
 * that counts should call nothing of what it counts before importing this.
 */
import { type Profiler, Session } from "node:inspector";

const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/**
 * Runs `work` and answers how often the blocks of the scripts whose address contains `scripts` were entered meanwhile,
 * loop bodies counted each time round. Not for two works at once.
 */
export async function countBlocks(scripts: string, work: () => Promise<unknown>): Promise<number> {
  await takeCounts();
  await work();
  return blocksEntered((await takeCounts()).filter(({ url }) => url.includes(scripts)));
}

function blocksEntered(scripts: readonly Profiler.ScriptCoverage[]): number {
  let entered = 0;
  for (const script of scripts) {
    for (const { ranges } of script.functions) for (const { count } of ranges) entered += count;
  }
  return entered;
}

/** The counts since they were taken last. */
function takeCounts(): Promise<Profiler.ScriptCoverage[]> {
  return new Promise((resolve, reject) => {
    session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
