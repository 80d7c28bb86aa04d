/**
 * F5: snapshots that are damaged, half-written, from the future, or of another log.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { LogDamagedError, LogFullError, LogMissingError } from "../errors.js";
import {
  type BuiltLog,
  buildLog,
  changed,
  holding,
  type Image,
  openImage,
  snapshotChunks,
  withFile,
} from "../testing/built-log.js";
import { append, payloadOf, replayed, snapshotOf, stored } from "../testing/log-contract.js";
import { seededRandom, TestEnvironment } from "../testing/seeded.js";
import { SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import type { Disk } from "./disk.js";
import { openFileLog } from "./open-file-log.js";

const LIMITS = { entryBytesMax: 200, segmentBytesFirst: 1536, segmentBytesMax: 1536, reservedBytes: 512 };
const PAYLOADS = Array.from({ length: 12 }, (_, i) => `payload ${i}`);

function snapshotPath(index: number): string {
  return join(FOLDER, `snapshot-${String(index).padStart(16, "0")}`);
}

/** Snapshots of the entries 3, 6 and 10; the log reaches back to 7. */
function build(snapshotsAfter: readonly number[], seed?: number): Promise<BuiltLog> {
  return buildLog({ limits: LIMITS, payloads: PAYLOADS, snapshotsAfter, ending: "killed" }, seed);
}

async function assertOpensAt(image: Image, snapshotIndex: number): Promise<void> {
  const log = await openImage(image, LIMITS);
  assert.equal(log.snapshot?.index ?? 0, snapshotIndex);
  if (snapshotIndex > 0) assert.deepEqual(await snapshotOf(log), snapshotChunks(snapshotIndex).map(String));
  // Entry 1 started the epoch, so payload i lies at index i + 2.
  assert.deepEqual((await replayed(log, snapshotIndex)).map(payloadOf), PAYLOADS.slice(Math.max(0, snapshotIndex - 1)));
  await log.close();
}

test("F5: damage in the header, a chunk, a chunk's head or the trailer falls back to the older snapshot", async () => {
  const { image } = await build([2, 5, 9]);
  const path = snapshotPath(10);
  const contents = image.get(path)!;
  await assertOpensAt(image, 10);
  const places = {
    header: 40,
    "chunk head": 64,
    "log's own chunk": 80,
    "owner's chunk": 130,
    trailer: contents.length - 30,
  };
  for (const [name, offset] of Object.entries(places)) {
    const damaged = changed(contents, (copy) => (copy[offset]! ^= 0x10));
    await assertOpensAt(withFile(image, path, damaged), 6).catch((error) => assert.fail(`${name}: ${error}`));
  }
});

test("F5: a snapshot cut at any byte falls back to the older one", async () => {
  const { image } = await build([2, 5, 9]);
  const path = snapshotPath(10);
  const contents = image.get(path)!;
  for (let at = 0; at < contents.length; at++) await assertOpensAt(withFile(image, path, contents.subarray(0, at)), 6);
  await assertOpensAt(withFile(image, path, Buffer.concat([contents, Buffer.from([0])])), 6);
});

test("F5: a snapshot under the name of a newer one is not taken for it", async () => {
  const { image } = await build([2, 5, 9]);
  await assertOpensAt(withFile(image, snapshotPath(10), image.get(snapshotPath(6))), 6);
});

test("F5: damaged snapshots are reported, left alone, and cleared away once two good ones have followed", async () => {
  const { image } = await build([2, 5, 9]);
  const path = snapshotPath(10);
  const damaged = image.get(path)!.subarray(0, 100);
  const disk = holding(withFile(image, path, damaged));
  const reports: unknown[] = [];
  const log = await openFileLog({
    folder: FOLDER,
    disk: disk.mount(),
    limits: LIMITS,
    environment: new TestEnvironment(),
    onRecovery: (report) => reports.push(report),
  });
  assert.deepEqual(reports, [{ bytesCut: 0, cutFiles: [], damagedSnapshots: [path] }]);
  assert.ok(disk.image().get(path)!.equals(damaged));
  await log.writeSnapshot(12, snapshotChunks(12));
  assert.deepEqual(snapshotsOf(disk), [6, 10, 12]);
  await log.acquire();
  await log.writeSnapshot(14, snapshotChunks(14));
  assert.deepEqual(snapshotsOf(disk), [12, 14]);
  await log.close();
  await openImage(disk.image(), LIMITS);
});

