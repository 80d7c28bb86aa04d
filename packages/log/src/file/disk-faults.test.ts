/**
 * F6 and F7: a disk that is full, writes short, or fails, at the n-th call for every n.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LogClosedError, LogFolderUnreadableError, LogStorageError } from "../errors.js";
import type { Log } from "../log.js";
import { FaultRun, TIGHT_LIMITS } from "../testing/fault-run.js";
import { append } from "../testing/log-contract.js";
import { seededRandom, TestEnvironment } from "../testing/seeded.js";
import { type Fault, SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import type { DiskOperation } from "./disk.js";
import { openFileLog } from "./open-file-log.js";

const NO_SPACE: Fault = { kind: "error", code: "ENOSPC" };
const IO_ERROR: Fault = { kind: "error", code: "EIO" };

/** What needs space on a running log. */
const GROWING: readonly DiskOperation[] = [
  "append.write",
  "segment.create",
  "segment.zero",
  "segment.publish",
  "snapshot.create",
  "snapshot.write",
  "snapshot.publish",
  "owner.write",
];

/** Lets the calls named in `operations` fail from the n-th to the last one, counted from now. */
function failFrom(
  disk: SimulatedDisk,
  operations: readonly DiskOperation[],
  from: number,
  to: number,
  fault: Fault,
): () => number {
  let count = 0;
  disk.faults = (operation) => {
    if (!operations.includes(operation)) return undefined;
    count += 1;
    return count >= from && count <= to ? fault : undefined;
  };
  return () => count;
}

async function openedAndOwned(run: FaultRun): Promise<Log> {
  const log = await run.open();
  await log.acquire();
  return log;
}

/** Brings the machine back after a power cut and checks that the log kept its word. */
async function reopenAfterPowerCut(run: FaultRun, mode: "strict" | "wild", random: () => number): Promise<void> {
  run.disk.kill();
  run.disk.restart(mode, random);
  run.disk.faults = undefined;
  await (await run.open()).close();
}

test("F6: no space at the n-th call that needs some, for every n: refused or stored, never closed, usable again", async () => {
  const random = seededRandom(31);
  let refused = 0;
  for (let failAt = 1; ; failAt++) {
    const run = new FaultRun(new SimulatedDisk("microtasks"), failAt);
    const log = await openedAndOwned(run);
    const count = failFrom(run.disk, GROWING, failAt, failAt + 5, NO_SPACE);
    await run.work(log);
    run.disk.faults = undefined;
    assert.deepEqual(run.failures, []);
    for (const result of run.results) assert.ok(result.fate === "stored" || isFull(result), JSON.stringify(result));
    refused += run.results.filter(isFull).length;
    // The first attempt may have to wait for a segment that was begun while there was no space.
    await log.acquire().catch(() => log.acquire());
    assert.equal((await run.append(log, "space has returned")).fate, "stored");
    await reopenAfterPowerCut(run, failAt % 2 === 0 ? "strict" : "wild", random);
    if (count() < failAt) break;
  }
  assert.ok(refused > 20, `only ${refused} refusals`);
});

test("F6: a short write of any length, then no space: refused, never found, and its bytes are gone from the file", async () => {
  const random = seededRandom(37);
  for (const mode of ["kind", "strict", "wild"] as const) {
    // The record is 1024 bytes long and written in slices of 512: the padding is cut too.
    for (let bytes = 1; bytes <= 1023; bytes += bytes % 512 > 500 ? 1 : 7) {
      const run = new FaultRun(new SimulatedDisk("microtasks"), bytes);
      const log = await openedAndOwned(run);
      await run.append(log, "before");
      let left = bytes;
      run.disk.faults = (operation) => {
        if (operation !== "append.write") return undefined;
        const fault: Fault = left > 0 ? { kind: "short", bytes: left } : NO_SPACE;
        left -= 512;
        return fault;
      };
      const result = await run.append(log, "x".repeat(700));
      run.disk.faults = undefined;
      assert.deepEqual(result, { fate: "refused", why: "full" });
      // Half of the runs crash right here, the others go on first.
      if (bytes % 2 === 0) assert.equal((await run.append(log, "y".repeat(30))).fate, "stored");
      run.disk.kill();
      run.disk.restart(mode, random);
      const reopened = await run.open();
      const segment = run.disk.image().get("/data/log-0000000000000001")!;
      assert.equal(segment.includes("xxx"), false);
      await reopened.close();
    }
  }
});

