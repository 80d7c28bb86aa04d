/** What the simulated disk itself promises, where no test of the engine would notice that it does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskFile } from "../file/disk.js";
import { SimulatedDisk } from "./simulated-disk.js";

const path = "/data/file";

async function written(disk: SimulatedDisk, text: string): Promise<DiskFile> {
  const file = await disk.mount().open("segment.create", path, "create");
  await file.write("append.write", Buffer.from(text), 0, text.length, 0);
  return file;
}

test("an operation takes as long as the pace that is handed in", async () => {
  const waiting: (() => void)[] = [];
  const asked: string[] = [];
  const disk = new SimulatedDisk((operation) => {
    asked.push(operation);
    return new Promise((resolve) => waiting.push(resolve));
  });
  let done = false;
  const opening = disk
    .mount()
    .open("segment.create", path, "create")
    .then(() => {
      done = true;
    });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([asked, done], [["segment.create"], false]);
  waiting[0]!();
  await opening;
  assert.equal(done, true);
});

test("F4: a byte that rots changes on the platter and for readers, synced or not", async () => {
  const disk = new SimulatedDisk("microtasks");
  const file = await written(disk, "abc");
  await file.sync("append.sync");
  disk.rot(path, 1, 1);
  assert.equal(disk.image().get(path)?.toString(), "acc");
  disk.rot(path, 99, 1);
  disk.rot("/data/none", 0, 1);
  await disk.mount().syncFolder("folder.sync", "/data");
  disk.kill();
  disk.restart("strict", () => 0);
  assert.equal(disk.image().get(path)?.toString(), "acc");
  const held = SimulatedDisk.holding(new Map([[path, Buffer.from("xyz")]]));
  held.rot(path, 0, 1);
  assert.equal(held.image().get(path)?.toString(), "yyz");
});

test("what a file was shortened by comes back after a power cut unless it was synced", async () => {
  const disk = new SimulatedDisk("microtasks");
  const file = await written(disk, "abcdef");
  await file.sync("append.sync");
  await disk.mount().syncFolder("folder.sync", "/data");
  await file.shorten("segment.remove", 4);
  assert.equal(disk.image().get(path)?.toString(), "abcd");
  disk.kill();
  disk.restart("strict", () => 0);
  assert.equal(disk.image().get(path)?.toString(), "abcdef");
  const again = await disk.mount().open("segment.open", path, "update");
  await again.shorten("segment.remove", 2);
  await again.sync("segment.sync");
  disk.kill();
  disk.restart("strict", () => 0);
  assert.equal(disk.image().get(path)?.toString(), "ab");
});

/** A disk with a synced file of four sectors of `a`, and a handle for direct writes. */
async function directlyWritable(): Promise<{ disk: SimulatedDisk; file: DiskFile }> {
  const disk = SimulatedDisk.direct("microtasks");
  const mount = disk.mount();
  const file = await mount.open("segment.create", path, "create");
  await file.write("segment.zero", Buffer.alloc(2048, "a"), 0, 2048, 0);
  await file.sync("segment.sync");
  await mount.syncFolder("folder.sync", "/data");
  await file.prepareDirect("segment.open-direct");
  return { disk, file };
}

/** What sectors hold, a letter for each. */
const sectorsOf = (disk: SimulatedDisk): string =>
  [0, 1, 2, 3]
    .map((sector) =>
      disk
        .image()
        .get(path)!
        .toString("latin1", sector * 512, sector * 512 + 1),
    )
    .join("");

const direct = Buffer.alloc(1024, "d");

test("F2: a direct write that has ended survives any crash; one that has not, in part, and not at all where nothing unsynced does", async () => {
  const { disk, file } = await directlyWritable();
  await new Promise<void>((resolve) => file.writeDirect("append.direct", direct, 0, 1024, 0, () => resolve()));
  disk.kill();
  disk.restart("strict", () => 0);
  assert.equal(sectorsOf(disk), "ddaa");
  for (const [mode, expected, chances] of [
    ["kind", "aada", [0.1, 0.9]],
    // The first is for how long the file is.
    ["wild", "aada", [0, 0.9, 0.1]],
    ["strict", "aaaa", []],
  ] as const) {
    const { disk, file } = await directlyWritable();
    file.writeDirect("append.direct", direct, 0, 1024, 1024, () => assert.fail("the dead are told nothing"));
    disk.kill();
    let asked = 0;
    disk.restart(mode, () => chances[asked++]!);
    assert.equal(sectorsOf(disk), expected, mode);
  }
});

test("F7: of a direct write that failed readers see nothing, and after a restart any sector may be there", async () => {
  const { disk, file } = await directlyWritable();
  disk.faults = () => ({ kind: "error", code: "EIO" });
  const error = await new Promise((resolve) => file.writeDirect("append.direct", direct, 0, 1024, 0, resolve));
  assert.ok(error instanceof Error);
  assert.equal(sectorsOf(disk), "aaaa");
  disk.kill();
  let asked = 0;
  disk.restart("kind", () => (asked++ === 0 ? 0.9 : 0));
  assert.equal(sectorsOf(disk), "adaa");
});

test("F2: what a kill has left of a direct write is read, and lost in a power cut behind it, until the file is synced", async () => {
  for (const [isSynced, expected] of [
    [false, "aaaa"],
    [true, "ddaa"],
  ] as const) {
    const { disk, file } = await directlyWritable();
    file.writeDirect("append.direct", direct, 0, 1024, 0, () => assert.fail("the dead are told nothing"));
    disk.kill();
    disk.restart("kind", () => 0);
    assert.equal(sectorsOf(disk), "ddaa");
    const again = await disk.mount().open("segment.open", path, "update");
    if (isSynced) await again.sync("tail.sync");
    disk.kill();
    disk.restart("strict", () => 0);
    assert.equal(sectorsOf(disk), expected);
  }
});

test("F6: a sync does not make certain what a failed direct write left: nothing of it is in the cache", async () => {
  const { disk, file } = await directlyWritable();
  disk.faults = (operation) => (operation === "append.direct" ? { kind: "error", code: "ENOSPC" } : undefined);
  await new Promise((resolve) => file.writeDirect("append.direct", direct, 0, 1024, 0, resolve));
  // Of another place, and of the second of its two sectors.
  file.writeNow("append.write", Buffer.alloc(1024, "z"), 0, 1024, 512);
  await file.sync("append.sync");
  disk.kill();
  disk.restart("wild", () => 0.9);
  assert.equal(sectorsOf(disk), "dzza");
});

test("F6: what a failed direct write left may come back after a power cut, until its place is written and synced", async () => {
  for (const [isSynced, expected] of [
    [false, "ddaa"],
    [true, "zzaa"],
  ] as const) {
    const { disk, file } = await directlyWritable();
    disk.faults = (operation) => (operation === "append.direct" ? { kind: "error", code: "ENOSPC" } : undefined);
    await new Promise((resolve) => file.writeDirect("append.direct", direct, 0, 1024, 0, resolve));
    file.writeNow("append.erase", Buffer.alloc(1024, "z"), 0, 1024, 0);
    if (isSynced) await file.sync("append.erase-sync");
    disk.kill();
    // The first of the versions that a sector had.
    disk.restart("wild", () => 0.4);
    assert.equal(sectorsOf(disk), expected);
  }
});