test("F5: all snapshots damaged: the log is replayed from its start, or refused if it no longer reaches back", async () => {
  const young = await build([5]);
  await assertOpensAt(withFile(young.image, snapshotPath(6), Buffer.from("not a snapshot")), 0);
  const old = await build([2, 5, 9]);
  let image: Image = old.image;
  for (const index of [6, 10])
    image = withFile(
      image,
      snapshotPath(index),
      changed(image.get(snapshotPath(index))!, (copy) => (copy[70]! ^= 1)),
    );
  await assert.rejects(openImage(image, LIMITS), LogDamagedError);
});

test("F5: snapshots gone although the log no longer starts at 1: refused as missing", async () => {
  const { image } = await build([2, 5, 9]);
  const without = withFile(withFile(image, snapshotPath(6), undefined), snapshotPath(10), undefined);
  await assert.rejects(openImage(without, LIMITS), LogMissingError);
});

test("F5: a snapshot of another log refuses to open", async () => {
  const { image } = await build([2, 5, 9]);
  const foreign = await build([2, 5, 9], 99);
  await assert.rejects(
    openImage(withFile(image, snapshotPath(10), foreign.image.get(snapshotPath(10))), LIMITS),
    (error: unknown) => {
      assert.ok(error instanceof LogDamagedError);
      assert.equal(error.file, snapshotPath(10));
      assert.match(error.reason, /another log/);
      return true;
    },
  );
});

test("F5: a snapshot of another history of the same log refuses to open", async () => {
  const { image } = await build([2, 5, 9]);
  const other = await buildLog({
    limits: LIMITS,
    payloads: PAYLOADS.with(7, "PAYLOAD 7"),
    snapshotsAfter: [2, 5, 9],
    ending: "killed",
  });
  const mixed = withFile(image, snapshotPath(10), other.image.get(snapshotPath(10)));
  await assert.rejects(openImage(mixed, LIMITS), (error: unknown) => {
    assert.ok(error instanceof LogDamagedError);
    assert.match(error.reason, /another history/);
    return true;
  });
});

test("F5: a snapshot beyond the end of the log refuses to open: entries have been lost", async () => {
  const short = await buildLog({
    limits: LIMITS,
    payloads: PAYLOADS.slice(0, 6),
    snapshotsAfter: [2, 5],
    ending: "killed",
  });
  const long = await build([2, 5, 9]);
  await assert.rejects(
    openImage(withFile(short.image, snapshotPath(10), long.image.get(snapshotPath(10))), LIMITS),
    (error: unknown) => {
      assert.ok(error instanceof LogDamagedError);
      assert.match(error.reason, /covers entry 10, but the log ends at 7/);
      return true;
    },
  );
});

test("F5: a half-written snapshot is removed at the next start", async () => {
  const { image } = await build([2, 5]);
  const disk = holding(withFile(image, `${snapshotPath(11)}.new`, Buffer.from("HFLOGSNP half")));
  const log = await openImage(image, LIMITS, disk);
  assert.equal(log.snapshot?.index, 6);
  assert.deepEqual(
    [...disk.image().keys()].filter((path) => path.endsWith(".new") && path.includes("snapshot")),
    [],
  );
  await log.close();
});

