/**
 * F9: an owner that stood still while it made a segment, and whose log another one took over meanwhile (from another machine or
 * container, where the lock does not reach), changes nothing there when it goes on.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogFolderLockedError } from "../errors.js";
import { segmentPath } from "../testing/built-log.js";
import { append, payloadOf, replayed } from "../testing/log-contract.js";
import { seededRandom, TestEnvironment } from "../testing/seeded.js";
import { SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import type { DiskOperation } from "./disk.js";
import { openFileLog } from "./open-file-log.js";

const LIMITS = { entryBytesMax: 1500, segmentBytesFirst: 4096, segmentBytesMax: 4096, reservedBytes: 512 };
/** Its segment is made in the background while the first one is filled. */
const heldSegment = segmentPath(3);

/** A disk on which the first such call for a segment waits until it is released. */
class HoldingDisk {
  readonly disk: SimulatedDisk;
  release: () => void = () => {};
  isHeld = false;
  readonly held: Promise<void>;
  #hold: () => void = () => {};

  constructor(operation: DiskOperation) {
    this.held = new Promise((resolve) => {
      this.#hold = resolve;
    });
    this.disk = new SimulatedDisk((called, path) => {
      if (this.isHeld || called !== operation || !path.startsWith(heldSegment)) return nextTurn();
      this.isHeld = true;
      this.#hold();
      return new Promise((resolve) => {
        this.release = resolve;
      });
    });
  }

  open(seed: number, failures: Error[] = []) {
    const environment = new TestEnvironment(seed);
    const onFailure = (error: Error) => void failures.push(error);
    return openFileLog({ folder: FOLDER, disk: this.disk.mount(), limits: LIMITS, environment, onFailure });
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const payload = (name: string) => name.padEnd(600, ".");

for (const operation of ["segment.create", "segment.zero", "segment.sync", "segment.publish"] as const) {
  for (const entriesMeanwhile of [2, 9]) {
    test(`F9: an owner held in ${operation} and overtaken loses none of ${entriesMeanwhile} entries of its successor`, async () => {
      const holding = new HoldingDisk(operation);
      const acknowledged: string[] = [];
      const failures: Error[] = [];
      const overtaken = await holding.open(1, failures);
      await overtaken.acquire();
      for (let i = 0; !holding.isHeld; i++) {
        const stored = append(overtaken, payload(`before ${i}`));
        // The last one may have to wait for the segment.
        if ((await Promise.race([stored, holding.held]))?.fate === "stored") acknowledged.push(payload(`before ${i}`));
      }
      holding.disk.locks.clear();
      const successor = await holding.open(2);
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
      const reopened = await holding.open(3);
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
