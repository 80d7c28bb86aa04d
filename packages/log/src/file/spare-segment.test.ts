/** Files that are used again as segments, and what becomes of them where handles or space are short. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { checkedLimits } from "../limits.js";
import { type Fault, SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER, SMALL_LIMITS } from "../testing/simulated-place.js";
import type { DiskOperation } from "./disk.js";
import { segmentName, unfinished } from "./file-names.js";
import { SpareSegment } from "./spare-segment.js";

const NO_HANDLES: Fault = { kind: "error", code: "EMFILE" };
const NO_SPACE: Fault = { kind: "error", code: "ENOSPC" };
const OLD_BYTES = 16384;
const old = unfinished(join(FOLDER, segmentName(1)));
const next = join(FOLDER, segmentName(2));

/** A spare segment's maker with one file to use again, and a disk that refuses the first `operation`. */
function withOld(operation: DiskOperation, fault: Fault) {
  const disk = SimulatedDisk.holding(new Map([[old, Buffer.alloc(OLD_BYTES, 1)]]), "microtasks");
  const seen: DiskOperation[] = [];
  disk.faults = (name) => {
    seen.push(name);
    return name === operation && seen.filter((one) => one === operation).length === 1 ? fault : undefined;
  };
  const failures: Error[] = [];
  const spare = new SpareSegment(disk.mount(), FOLDER, checkedLimits(SMALL_LIMITS), (error) => failures.push(error));
  spare.recycle(old, OLD_BYTES);
  return { disk, seen, failures, spare };
}

function made(spare: SpareSegment): Promise<number | undefined> {
  return new Promise((resolve) => {
    spare.prepare(2, 8192, 512);
    spare.whenReady((ready) => resolve(ready?.bytes));
  });
}

test("F25: a file that no handle is left for is not forgotten, and is used again as soon as there is one", async () => {
  const { disk, failures, spare } = withOld("segment.open", NO_HANDLES);
  assert.equal(await made(spare), undefined);
  assert.deepEqual([spare.recycledBytes, [...disk.image().keys()]], [OLD_BYTES, [old]]);
  assert.equal(await made(spare), OLD_BYTES);
  assert.deepEqual([spare.recycledBytes, [...disk.image().keys()]], [0, [next]]);
  assert.ok(
    disk
      .image()
      .get(next)!
      .every((byte) => byte === 0),
  );
  assert.deepEqual(failures, []);
});

test("F25: where no handle is left to make the name durable, the file is closed and gone, and the next one is made", async () => {
  const { disk, seen, failures, spare } = withOld("folder.sync", NO_HANDLES);
  assert.equal(await made(spare), undefined);
  assert.deepEqual(seen.slice(-3), ["folder.sync", "handle.close", "leftover.remove"]);
  assert.deepEqual([...disk.image().keys()], []);
  assert.equal(await made(spare), 8192);
  assert.deepEqual([[...disk.image().keys()], failures], [[next], []]);
});

test("F6: a file to be used again that cannot be filled is gone, and the smallest that will do is made in its place", async () => {
  const { disk, failures, spare } = withOld("segment.zero", NO_SPACE);
  const bytes = await made(spare);
  assert.ok(bytes !== undefined && bytes < 8192, `${bytes}`);
  assert.deepEqual([...disk.image().keys()], [next]);
  assert.deepEqual([spare.recycledBytes, failures], [0, []]);
});

test("F9: a file is not touched again once the folder is another owner's", async () => {
  const { disk, seen, failures, spare } = withOld("folder.sync", NO_HANDLES);
  spare.assertOurs = () => {
    throw new Error("taken over");
  };
  assert.equal(await made(spare), undefined);
  assert.deepEqual([seen, [...disk.image().keys()]], [[], [old]]);
  assert.equal(failures.length, 1);
});
