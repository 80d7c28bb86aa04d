/**
 * The real disk where it differs from any other: where it syncs, its error codes, its modes.
 */

import assert from "node:assert/strict";
import { scrypt } from "node:crypto";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BlockedPool } from "../testing/blocked-pool.js";
import type { SyncPlace } from "./append-sync.js";
import { BACKGROUND_CALLS_MAX } from "./background-calls.js";
import type { Disk, DiskFile } from "./disk.js";
import { codeOf } from "./disk.js";
import { nodeDisk } from "./node-disk.js";

const places: readonly SyncPlace[] = ["own thread", "pool"];
/** How many threads libuv starts. */
const poolThreads = 4;

async function withDisk(t: TestContext, syncOn?: SyncPlace): Promise<{ disk: Disk; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-disk-"));
  const disk = nodeDisk(syncOn);
  t.after(async () => {
    await disk.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { disk, folder };
}

function hashOnce(): Promise<void> {
  return new Promise((resolve) => {
    scrypt("password", "salt", 32, { N: 16_384 }, () => resolve());
  });
}

function syncOf(file: DiskFile): Promise<Error | undefined> {
  return new Promise((resolve) => file.syncThen("append.sync", resolve));
}

test("F8: the sync of an append does not wait behind password hashing on the shared thread pool", async (t) => {
  const { disk, folder } = await withDisk(t);
  const file = await disk.open("segment.create", join(folder, "file"), "create");
  let hashed = 0;
  let synced = false;
  const keepHashing = async (): Promise<void> => {
    while (!synced) {
      await hashOnce();
      hashed += 1;
    }
  };
  const backlog = 40;
  const hashing = Array.from({ length: backlog }, keepHashing);
  const hashedDuring: number[] = [];
  for (let i = 0; i < 10; i++) {
    const before = hashed;
    file.writeNow("append.write", Buffer.from("x"), 0, 1, i);
    assert.equal(await syncOf(file), undefined);
    hashedDuring.push(hashed - before);
  }
  synced = true;
  // Ordered behind them on the pool, every sync would see nearly the whole backlog done first; a slow disk delays but some.
  assert.ok(Math.min(...hashedDuring) < backlog / 2, `hashed during the syncs: ${hashedDuring.join(", ")}`);
  await Promise.all(hashing);
  await file.close("handle.close");
});

test("F8: the sync of an append on a thread of its own, once that has started, does not need the pool at all", {
  skip: process.platform === "linux" ? false : "needs named pipes",
}, async (t) => {
  const { disk, folder } = await withDisk(t);
  const file = await disk.open("segment.create", join(folder, "file"), "create");
  assert.equal(await syncOf(file), undefined);
  const blocked = BlockedPool.with(folder, poolThreads);
  assert.equal(await syncOf(file), undefined);
  await blocked.release();
  await file.close("handle.close");
});

test("F8: however many other calls the log makes, in the pool there is a thread left for the sync of an append and for one call more", {
  skip: process.platform === "linux" ? false : "needs named pipes",
}, async (t) => {
  assert.equal(BACKGROUND_CALLS_MAX + 2, poolThreads);
  const { disk, folder } = await withDisk(t, "pool");
  const file = await disk.open("segment.create", join(folder, "file"), "create");
  const blocked = BlockedPool.with(folder, 2 * poolThreads, async (pipe) => {
    await (await disk.open("segment.read", pipe, "read")).close("handle.close");
  });
  await mkdir(join(folder, "beside"));
  const another = BlockedPool.with(join(folder, "beside"), 1);
  for (let i = 0; i < 3; i++) {
    file.writeNow("append.write", Buffer.from("x"), 0, 1, i);
    assert.equal(await syncOf(file), undefined);
  }
  await another.release();
  await blocked.release();
  await file.close("handle.close");
});

for (const syncOn of places) {
  test(`F7: a sync that fails says so with the system's code (${syncOn})`, async (t) => {
    const { disk } = await withDisk(t, syncOn);
    // A device that cannot be synced: the system refuses, as it would report a failing one.
    const file = await disk.open("segment.open", "/dev/null", "update");
    assert.equal(codeOf(await syncOf(file)), "EINVAL");
    await file.close("handle.close");
  });

  test(`disk: a second sync in flight is a programming error (${syncOn})`, async (t) => {
    const { disk, folder } = await withDisk(t, syncOn);
    const file = await disk.open("segment.create", join(folder, "file"), "create");
    const first = syncOf(file);
    assert.throws(() => file.syncThen("append.sync", () => {}));
    assert.equal(await first, undefined);
    await file.close("handle.close");
  });
}

test("disk: a file is cut to the length that is asked for", async (t) => {
  const { disk, folder } = await withDisk(t);
  const file = await disk.open("segment.create", join(folder, "file"), "create");
  await file.write("segment.zero", Buffer.from("abcdef"), 0, 6, 0);
  await file.shorten("segment.remove", 4);
  assert.equal(await file.size("segment.read"), 4);
  await file.close("handle.close");
});

/** A file of zeros that is ready for direct writes, where those are to be had. */
async function directFile(disk: Disk, folder: string, sectors: number): Promise<DiskFile> {
  const file = await disk.open("segment.create", join(folder, "file"), "create");
  await file.write("segment.zero", Buffer.alloc(sectors * 512), 0, sectors * 512, 0);
  await file.sync("segment.sync");
  await file.prepareDirect("segment.open-direct");
  return file;
}

interface Written {
  readonly error: Error | undefined;
  readonly count: number;
}

function writeDirect(file: DiskFile, source: Buffer, from: number, length: number, position: number): Promise<Written> {
  return new Promise((resolve) =>
    file.writeDirect("append.direct", source, from, length, position, (error, count) => resolve({ error, count })),
  );
}

test("disk: sectors written directly are read by every other handle, and those beside them are as they were", async (t) => {
  const { disk, folder } = await withDisk(t, "pool");
  const file = await directFile(disk, folder, 16);
  if (!file.isDirect) {
    t.skip("this file system has no direct writes");
    return;
  }
  const memory = disk.appendMemory(Buffer.alloc(0), 200_000);
  memory.fill("d", 512, 512 + 3 * 512);
  assert.deepEqual(await writeDirect(file, memory, 512, 3 * 512, 512), { error: undefined, count: 3 * 512 });
  file.writeNow("append.write", Buffer.from("cached"), 0, 6, 4 * 512);
  assert.deepEqual(await writeDirect(file, memory, 512, 512, 6 * 512), { error: undefined, count: 512 });
  const reader = await disk.open("segment.read", join(folder, "file"), "read");
  const found = Buffer.alloc(16 * 512);
  assert.equal(await reader.read("segment.read", found, found.length, 0), found.length);
  const expected = Buffer.alloc(16 * 512);
  expected.fill("d", 512, 4 * 512).write("cached", 4 * 512);
  expected.fill("d", 6 * 512, 7 * 512);
  assert.ok(found.equals(expected));
  await reader.close("handle.close");
  await file.close("handle.close");
});

test("disk: a direct write that the system refuses takes nothing, and ends direct writes for all files of the disk", async (t) => {
  const { disk, folder } = await withDisk(t, "pool");
  const file = await directFile(disk, folder, 16);
  if (!file.isDirect) {
    t.skip("this file system has no direct writes");
    return;
  }
  const memory = disk.appendMemory(Buffer.alloc(0), 4096);
  memory.fill("d");
  // Not at a sector: what a disk of larger sectors says to one of ours.
  assert.deepEqual(await writeDirect(file, memory, 0, 512, 7), { error: undefined, count: 0 });
  assert.equal(file.isDirect, false);
  const found = Buffer.alloc(16 * 512);
  assert.equal(await file.read("segment.read", found, found.length, 0), found.length);
  assert.ok(found.equals(Buffer.alloc(16 * 512)));
  const another = await disk.open("segment.open", join(folder, "file"), "update");
  await another.prepareDirect("segment.open-direct");
  assert.equal(another.isDirect, false);
  await another.close("handle.close");
  await file.close("handle.close");
});

test("F9: where the file system has no direct writes, or the process is not ours, files are ready without them", async (t) => {
  const { disk, folder } = await withDisk(t, "own thread");
  const file = await directFile(disk, folder, 2);
  assert.equal(file.isDirect, false);
  await file.close("handle.close");
  const inMemory = nodeDisk("pool");
  t.after(() => inMemory.close());
  if (process.platform !== "linux") return;
  const device = await inMemory.open("segment.open", "/dev/null", "update");
  await device.prepareDirect("segment.open-direct");
  assert.equal(device.isDirect, false);
  await device.close("handle.close");
});

test("disk: a second direct write in flight is a programming error", async (t) => {
  const { disk, folder } = await withDisk(t, "pool");
  const file = await directFile(disk, folder, 2);
  if (!file.isDirect) {
    t.skip("this file system has no direct writes");
    return;
  }
  const memory = disk.appendMemory(Buffer.alloc(0), 1024);
  const first = writeDirect(file, memory, 0, 512, 0);
  assert.throws(() => file.writeDirect("append.direct", memory, 0, 512, 512, () => {}));
  assert.equal((await first).error, undefined);
  await file.close("handle.close");
});

test("disk: create does not open what exists, update does not create", async (t) => {
  const { disk, folder } = await withDisk(t);
  const path = join(folder, "file");
  await assert.rejects(disk.open("segment.open", path, "update"), { code: "ENOENT" });
  const file = await disk.open("segment.create", path, "create");
  await assert.rejects(disk.open("segment.create", path, "create"), { code: "EEXIST" });
  await file.write("segment.zero", Buffer.from("hello"), 1, 3, 0);
  assert.equal(await file.size("segment.read"), 3);
  const target = Buffer.alloc(5);
  assert.equal(await file.read("segment.read", target, 5, 1), 2);
  assert.equal(file.readNow("owner.check", target, 2, 0), 2);
  assert.equal(target.toString("latin1", 0, 2), "el");
  await file.close("handle.close");
});

test("F9: a folder is made with those above it, one that is there is taken, a file in its place is refused", async (t) => {
  const { disk, folder } = await withDisk(t);
  const deep = join(folder, "a", "b", "c");
  for (let times = 0; times < 2; times++) await disk.makeFolder("folder.make", deep);
  assert.equal((await stat(deep)).mode & 0o777, 0o700);
  await writeFile(join(folder, "file"), "");
  await assert.rejects(disk.makeFolder("folder.make", join(folder, "file")), { code: "EEXIST" });
  await assert.rejects(disk.makeFolder("folder.make", join(folder, "file", "below")), { code: "ENOTDIR" });
});

test("F9: a folder that the system will not have is refused, not tried for ever", {
  skip: process.platform === "linux" ? false : "needs /proc",
}, async (t) => {
  const { disk } = await withDisk(t);
  for (const folder of ["/proc/holdfast", "/proc/holdfast/below"]) {
    await assert.rejects(disk.makeFolder("folder.make", folder), { code: "ENOENT" });
  }
});
