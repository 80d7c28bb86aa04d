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
