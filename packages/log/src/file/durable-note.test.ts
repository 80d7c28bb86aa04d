/** The note of the durable index, which is on its way for as long as the disk likes, beside all else that an engine does. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { recordsOf, segmentPath } from "../testing/built-log.js";
import { HoldingDisk, nextTurns } from "../testing/holding-disk.js";
import { payloadOf, replayed, stored } from "../testing/log-contract.js";
import { seededRandom, TestEnvironment } from "../testing/seeded.js";
import { FOLDER } from "../testing/simulated-place.js";
import type { DiskOperation } from "./disk.js";
import { openFileLog } from "./open-file-log.js";

const OWNER = join(FOLDER, "owner");
const NOTE_AT = 64;
const LIMITS = { entryBytesMax: 1500, segmentBytesFirst: 4096, segmentBytesMax: 4096, reservedBytes: 512 };

/** A log with one entry, whose notes are held from now on; and the calls that reach the disk for the owner file. */
async function openHeld() {
  const holding = new HoldingDisk("owner.write", OWNER, false);
  const environment = new TestEnvironment();
  const failures: Error[] = [];
  const log = await openFileLog({
    folder: FOLDER,
    disk: holding.disk.mount(),
    limits: LIMITS,
    environment,
    onFailure: (error) => void failures.push(error),
  });
  await log.acquire();
  await stored(log, "one");
  await nextTurns(holding.disk);
  const calls: DiskOperation[] = [];
  holding.disk.faults = (operation, path) => {
    if (path === OWNER && operation !== "owner.check") calls.push(operation);
    return undefined;
  };
  holding.isArmed = true;
  return { holding, environment, log, calls, failures };
}

/** The index that is noted, and whether as that of a close. */
function noteOn({ disk }: HoldingDisk): readonly [number, boolean] {
  const note = disk.image().get(OWNER)!.subarray(NOTE_AT);
  return [note.readUInt32LE(32), note.readUInt8(40) === 1];
}

test("F8: appends do not wait for a note, of which one is on its way at a time; the next tells of all that came meanwhile", async () => {
  const { holding, environment, log, calls } = await openHeld();
  environment.fireTimers();
  await holding.held;
  const noted = log.lastIndex;
  for (const name of ["two", "three", "four"]) {
    await stored(log, name);
    environment.fireTimers();
    await nextTurns(holding.disk);
  }
  assert.deepEqual(calls, ["owner.write"]);
  holding.release();
  await nextTurns(holding.disk);
  assert.deepEqual(noteOn(holding), [noted, false]);
  // It has been waiting since.
  environment.fireTimers();
  await nextTurns(holding.disk);
  assert.deepEqual(noteOn(holding), [log.lastIndex, false]);
  assert.equal(environment.timersSet, 0);
  await log.close();
});

test("F1: a close waits for a note that is on its way, and is told behind it", async () => {
  const { holding, environment, log, calls } = await openHeld();
  environment.fireTimers();
  await holding.held;
  await stored(log, "two");
  const closed = log.close();
  await nextTurns(holding.disk);
  assert.deepEqual(calls, ["owner.write"]);
  holding.release();
  await closed;
  assert.deepEqual(calls, ["owner.write", "owner.write", "owner.sync", "handle.close"]);
  assert.deepEqual(noteOn(holding), [log.lastIndex, true]);
});

for (const code of ["EIO", "ENOSPC"]) {
  test(`F6, F7: a close behind a note that fails with ${code} ${code === "EIO" ? "notes nothing" : "notes what it would"}`, async () => {
    const { holding, environment, log, calls, failures } = await openHeld();
    let count = 0;
    holding.disk.faults = (operation, path) => {
      if (path === OWNER && operation !== "owner.check") calls.push(operation);
      return operation === "owner.write" && ++count === 1 ? { kind: "error", code } : undefined;
    };
    environment.fireTimers();
    await holding.held;
    const closed = log.close();
    holding.release();
    await closed;
    assert.equal(failures.length, code === "EIO" ? 1 : 0);
    const ofClose = code === "EIO" ? [] : ["owner.write", "owner.sync"];
    assert.deepEqual(calls, ["owner.write", ...ofClose, "handle.close"]);
    assert.deepEqual(noteOn(holding), code === "EIO" ? [0, false] : [log.lastIndex, true]);
  });
}

for (const mode of ["kind", "strict", "wild"] as const) {
  test(`F1, F2: a process that dies with a note on its way (${mode}) loses nothing but that`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { holding, environment, log } = await openHeld();
      environment.fireTimers();
      await holding.held;
      await stored(log, "two");
      holding.disk.kill();
      holding.release();
      holding.disk.restart(mode, seededRandom(seed));
      const again = new TestEnvironment(seed + 1);
      const options = { folder: FOLDER, disk: holding.disk.mount(), limits: LIMITS, environment: again };
      const reopened = await openFileLog(options);
      assert.deepEqual((await replayed(reopened)).map(payloadOf), ["one", "two"]);
      assert.equal(recordsOf(holding.disk.image().get(segmentPath(1))!).length, 3);
      await reopened.close();
    }
  });
}
