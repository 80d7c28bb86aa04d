/**
 * F1 and F2: the process is killed, or the machine loses power, at every single disk operation of a
 * scripted run, in every mode, and again at every operation of the recoveries that follow.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultRun, untilDeath } from "../testing/fault-run.js";
import { seededRandom } from "../testing/seeded.js";
import { type FaultPlan, SimulatedDisk } from "../testing/simulated-disk.js";
import { DISK_OPERATIONS, type DiskOperation } from "./disk.js";

/** Operations that no crash of this script leads to: they need a full disk, or settings that change. */
const ELSEWHERE: readonly DiskOperation[] = ["append.erase", "append.erase-sync"];
/** What is done where appends go past the cache, and what is done where they do not. */
const DIRECT: readonly DiskOperation[] = ["segment.open-direct", "append.direct"];
const CACHED: readonly DiskOperation[] = ["append.write", "append.sync"];
/** Every so many deaths, the recoveries die everywhere too; the others recover at once. */
const DEATHS_PER_DEADLY_RECOVERY = 8;

async function script(run: FaultRun): Promise<void> {
  const log = await run.open();
  await run.work(log, 16);
  await log.close();
}

/** Dies at operation `dieAt`, and takes note of all operations. */
function dyingAt(dieAt: number, seen: Set<DiskOperation>): FaultPlan {
  return (operation, _path, count) => {
    seen.add(operation);
    return count === dieAt ? { kind: "crash" } : undefined;
  };
}

/** Recovers, dying at operation 1, then 2, then 3 … of the recovery, until one gets through. */
async function recoverDyingEverywhere(run: FaultRun, restart: () => void, seen: Set<DiskOperation>): Promise<void> {
  for (let dieAt = 1; ; dieAt++) {
    restart();
    run.disk.faults = dyingAt(dieAt, seen);
    const opening = run.open();
    if (await untilDeath(run.disk, opening)) continue;
    run.disk.kill();
    return;
  }
}

for (const mode of ["kind", "strict", "wild"] as const) {
  for (const isDirect of [false, true]) {
    const how = isDirect ? `${mode} crashes, direct writes` : `${mode} crashes`;
    test(`F1, F2: killed at every operation, ${how}: nothing stored is lost, recovery can be repeated`, async () => {
      const random = seededRandom(17);
      const seen = new Set<DiskOperation>();
      for (let dieAt = 1; ; dieAt++) {
        const disk = new SimulatedDisk("microtasks");
        disk.isDirect = isDirect;
        const run = new FaultRun(disk, dieAt);
        disk.faults = dyingAt(dieAt, seen);
        if (!(await untilDeath(disk, script(run)))) break;
        const restart = () => disk.restart(mode, random);
        if (dieAt % DEATHS_PER_DEADLY_RECOVERY === 0) await recoverDyingEverywhere(run, restart, seen);
        restart();
        disk.faults = dyingAt(0, seen);
        await run.work(await run.open(), 4);
        disk.kill();
        disk.restart("strict", random);
        await (await run.open()).close();
      }
      // A torn tail is left by a wild crash, and by a direct write that is under way when the process dies.
      const isTorn = mode === "wild" || (isDirect && mode === "kind");
      const torn: readonly DiskOperation[] = isTorn ? [] : ["tail.copy", "tail.copy-sync"];
      const unexpected = [...ELSEWHERE, ...(isDirect ? CACHED : DIRECT), ...torn];
      const expected = DISK_OPERATIONS.filter((operation) => !unexpected.includes(operation));
      assert.deepEqual(
        expected.filter((operation) => !seen.has(operation)),
        [],
      );
    });
  }
}

test("F1, F2, I1: a process killed again and again, with a power cut at the end, keeps everything it acknowledged", async () => {
  const random = seededRandom(23);
  for (let round = 0; round < 150; round++) {
    const disk = new SimulatedDisk("microtasks");
    disk.isDirect = round % 2 === 1;
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