test("F6: writes that are all short, of any length, are continued until everything is written", async () => {
  for (const bytes of [1, 7, 63, 64, 511, 512, 513]) {
    const run = new FaultRun(new SimulatedDisk("microtasks"), bytes);
    run.disk.faults = (operation) => (operation.endsWith("write") ? { kind: "short", bytes } : undefined);
    const log = await openedAndOwned(run);
    await run.work(log);
    assert.ok(run.results.every((result) => result.fate === "stored"));
    await reopenAfterPowerCut(run, "strict", seededRandom(1));
  }
});

test("F6: a refused append whose bytes cannot be erased is unknown, and closes the log", async () => {
  for (const operation of ["append.erase", "append.erase-sync"] as const) {
    for (const code of ["ENOSPC", "EIO"]) {
      const run = new FaultRun(new SimulatedDisk("microtasks"));
      const log = await openedAndOwned(run);
      let written = false;
      run.disk.faults = (name) => {
        if (name === operation) return { kind: "error", code };
        if (name !== "append.write") return undefined;
        if (written) return NO_SPACE;
        written = true;
        return { kind: "short", bytes: 100 };
      };
      assert.equal((await run.append(log, "x".repeat(700))).fate, "unknown");
      assert.equal(run.failures.length, 1);
      assert.deepEqual(await append(log, "later"), { fate: "refused", why: "closed" });
      await log.close();
      await reopenAfterPowerCut(run, "wild", seededRandom(41));
    }
  }
});

test("F6: usage tells how much can be appended without more space", async () => {
  const run = new FaultRun(new SimulatedDisk());
  const log = await openedAndOwned(run);
  while (log.usage().bytesReserved < 2048) await new Promise((resolve) => setImmediate(resolve));
  failFrom(run.disk, ["segment.create"], 1, Number.POSITIVE_INFINITY, NO_SPACE);
  let storedBytes = 0;
  const promised = log.usage().bytesReserved;
  while ((await run.append(log, "x".repeat(380))).fate === "stored") storedBytes += 512;
  assert.equal(storedBytes, promised - (TIGHT_LIMITS.reservedBytes as number));
  while ((await run.append(log, "y".repeat(380), 1)).fate === "stored") storedBytes += 512;
  assert.equal(storedBytes, promised);
  assert.equal(log.usage().bytesReserved, 0);
  await log.close();
});

test("F6: an entry that may use up a share of the reserve leaves the rest, after a restart too", async () => {
  // Room for six entries of a sector, and for the start of an epoch.
  const run = new FaultRun(new SimulatedDisk("microtasks"), 7, { reservedBytes: 7 * 512 });
  let log = await openedAndOwned(run);
  const full = (operation: DiskOperation): Fault | undefined => (operation === "segment.create" ? NO_SPACE : undefined);
  run.disk.faults = full;
  let attempts = 0;
  const storedWith = async (share: number): Promise<number> => {
    let stored = 0;
    while ((await run.append(log, `${attempts++}`.padEnd(100, "x"), share)).fate === "stored") stored += 1;
    return stored;
  };
  await storedWith(0);
  assert.equal(await storedWith(3 / 7), 3);
  assert.equal(await storedWith(0), 0);
  assert.equal(await storedWith(5 / 7), 2);
  run.disk.kill();
  run.disk.restart("strict", seededRandom(1));
  run.disk.faults = full;
  log = await openedAndOwned(run);
  assert.deepEqual([await storedWith(3 / 7), await storedWith(5 / 7), await storedWith(1)], [0, 0, 1]);
  await log.close();
});