test("F9: an unfinished file that another owner has finished or removed meanwhile does not keep a log from opening", async () => {
  const { image } = await build([2, 5]);
  const disk = holding(withFile(image, `${snapshotPath(11)}.new`, Buffer.from("HFLOGSNP half"))).mount();
  const remove = disk.remove.bind(disk);
  disk.remove = async (operation, path) => {
    await remove(operation, path);
    return remove(operation, path);
  };
  const log = await openFileLog({ folder: FOLDER, disk, limits: LIMITS, environment: new TestEnvironment(1) });
  assert.equal(log.snapshot?.index, 6);
  await log.close();
});

/** Swallows one write to a snapshot and says that it was done. */
function losingOneWrite(disk: Disk): Disk {
  const open = disk.open.bind(disk);
  disk.open = async (operation, path, mode) => {
    const file = await open(operation, path, mode);
    const write = file.write.bind(file);
    file.write = (name, source, from, length, position) =>
      position === 64 && name === "snapshot.write"
        ? Promise.resolve(length)
        : write(name, source, from, length, position);
    return file;
  };
  return disk;
}

test("F5: what is read back wrong after writing is never published, and closes the log", async () => {
  const disk = new SimulatedDisk("microtasks");
  const failures: Error[] = [];
  const log = await openFileLog({
    folder: FOLDER,
    disk: losingOneWrite(disk.mount()),
    limits: LIMITS,
    environment: new TestEnvironment(),
    onFailure: (error) => failures.push(error),
  });
  await log.acquire();
  await stored(log, "a");
  await assert.rejects(log.writeSnapshot(2, [Buffer.from("state")]), LogDamagedError);
  assert.equal(failures.length, 1);
  assert.deepEqual(snapshotsOf(disk), []);
  await log.close();
});

test("a snapshot of which any one byte, or the end, reads back wrong is never published", async () => {
  const whole = (await build([2, 5])).image.get(snapshotPath(6))!.length;
  for (let at = 0; at < whole; at++) {
    const disk = holding((await build([2])).image);
    const log = await openImage(new Map(), LIMITS, disk);
    await log.acquire();
    disk.faults = (operation, path) => {
      if (operation !== "snapshot.read") return undefined;
      disk.faults = undefined;
      disk.rot(path, at, 0x10);
      return undefined;
    };
    await assert.rejects(log.writeSnapshot(6, snapshotChunks(6)), LogDamagedError, `byte ${at}`);
    assert.deepEqual(snapshotsOf(disk), [3]);
    await log.close();
  }
});

test("F6: no room for a snapshot at the n-th write, for every n: the log and the older snapshot stay", async () => {
  for (let failAt = 1; ; failAt++) {
    const disk = holding((await build([2, 5])).image);
    const log = await openImage(new Map(), LIMITS, disk);
    await log.acquire();
    let writes = 0;
    disk.faults = (operation) => {
      if (operation !== "snapshot.write" && operation !== "snapshot.create") return undefined;
      writes += 1;
      if (writes === failAt) return { kind: "short", bytes: 3 };
      return writes > failAt ? { kind: "error", code: "ENOSPC" } : undefined;
    };
    const outcome = await log.writeSnapshot(12, snapshotChunks(12)).then(
      () => "written",
      (error: unknown) => error,
    );
    disk.faults = undefined;
    assert.equal((await append(log, "still usable")).fate, "stored");
    const kept = outcome === "written" ? [6, 12] : [3, 6];
    if (outcome !== "written") assert.ok(outcome instanceof LogFullError, String(outcome));
    assert.deepEqual(snapshotsOf(disk), kept);
    await log.writeSnapshot(log.lastIndex, snapshotChunks(log.lastIndex));
    assert.equal(snapshotsOf(disk).at(-1), log.lastIndex);
    await log.close();
    if (outcome === "written") break;
  }
});

