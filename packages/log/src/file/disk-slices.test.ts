/**
 * What stands before an append in the disk's queue: no more of a long snapshot than a slice, be it written or removed.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, stored } from "../testing/log-contract.js";
import { TestEnvironment } from "../testing/seeded.js";
import { SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import type { Disk } from "./disk.js";
import { openFileLog } from "./open-file-log.js";
import { REMOVE_SLICE_BYTES, removeInSlices } from "./remove-in-slices.js";

const MIB = 1024 * 1024;
const path = `${FOLDER}/snapshot-0000000000000002`;

/** Hands what is done to snapshots to `note`: what it is, and the length that was written or remains. */
function watched(disk: Disk, note: (call: string, bytes: number) => void): Disk {
  const { open, remove, syncFolder } = disk;
  disk.open = async (operation, path, mode) => {
    const file = await open.call(disk, operation, path, mode);
    if (!operation.startsWith("snapshot")) return file;
    const { write, shorten, sync, close } = file;
    file.write = async (name, source, from, length, position) => {
      const count = await write.call(file, name, source, from, length, position);
      note("write", count);
      return count;
    };
    file.shorten = (name, length) => shorten.call(file, name, length).then(() => note("shorten", length));
    file.sync = (name) => sync.call(file, name).then(() => note("sync", 0));
    file.close = (name) => close.call(file, name).then(() => note("close", 0));
    return file;
  };
  disk.remove = (operation, path) => remove.call(disk, operation, path).then(() => note("remove", 0));
  disk.syncFolder = (operation, folder) => syncFolder.call(disk, operation, folder).then(() => note("sync folder", 0));
  return disk;
}

/** A disk that holds a file of so many bytes at `path`, and what was done to it. */
function holding(bytes: number): { simulated: SimulatedDisk; disk: Disk; calls: string[] } {
  const simulated = SimulatedDisk.holding(new Map([[path, Buffer.alloc(bytes, 1)]]), "microtasks");
  const calls: string[] = [];
  return { simulated, calls, disk: watched(simulated.mount(), (call, left) => calls.push(`${call} ${left}`)) };
}

test("a snapshot is synced a mebibyte at a time, and its end before it is published", async () => {
  const simulated = new SimulatedDisk("microtasks");
  let unsynced = 0;
  let longest = 0;
  let syncs = 0;
  const disk = watched(simulated.mount(), (call, bytes) => {
    if (call === "sync") syncs += 1;
    unsynced = call === "sync" ? 0 : unsynced + bytes;
    longest = Math.max(longest, unsynced);
  });
  const log = await openFileLog({ folder: FOLDER, disk, environment: new TestEnvironment() });
  await log.acquire();
  await stored(log, "a");
  const chunks = Array.from({ length: 80 }, (_, number) => Buffer.alloc(65_536, number));
  await log.writeSnapshot(2, chunks);
  assert.ok(longest >= MIB && longest < MIB + 70_000, `${longest} bytes`);
  assert.deepEqual([syncs, unsynced], [6, 0]);
  await log.close();
  simulated.kill();
  simulated.restart("strict", () => 0);
  const reopened = await openFileLog({ folder: FOLDER, disk: simulated.mount(), environment: new TestEnvironment() });
  assert.deepEqual(
    await snapshotOf(reopened),
    chunks.map((chunk) => String(chunk)),
  );
  await reopened.close();
});

test("a long file loses its name first, durably, and then four mebibytes at a time", async () => {
  const { simulated, disk, calls } = holding(10 * MIB);
  await removeInSlices(disk, "snapshot.remove", FOLDER, path, 10 * MIB);
  const slices = [6, 2].flatMap((left) => [`shorten ${left * MIB}`, "sync 0"]);
  assert.deepEqual(calls, ["remove 0", "sync folder 0", ...slices, "close 0"]);
  simulated.kill();
  simulated.restart("strict", () => 0);
  assert.deepEqual([...simulated.image().keys()], []);
});

test("a short file is removed at once, and so is one for which there is no handle", async () => {
  const short = holding(REMOVE_SLICE_BYTES);
  await removeInSlices(short.disk, "snapshot.remove", FOLDER, path, REMOVE_SLICE_BYTES);
  assert.deepEqual(short.calls, ["remove 0", "sync folder 0"]);
  const long = holding(10 * MIB);
  let asked = 0;
  long.simulated.faults = (operation) =>
    operation === "snapshot.remove" && ++asked === 1 ? { kind: "error", code: "EMFILE" } : undefined;
  await removeInSlices(long.disk, "snapshot.remove", FOLDER, path, 10 * MIB);
  assert.deepEqual(long.calls, ["remove 0", "sync folder 0"]);
});

test("the snapshot that two newer ones replace is removed in slices", async () => {
  const cuts: number[] = [];
  const disk = watched(new SimulatedDisk("microtasks").mount(), (call, bytes) => {
    if (call === "shorten") cuts.push(bytes);
  });
  const log = await openFileLog({ folder: FOLDER, disk, environment: new TestEnvironment() });
  await log.acquire();
  for (let round = 0; round < 3; round++) {
    await stored(log, "a");
    assert.deepEqual(cuts, []);
    await log.writeSnapshot(log.lastIndex, [Buffer.alloc(9 * MIB)]);
  }
  assert.equal(cuts.length, 2);
  assert.deepEqual(
    cuts.map((bytes) => Math.floor(bytes / MIB)),
    [5, 1],
  );
  await log.close();
});
