/**
 * F9: an owner that stood still while it made a segment or wrote a note, and whose log another one took over meanwhile (from another machine or
 * container, where the lock does not reach), changes nothing there when it goes on.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { LogDamagedError, LogFolderLockedError } from "../errors.js";
import { recordsOf, segmentPath, segmentPaths } from "../testing/built-log.js";
import { HoldingDisk, nextTurn, nextTurns } from "../testing/holding-disk.js";
import { append, payloadOf, replayed } from "../testing/log-contract.js";
import { seededRandom, TestEnvironment } from "../testing/seeded.js";
import { SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import { openFileLog } from "./open-file-log.js";

const LIMITS = { entryBytesMax: 1500, segmentBytesFirst: 4096, segmentBytesMax: 4096, reservedBytes: 512 };
/** Its segment is made in the background while the first one is filled. */
const heldSegment = segmentPath(3);

/** A log on it; another one on top of it sees no lock, as from another container. */
function open(holding: HoldingDisk, seed: number, failures: Error[] = [], environment = new TestEnvironment(seed)) {
  const onFailure = (error: Error) => void failures.push(error);
  holding.disk.locks.clear();
  return openFileLog({ folder: FOLDER, disk: holding.disk.mount(), limits: LIMITS, environment, onFailure });
}

const payload = (name: string) => name.padEnd(600, ".");

for (const operation of ["segment.create", "segment.zero", "segment.sync", "segment.publish"] as const) {
  for (const entriesMeanwhile of [2, 9]) {
    test(`F9: an owner held in ${operation} and overtaken loses none of ${entriesMeanwhile} entries of its successor`, async () => {
      const holding = new HoldingDisk(operation, heldSegment);
      const acknowledged: string[] = [];
      const failures: Error[] = [];
      const overtaken = await open(holding, 1, failures);
      await overtaken.acquire();
      for (let i = 0; !holding.isHeld; i++) {
        const stored = append(overtaken, payload(`before ${i}`));
        // The last one may have to wait for the segment.
        if ((await Promise.race([stored, holding.held]))?.fate === "stored") acknowledged.push(payload(`before ${i}`));
      }
      const successor = await open(holding, 2);
      await successor.acquire();
      const put = async (name: string) => {
        assert.equal((await append(successor, payload(name))).fate, "stored");
        acknowledged.push(payload(name));
      };
      for (let i = 0; i < entriesMeanwhile; i++) await put(`meanwhile ${i}`);
      holding.release();
      // It ends by itself, as soon as it looks.
      for (let turns = 0; turns < 1_000 && failures.length === 0; turns++) await nextTurn();
      for (let i = 0; i < 3; i++) await put(`after ${i}`);
      holding.disk.kill();
      holding.disk.restart("strict", seededRandom(1));
      const reopened = await open(holding, 3);
      const found = (await replayed(reopened)).map(payloadOf);
      // The entry in flight when it was held may be there or not.
      assert.deepEqual(
        found.filter((entry) => acknowledged.includes(entry)),
        acknowledged,
      );
      await reopened.close();
    });
  }
}

for (const occasion of ["its timer comes before its next entry", "it is closed"] as const) {
  test(`F9: an owner that was overtaken writes nothing over its successor's mark when ${occasion}`, async () => {
    const disk = new SimulatedDisk();
    const failures: Error[] = [];
    const environment = new TestEnvironment(1);
    const options = { folder: FOLDER, limits: LIMITS, onFailure: (error: Error) => void failures.push(error) };
    const overtaken = await openFileLog({ ...options, disk: disk.mount(), environment });
    await overtaken.acquire();
    await append(overtaken, payload("before"));
    disk.locks.clear();
    const successor = await openFileLog({ ...options, disk: disk.mount(), environment: new TestEnvironment(2) });
    await successor.acquire();
    assert.equal(environment.timersSet, 1);
    if (occasion === "it is closed") await overtaken.close();
    else environment.fireTimers();
    assert.equal((await append(successor, payload("meanwhile"))).fate, "stored");
    assert.equal(failures.length, 1);
    assert.ok(failures[0] instanceof LogFolderLockedError);
    await successor.close();
  });
}

/** The last record of the log is no longer what was written. */
function damageLastRecord(disk: SimulatedDisk): void {
  const path = segmentPaths(disk.image()).findLast((at) => recordsOf(disk.image().get(at)!).length > 0)!;
  disk.rot(path, recordsOf(disk.image().get(path)!).at(-1)!.offset + 100, 1);
}

for (const note of ["a note", "the note of its close"] as const) {
  for (const ending of ["killed", "noted", "closed"] as const) {
    test(`F9: an owner held in writing ${note} and overtaken leaves its successor's mark alone, which is then ${ending}`, async () => {
      const holding = new HoldingDisk("owner.write", join(FOLDER, "owner"), false);
      const failures: Error[] = [];
      const first = new TestEnvironment(1);
      const overtaken = await open(holding, 1, failures, first);
      await overtaken.acquire();
      await append(overtaken, payload("before"));
      holding.isArmed = true;
      if (note === "a note") first.fireTimers();
      const ended = note === "a note" ? undefined : overtaken.close();
      await holding.held;
      const second = new TestEnvironment(2);
      const successor = await open(holding, 2, failures, second);
      await successor.acquire();
      second.fireTimers();
      assert.equal((await append(successor, payload("meanwhile"))).fate, "stored");
      holding.release();
      await ended;
      await nextTurns(holding.disk);
      assert.equal((await append(successor, payload("after"))).fate, "stored");
      assert.deepEqual(failures, []);
      if (note === "a note") assert.equal((await append(overtaken, "too late")).fate, "refused");
      if (ending === "noted") second.fireTimers();
      await nextTurns(holding.disk);
      if (ending === "closed") await successor.close();
      holding.disk.kill();
      holding.disk.restart("kind", seededRandom(1));
      // What the successor noted counts again: without it, this would look like a torn tail.
      if (ending !== "killed") {
        damageLastRecord(holding.disk);
        await assert.rejects(open(holding, 3), LogDamagedError);
        return;
      }
      const reopened = await open(holding, 3);
      assert.deepEqual((await replayed(reopened)).map(payloadOf), ["before", "meanwhile", "after"].map(payload));
      await reopened.close();
    });
  }
}