test("I10: a hundred rounds of snapshot, discard and restart give the state of a pure replay", async () => {
  const random = seededRandom(5);
  const disk = new SimulatedDisk("microtasks");
  const everything: string[] = [];
  for (let round = 0; round < 100; round++) {
    const log = await openFileLog({
      folder: FOLDER,
      disk: disk.mount(),
      limits: LIMITS,
      environment: new TestEnvironment(round),
    });
    const state = (await snapshotOf(log)).concat((await replayed(log, log.snapshot?.index ?? 0)).map(payloadOf));
    assert.deepEqual(state, everything, `round ${round}`);
    await log.acquire();
    for (let i = Math.floor(random() * 12); i >= 0; i--) {
      const payload = `round ${round} ${i}`;
      await stored(log, payload);
      everything.push(payload);
    }
    await log.writeSnapshot(
      log.lastIndex,
      everything.map((payload) => Buffer.from(payload)),
    );
    if (random() < 0.5) await log.close();
    disk.kill();
    disk.restart(random() < 0.5 ? "strict" : "wild", random);
  }
  const segments = [...disk.image().keys()].filter((path) => /log-\d+$/.test(path));
  assert.ok(segments.length < 12, `old segments were not discarded: ${segments.length}`);
});

function snapshotsOf(disk: SimulatedDisk): number[] {
  const names = [...disk.image().keys()].filter((path) => /snapshot-\d+$/.test(path));
  return names.map((path) => Number(path.slice(path.indexOf("snapshot-") + 9))).sort((a, b) => a - b);
}

test("F5, F63: a separate mark opens a segment, so that the second snapshot lets all before it go", async () => {
  const disk = new SimulatedDisk("microtasks");
  const log = await openImage(new Map(), { ...LIMITS, segmentBytesFirst: 65_536, segmentBytesMax: 65_536 }, disk);
  await log.acquire();
  for (let i = 0; i < 20; i++) await stored(log, `payload ${i}`);
  const last = log.lastIndex;
  await log.writeSnapshot(last, snapshotChunks(last));
  assert.equal(await log.markForSnapshot(true), last + 1);
  assert.equal(log.usage().firstIndex, 1);
  await log.writeSnapshot(last + 1, snapshotChunks(last));
  assert.equal(log.usage().firstIndex, last + 1);
  await stored(log, "after");
  await log.close();
  const reopened = await openImage(disk.image(), LIMITS);
  assert.deepEqual((await replayed(reopened, reopened.snapshot?.index)).map(payloadOf), ["after"]);
  await reopened.close();
});

test("F5, F6: a mark and a second snapshot of the same state let the log go, and either of the two is enough", async () => {
  const disk = new SimulatedDisk("microtasks");
  const log = await openImage(new Map(), LIMITS, disk);
  await log.acquire();
  assert.equal(await log.markForSnapshot(), undefined, "without a snapshot there is nothing to gain");
  for (let i = 0; i < 60; i++) await stored(log, `payload ${i}`);
  const last = log.lastIndex;
  await log.writeSnapshot(last, snapshotChunks(last));
  const before = log.usage();
  assert.equal(before.firstIndex, 1);
  assert.equal(await log.markForSnapshot(), last + 1);
  assert.equal(await log.markForSnapshot(), last + 2, "until there is a snapshot at it");
  await log.writeSnapshot(last + 1, snapshotChunks(last));
  const { firstIndex, bytesOnDisk } = log.usage();
  assert.ok(firstIndex > last - 20 && bytesOnDisk < before.bytesOnDisk, `${firstIndex}, ${bytesOnDisk}`);
  assert.equal(await log.markForSnapshot(), undefined, "nothing more is to be gained");
  await stored(log, "after");
  await log.close();
  for (const index of snapshotsOf(disk)) {
    const path = snapshotPath(index);
    const image = withFile(
      disk.image(),
      path,
      changed(disk.image().get(path)!, (copy) => (copy[90]! ^= 1)),
    );
    const reopened = await openImage(image, LIMITS);
    assert.deepEqual(await snapshotOf(reopened), snapshotChunks(last).map(String));
    assert.deepEqual((await replayed(reopened, reopened.snapshot?.index)).map(payloadOf), ["after"]);
    await reopened.close();
  }
});
