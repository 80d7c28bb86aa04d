/**
 * F6 and F7 where appends go past the cache: direct writes that are short, refused, or fail, at the n-th for every n.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LogStorageError } from "../errors.js";
import type { Log } from "../log.js";
import { FaultRun } from "../testing/fault-run.js";
import { append } from "../testing/log-contract.js";
import { seededRandom } from "../testing/seeded.js";
import { type CrashMode, type Fault, SimulatedDisk } from "../testing/simulated-disk.js";
import type { DiskOperation } from "./disk.js";

const IO_ERROR: Fault = { kind: "error", code: "EIO" };
const NO_SPACE: Fault = { kind: "error", code: "ENOSPC" };

async function openedAndOwned(run: FaultRun): Promise<Log> {
  const log = await run.open();
  await log.acquire();
  return log;
}

/** Takes down what is done, and lets the n-th `operation` from now on have `fault`. */
function failingAt(disk: SimulatedDisk, operation: DiskOperation, at: number, fault: Fault): DiskOperation[] {
  const seen: DiskOperation[] = [];
  disk.faults = (name) => {
    seen.push(name);
    return name === operation && seen.filter((one) => one === operation).length === at ? fault : undefined;
  };
  return seen;
}

async function reopen(run: FaultRun, mode: CrashMode, random: () => number): Promise<void> {
  run.disk.kill();
  run.disk.restart(mode, random);
  run.disk.faults = undefined;
  await (await run.open()).close();
}

const modes: readonly CrashMode[] = ["kind", "strict", "wild"];

test("F2: a direct append is one call, stored when it ends and not before, in no need of a sync", async () => {
  const run = new FaultRun(SimulatedDisk.direct("microtasks"));
  const log = await openedAndOwned(run);
  const seen = failingAt(run.disk, "append.direct", 0, IO_ERROR);
  assert.equal((await run.append(log, "stored")).fate, "stored");
  assert.deepEqual(
    seen.filter((operation) => operation.startsWith("append.")),
    ["append.direct"],
  );
  await reopen(run, "strict", seededRandom(1));
});

test("F6: a direct write that takes only a part, of any length: the rest goes through the cache and is synced", async () => {
  for (const bytes of [0, 1, 511, 512, 513, 1023]) {
    const run = new FaultRun(SimulatedDisk.direct("microtasks"), bytes + 1);
    const log = await openedAndOwned(run);
    const seen = failingAt(run.disk, "append.direct", 1, { kind: "short", bytes });
    assert.equal((await run.append(log, "x".repeat(700))).fate, "stored");
    assert.ok(seen.includes("append.write") && seen.includes("append.sync"));
    assert.equal((await run.append(log, "y".repeat(30))).fate, "stored");
    await reopen(run, "strict", seededRandom(bytes));
  }
});

test("F6: a file system that takes the file and refuses the first direct write has nothing written past its cache any more", async () => {
  const run = new FaultRun(SimulatedDisk.direct("microtasks"));
  const log = await run.open();
  const seen: DiskOperation[] = [];
  assert.equal(log.usage().appendWay, "direct");
  run.disk.faults = (operation) => {
    seen.push(operation);
    if (operation !== "append.direct") return undefined;
    run.disk.isDirect = false;
    return { kind: "short", bytes: 0 };
  };
  await run.work(log);
  assert.equal(log.usage().appendWay, "cached");
  assert.ok(run.results.every((result) => result.fate === "stored"));
  assert.equal(seen.filter((operation) => operation === "append.direct").length, 1);
  await reopen(run, "strict", seededRandom(3));
});

test("F6: no space for a direct write: all of its place is zeros again before it is refused, then the log goes on", async () => {
  const random = seededRandom(53);
  for (const mode of modes) {
    for (let at = 1; at <= 6; at++) {
      const run = new FaultRun(SimulatedDisk.direct("microtasks"), at);
      const log = await openedAndOwned(run);
      const seen = failingAt(run.disk, "append.direct", at, NO_SPACE);
      for (let i = 0; i < 6; i++) {
        const { fate } = await run.append(log, `${i}`.padEnd(700, "x"));
        assert.equal(fate, i + 1 === at ? "refused" : "stored");
      }
      assert.ok(seen.includes("append.erase") && seen.includes("append.erase-sync"));
      assert.deepEqual(run.failures, []);
      await reopen(run, mode, random);
    }
  }
});

test("F6: a refused direct append whose place cannot be made zeros is unknown, and closes the log", async () => {
  for (const operation of ["append.erase", "append.erase-sync"] as const) {
    const run = new FaultRun(SimulatedDisk.direct("microtasks"));
    const log = await openedAndOwned(run);
    run.disk.faults = (name) => (name === "append.direct" ? NO_SPACE : name === operation ? IO_ERROR : undefined);
    assert.equal((await run.append(log, "x".repeat(700))).fate, "unknown");
    assert.equal(run.failures.length, 1);
    await log.close();
    await reopen(run, "wild", seededRandom(41));
  }
});

test("F7: the n-th direct write fails, for every n: unknown, closed for good, nothing acknowledged lost", async () => {
  const random = seededRandom(59);
  for (const mode of modes) {
    // The script begins with an entry of its own, for its epoch.
    for (let failAt = 2; failAt <= 12; failAt++) {
      const run = new FaultRun(SimulatedDisk.direct("microtasks"), failAt);
      const log = await openedAndOwned(run);
      const seen = failingAt(run.disk, "append.direct", failAt, IO_ERROR);
      await run.work(log);
      assert.equal(run.failures.length, 1);
      assert.ok(run.failures[0] instanceof LogStorageError);
      assert.match(run.failures[0].message, /append\.direct.*EIO/);
      assert.equal(run.results.at(failAt - 2)?.fate, "unknown");
      const afterwards = seen.slice(seen.lastIndexOf("append.direct") + 1);
      assert.deepEqual(await append(log, "later"), { fate: "refused", why: "closed" });
      assert.ok(!afterwards.includes("append.write") && !afterwards.includes("append.sync"), "it was tried again");
      await log.close();
      await reopen(run, mode, random);
      await reopen(run, "strict", random);
    }
  }
});

test("F7, F25: a segment that cannot be opened for direct writes is written through the cache", async () => {
  const run = new FaultRun(SimulatedDisk.direct("microtasks"));
  run.disk.faults = (operation) =>
    operation === "segment.open-direct" ? { kind: "error", code: "EMFILE" } : undefined;
  const log = await openedAndOwned(run);
  const seen = failingAt(run.disk, "append.direct", 0, IO_ERROR);
  assert.equal((await run.append(log, "stored")).fate, "stored");
  assert.deepEqual(
    seen.filter((operation) => operation.startsWith("append.")),
    ["append.write", "append.sync"],
  );
  await reopen(run, "strict", seededRandom(5));
});