test("F6, LIMIT reservedBytes: whenever the disk becomes full, there is room left for what frees space, after a restart too", async () => {
  const storedOnFullDisk = new Set<number>();
  for (let before = 0; before < 9; before++) {
    for (const bytes of [380, 800]) {
      // Room for the start of an epoch, one for each life, and for one more entry.
      const run = new FaultRun(new SimulatedDisk("microtasks"), before + 1, { reservedBytes: 1536 });
      const log = await openedAndOwned(run);
      for (let i = 0; i < before; i++) await run.append(log, `${i}`.padEnd(bytes, "before"));
      const full = (operation: DiskOperation): Fault | undefined =>
        operation === "segment.create" ? NO_SPACE : undefined;
      run.disk.faults = full;
      let stored = 0;
      while ((await run.append(log, `${stored}`.padEnd(bytes, "full"))).fate === "stored") stored += 1;
      storedOnFullDisk.add(stored);
      assert.deepEqual(await run.append(log, "an ordinary one".padEnd(bytes)), { fate: "refused", why: "full" });
      assert.equal((await run.append(log, "a lease ends", 1)).fate, "stored");
      run.disk.kill();
      run.disk.restart("strict", seededRandom(before));
      run.disk.faults = full;
      const reopened = await openedAndOwned(run);
      assert.deepEqual(await run.append(reopened, "an ordinary one again".padEnd(bytes)), {
        fate: "refused",
        why: "full",
      });
      assert.equal((await run.append(reopened, "a key is deleted", 1)).fate, "stored");
      run.disk.faults = undefined;
      assert.equal((await run.append(reopened, "space has returned".padEnd(bytes))).fate, "stored");
      await reopened.close();
    }
  }
  assert.ok(storedOnFullDisk.size > 2, "the disk is to become full at several places in a segment");
});

test("F6: where there is no room for a full-grown segment, the smallest that will do is made", async () => {
  const limits = { segmentBytesFirst: 2048, segmentBytesMax: 16_384 };
  const run = new FaultRun(new SimulatedDisk("microtasks"), 1, limits);
  const log = await openedAndOwned(run);
  let zeroedBytes = 0;
  run.disk.faults = (operation) => {
    if (operation === "segment.create") zeroedBytes = 0;
    if (operation !== "segment.zero") return undefined;
    zeroedBytes += 1024;
    return zeroedBytes > 3072 ? NO_SPACE : undefined;
  };
  for (let i = 0; i < 20; i++) assert.equal((await run.append(log, `${i}`.padEnd(800, "x"))).fate, "stored");
  await reopenAfterPowerCut(run, "strict", seededRandom(5));
});

test("F6: on a full disk, segments that a snapshot made superfluous are used again, empty", async () => {
  const run = new FaultRun(new SimulatedDisk("microtasks"));
  const log = await openedAndOwned(run);
  const state: Buffer[] = [];
  const appendMany = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const payload = `${state.length} `.padEnd(300, "full");
      assert.equal((await run.append(log, payload)).fate, "stored");
      state.push(Buffer.from(payload));
    }
    await log.writeSnapshot(log.lastIndex, state);
  };
  for (let round = 0; round < 5; round++) await appendMany(4);
  run.disk.faults = (operation) => (operation === "segment.create" ? NO_SPACE : undefined);
  // Without the ones used again, three segments at most would be left.
  for (let round = 0; round < 12; round++) await appendMany(4);
  await reopenAfterPowerCut(run, "strict", seededRandom(3));
});

/** Every call whose failure means that something believed durable may not be. */
const SYNCS: readonly DiskOperation[] = ["append.sync", "segment.sync", "folder.sync", "snapshot.sync"];

test("F7: the n-th sync fails, for every n: unknown, closed for good, nothing acknowledged lost", async () => {
  let unknown = 0;
  for (let failAt = 1; ; failAt++) {
    const run = new FaultRun(new SimulatedDisk("microtasks"), failAt);
    const log = await openedAndOwned(run);
    const count = failFrom(run.disk, SYNCS, failAt, failAt, IO_ERROR);
    await run.work(log);
    const failed = count() >= failAt;
    assert.equal(run.failures.length, failed ? 1 : 0);
    if (!failed) break;
    unknown += await assertClosedForGood(run, log);
    await restartTwice(run);
  }
  assert.ok(unknown > 5, `only ${unknown} unknown`);
});

