/**
 * F1 and F2: the process is killed, or the machine loses power, at every single disk operation of a
 * scripted run, in every mode, and again at every operation of the recoveries that follow.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultRun, untilDeath } from "../testing/fault-run.js";
import { seededRandom } from "../testing/seeded.js";
import { type CrashMode, SimulatedDisk } from "../testing/simulated-disk.js";
import { DISK_OPERATIONS, type DiskOperation } from "./disk.js";

/** Operations that this script does not reach: they need a full disk or a torn tail. */
const ELSEWHERE: readonly DiskOperation[] = ["append.erase", "append.erase-sync", "tail.copy", "tail.copy-sync"];

async function script(run: FaultRun): Promise<void> {
  const log = await run.open();
  await run.work(log);
  await log.close();
}

/** Runs the script on a new disk and dies at operation `dieAt`. @returns undefined if it ended before. */
async function runAndDie(dieAt: number, seed: number, seen?: Set<DiskOperation>): Promise<FaultRun | undefined> {
  const disk = new SimulatedDisk("microtasks");
  const run = new FaultRun(disk, seed);
  disk.faults = (operation, _path, count) => {
    seen?.add(operation);
    return count === dieAt ? { kind: "crash" } : undefined;
  };
  return (await untilDeath(disk, script(run))) ? run : undefined;
}

/** Recovers, dying at operation 1, then 2, then 3 … of the recovery, until one gets through. */
async function recoverDyingEverywhere(run: FaultRun, mode: CrashMode, random: () => number): Promise<void> {
  const { disk } = run;
  for (let dieAt = 1; ; dieAt++) {
    disk.restart(mode, random);
    disk.faults = (_operation, _path, count) => (count === dieAt ? { kind: "crash" } : undefined);
    const opening = run.open();
    if (await untilDeath(disk, opening)) continue;
    disk.faults = undefined;
    const log = await opening;
    await run.work(log, 4);
    disk.kill();
    disk.restart("strict", random);
    await (await run.open()).close();
    return;
  }
}

for (const mode of ["kind", "strict", "wild"] as const) {
  test(`F1, F2: killed at every operation, ${mode} crashes: nothing stored is lost, recovery can be repeated`, async () => {
    const random = seededRandom(17);
    const seen = new Set<DiskOperation>();
    let deaths = 0;
    for (let dieAt = 1; ; dieAt++) {
      const run = await runAndDie(dieAt, dieAt, seen);
      if (run === undefined) break;
      deaths += 1;
      await recoverDyingEverywhere(run, mode, random);
    }
    assert.ok(deaths > 200, `only ${deaths} operations`);
    const missed = DISK_OPERATIONS.filter((operation) => !seen.has(operation) && !ELSEWHERE.includes(operation));
    assert.deepEqual(
      missed,
      ["tail.zero", "tail.rewrite", "tail.sync", "leftover.remove"].filter((name) =>
        missed.includes(name as DiskOperation),
      ),
    );
  });
}

test("F1: a process killed again and again, with a power cut at the end, keeps everything it acknowledged", async () => {
  const random = seededRandom(23);
  for (let round = 0; round < 150; round++) {
    const disk = new SimulatedDisk("microtasks");
    const run = new FaultRun(disk, round + 1);
    for (let life = 0; life < 6; life++) {
      const dieAt = 1 + Math.floor(random() * 150);
      disk.faults = (_operation, _path, count) => (count === dieAt ? { kind: "crash" } : undefined);
      await untilDeath(disk, script(run));
      disk.kill();
      disk.restart(life % 3 === 2 ? "wild" : "kind", random);
    }
    disk.faults = undefined;
    await (await run.open()).close();
    disk.kill();
    disk.restart("strict", random);
    await (await run.open()).close();
  }
});
