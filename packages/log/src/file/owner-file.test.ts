/** What the owner file says of the log after its notes: what was noted last, what was noted before, never anything else. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { TestEnvironment } from "../testing/seeded.js";
import { SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import { FILE_HEADER_BYTES, IDENTITY_BYTES, writeFileHeader } from "./file-header.js";
import { OwnerFile } from "./owner-file.js";

const PATH = join(FOLDER, "owner");
const IDENTITY = Buffer.alloc(IDENTITY_BYTES, 7);

function openOn(disk: SimulatedDisk, seed: number): Promise<OwnerFile> {
  return OwnerFile.open(disk.mount(), FOLDER, disk.names.get(PATH) !== undefined, IDENTITY, new TestEnvironment(seed));
}

/** What the next opener would find, without being it. */
async function claimOf(contents: Buffer): Promise<readonly [number, boolean]> {
  const owner = await openOn(SimulatedDisk.holding(new Map([[PATH, contents]])), 99);
  return [owner.durableIndex, owner.closedInOrder];
}

const contentsOf = (disk: SimulatedDisk): Buffer => disk.image().get(PATH)!;

test("a note counts from then on, that of a close too; whoever opens the folder next carries it on", async () => {
  const disk = new SimulatedDisk();
  const first = await openOn(disk, 1);
  assert.deepEqual(await claimOf(contentsOf(disk)), [0, false]);
  await first.note(5);
  assert.deepEqual(await claimOf(contentsOf(disk)), [5, false]);
  await first.note(4);
  assert.deepEqual(await claimOf(contentsOf(disk)), [5, false]);
  await first.noteClosed(6);
  assert.deepEqual(await claimOf(contentsOf(disk)), [6, true]);
  const second = await openOn(disk, 2);
  assert.deepEqual([second.durableIndex, second.closedInOrder], [6, true]);
  assert.deepEqual(await claimOf(contentsOf(disk)), [6, false]);
});

for (const late of ["note", "noteClosed"] as const) {
  test(`F9: a late ${late} of an owner that was overtaken changes neither the mark nor what is known, and lasts until the next`, async () => {
    const disk = new SimulatedDisk();
    const overtaken = await openOn(disk, 1);
    await overtaken.note(5);
    const successor = await openOn(disk, 2);
    await successor.note(9);
    await overtaken[late](8);
    assert.deepEqual([overtaken.isStillOurs(), successor.isStillOurs()], [false, true]);
    // What the successor found when it came; its own note is hidden.
    assert.deepEqual(await claimOf(contentsOf(disk)), [5, false]);
    await successor.note(10);
    assert.deepEqual(await claimOf(contentsOf(disk)), [10, false]);
    await overtaken[late](11);
    await successor.noteClosed(10);
    assert.deepEqual(await claimOf(contentsOf(disk)), [10, true]);
  });
}

test("F9: a late note over one of a close hides that the log was closed", async () => {
  const disk = new SimulatedDisk();
  const overtaken = await openOn(disk, 1);
  const successor = await openOn(disk, 2);
  await successor.noteClosed(10);
  await overtaken.noteClosed(10);
  assert.deepEqual(await claimOf(contentsOf(disk)), [0, false]);
});

test("F2: of a note of which any part was written, what counts is it, the one before, or what its opener had found", async () => {
  const disk = new SimulatedDisk();
  await (await openOn(disk, 1)).noteClosed(3);
  const owner = await openOn(disk, 2);
  await owner.note(0x101);
  const before = contentsOf(disk);
  await owner.noteClosed(0x202);
  const after = contentsOf(disk);
  const seen = new Set<string>();
  for (let written = 0; written <= after.length; written++) {
    const ends = Buffer.concat([after.subarray(0, written), before.subarray(written)]);
    const begins = Buffer.concat([before.subarray(0, written), after.subarray(written)]);
    for (const torn of [ends, begins]) seen.add(String(await claimOf(torn)));
  }
  assert.deepEqual([...seen].sort(), ["257,false", "3,false", "514,true"]);
});

test("F6, F7: a note that finds no room is lost, in part or as a whole, and the next one counts; another failure is told", async () => {
  for (const bytes of [0, 20]) {
    const disk = new SimulatedDisk();
    const owner = await openOn(disk, 1);
    let calls = 0;
    disk.faults = () => (++calls === 1 && bytes > 0 ? { kind: "short", bytes } : { kind: "error", code: "ENOSPC" });
    await owner.note(5);
    disk.faults = undefined;
    assert.deepEqual(await claimOf(contentsOf(disk)), [0, false]);
    await owner.note(6);
    assert.deepEqual(await claimOf(contentsOf(disk)), [6, false]);
    disk.faults = () => ({ kind: "error", code: "EIO" });
    await assert.rejects(owner.note(7), { code: "EIO" });
  }
});

/** A file as programs wrote it that kept the note in the header. */
function earlierFile(index: number, closed: boolean): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  writeFileHeader(bytes, "HFLOGOWN", IDENTITY, index, closed ? 1 : 0, 0, Buffer.alloc(12, 3));
  return bytes;
}

test("a file without a note tells by its header; so does one behind whose header an earlier opener's note stands", async () => {
  for (const closed of [false, true]) {
    assert.deepEqual(await claimOf(earlierFile(8, closed)), [8, closed]);
    const disk = SimulatedDisk.holding(new Map([[PATH, earlierFile(8, closed)]]));
    const owner = await openOn(disk, 1);
    assert.equal(owner.durableIndex, 8);
    await owner.noteClosed(9);
    assert.deepEqual(await claimOf(contentsOf(disk)), [9, true]);
    // An earlier program once more, which knows the header only.
    const mixed = Buffer.concat([earlierFile(12, closed), contentsOf(disk).subarray(FILE_HEADER_BYTES)]);
    assert.deepEqual(await claimOf(mixed), [12, closed]);
  }
});

test("F6: no note needs room of its own: the file is as long from the beginning", async () => {
  const disk = new SimulatedDisk();
  const owner = await openOn(disk, 1);
  const { length } = contentsOf(disk);
  await owner.noteClosed(5);
  assert.equal(contentsOf(disk).length, length);
});