/** @returns how many appends ended as unknown. */
async function assertClosedForGood(run: FaultRun, log: Log): Promise<number> {
  assert.ok(run.failures[0] instanceof LogStorageError);
  const syncs = failFrom(run.disk, ["append.sync"], 0, 0, IO_ERROR);
  assert.deepEqual(await run.append(log, "after the failure"), { fate: "refused", why: "closed" });
  await assert.rejects(log.acquire(), LogClosedError);
  await assert.rejects(log.barrier(), LogClosedError);
  await assert.rejects(
    log.replay(0, () => {}),
    LogClosedError,
  );
  await log.close();
  assert.equal(syncs(), 0, "a sync was tried again");
  const first = run.results.findIndex((result) => result.fate !== "stored");
  assert.ok(run.results.slice(first + 1).every((result) => result.fate === "refused" && result.why === "closed"));
  return run.results.filter((result) => result.fate === "unknown").length;
}

/**
 * First the process alone is started again: it sees the page cache, which may show what the disk
 * does not have. What it then serves must be there after a power cut as well.
 */
async function restartTwice(run: FaultRun): Promise<void> {
  const random = seededRandom(43);
  run.disk.kill();
  run.disk.restart("kind", random);
  run.disk.faults = undefined;
  const log = await run.open();
  run.failures.length = 0;
  await run.work(log, 3);
  run.disk.kill();
  run.disk.restart("strict", random);
  await (await run.open()).close();
}

test("F7, F9: any call fails during opening or creating, for every n: refused with a clear error, later it opens", async () => {
  const random = seededRandom(47);
  for (const startEmpty of [true, false]) {
    for (let failAt = 1; ; failAt++) {
      const run = new FaultRun(new SimulatedDisk("microtasks"), failAt);
      if (!startEmpty) {
        await run.work(await run.open());
        run.disk.kill();
        run.disk.restart("wild", random);
      }
      run.disk.faults = (_operation, _path, count) => (count === failAt ? IO_ERROR : undefined);
      const environment = new TestEnvironment(failAt);
      const options = { folder: FOLDER, disk: run.disk.mount(), limits: TIGHT_LIMITS, environment };
      const opened = await openFileLog(options).catch((error: unknown) => error);
      if (!(opened instanceof Error)) break;
      assert.ok(opened instanceof LogFolderUnreadableError, `n = ${failAt}: ${opened}`);
      assert.match(opened.message, /^cannot use log folder: \/data: .*EIO.*$/);
      run.disk.faults = undefined;
      await (await run.open()).close();
    }
  }
});

test("F7: once a sync has failed, the segment being made in the background is left as it is", async () => {
  const run = new FaultRun(new SimulatedDisk(), 1, { segmentBytesFirst: 65_536, segmentBytesMax: 65_536 });
  const log = await openedAndOwned(run);
  const after: DiskOperation[] = [];
  run.disk.faults = (operation) => {
    if (run.failures.length > 0) after.push(operation);
    return operation === "append.sync" ? IO_ERROR : undefined;
  };
  assert.equal((await run.append(log, "x")).fate, "unknown");
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  await log.close();
  assert.deepEqual(
    after.filter((operation) => operation.startsWith("segment.")),
    [],
  );
});

test("F7: a failure outside of any append is reported at once", async () => {
  const disk = new SimulatedDisk();
  const environment = new TestEnvironment();
  const failed = new Promise<Error>((resolve) => {
    const options = { folder: FOLDER, disk: disk.mount(), limits: TIGHT_LIMITS, environment, onFailure: resolve };
    openFileLog(options).then(async (log) => {
      await log.acquire();
      // The note of the durable index is written by a timer, with nobody waiting for it.
      disk.faults = (operation) => (operation === "owner.write" ? IO_ERROR : undefined);
      environment.fireTimers();
    });
  });
  const error = await failed;
  assert.ok(error instanceof LogStorageError);
  assert.equal(error.operation, "owner.write");
  assert.equal(error.code, "EIO");
});

function isFull(result: { readonly fate: string; readonly why?: string }): boolean {
  return result.fate === "refused" && result.why === "full";
}
