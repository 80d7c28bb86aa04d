/**
 * F4: damage to what was durable. Every bit of a small log is flipped, whole files are swapped,
 * lost, doubled and replaced by another log's. A log either refuses to open, leaving everything as it
 * was, or opens with exactly what was stored; only an unproven last entry may be cut.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { LogDamagedError, LogMissingError, LogVersionError } from "../errors.js";
import {
  type BuildPlan,
  type BuiltLog,
  buildLog,
  changed,
  holding,
  type Image,
  openImage,
  recordsOf,
  segmentPath,
  segmentPaths,
  snapshotChunks,
  withFile,
} from "../testing/built-log.js";
import { payloadOf, replayed, snapshotOf } from "../testing/log-contract.js";
import { FOLDER } from "../testing/simulated-place.js";
import { openFileLog } from "./open-file-log.js";

/** Two records to a segment, so that few bytes make several segments. */
const LIMITS = { entryBytesMax: 200, segmentBytesFirst: 1536, segmentBytesMax: 1536, reservedBytes: 512 };
const PAYLOADS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"];
const ALL_BITS = [0, 1, 2, 3, 4, 5, 6, 7];
const OWNER = join(FOLDER, "owner");
const META = join(FOLDER, "meta");

function smallLog(ending: BuildPlan["ending"], seed?: number): Promise<BuiltLog> {
  return buildLog({ limits: LIMITS, payloads: PAYLOADS, snapshotsAfter: [1, 3], ending }, seed);
}

/** "whole", "cut" if the last entry is gone, "older snapshot" if only that differs, or "refused". Anything else fails. */
async function outcomeOf(built: BuiltLog, image: Image): Promise<string> {
  const disk = holding(image);
  try {
    const log = await openImage(image, LIMITS, disk);
    const { index } = log.snapshot ?? { index: 0 };
    if (index > 0) assert.deepEqual(await snapshotOf(log), snapshotChunks(index).map(String));
    const seen = (await replayed(log, index)).map(payloadOf);
    const expected = [...built.payloads].filter(([at]) => at > index).map(([, payload]) => payload);
    const isCut = log.lastIndex === built.lastIndex - 1;
    assert.ok(isCut || log.lastIndex === built.lastIndex);
    assert.deepEqual(seen, isCut ? expected.slice(0, -1) : expected);
    if (isCut) return "cut";
    return index === newestSnapshot(built) ? "whole" : "older snapshot";
  } catch (error) {
    assert.ok(isRefusal(error), String(error));
    assertUntouched(image, disk.image());
    return "refused";
  } finally {
    disk.kill();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof LogDamagedError || error instanceof LogMissingError || error instanceof LogVersionError;
}

/** The owner file names the opener; nothing else may change in a refused opening. */
function assertUntouched(before: Image, after: Image): void {
  for (const [path, contents] of before)
    if (path !== OWNER) assert.ok(after.get(path)?.equals(contents), `${path} was changed`);
  for (const path of after.keys()) assert.ok(path === OWNER || before.has(path), `${path} was created`);
}

function newestSnapshot(built: BuiltLog): number {
  return [...built.payloads.keys()][2]!;
}

/** Flips every bit of a file, one after the other; of a zero byte only one, since all of them look alike. */
async function flipAll(built: BuiltLog, path: string, expected: (offset: number) => readonly string[]): Promise<void> {
  const contents = built.image.get(path)!;
  for (let offset = 0; offset < contents.length; offset++) {
    for (const bit of contents[offset] === 0 ? [offset % 8] : ALL_BITS) {
      const flipped = changed(contents, (copy) => (copy[offset]! ^= 1 << bit));
      const outcome = await outcomeOf(built, withFile(built.image, path, flipped));
      assert.ok(expected(offset).includes(outcome), `${path} byte ${offset} bit ${bit}: ${outcome}`);
    }
  }
}

test("F4: every bit of the meta file: refused", async () => {
  await flipAll(await smallLog("killed"), META, () => ["refused"]);
});

test("F4: every bit of every sealed segment: refused", async () => {
  const built = await smallLog("killed");
  const paths = segmentPaths(built.image);
  for (const path of paths.slice(0, -2)) await flipAll(built, path, () => ["refused"]);
  assert.ok(paths.length >= 4);
});

test("F4: every bit of the last segment: refused, or cut from the unproven last record on", async () => {
  const built = await smallLog("killed");
  const path = segmentPaths(built.image).at(-2)!;
  const last = recordsOf(built.image.get(path)!).at(-1)!;
  await flipAll(built, path, (offset) => {
    if (offset < last.offset) return ["refused"];
    // Behind the record nothing is stored: what is found there is cut, and no entry with it.
    return offset < last.end ? ["cut"] : ["whole"];
  });
});

test("F4: every bit of the last segment of a log that was closed: refused", async () => {
  const built = await smallLog("closed");
  const path = segmentPaths(built.image).at(-2)!;
  const last = recordsOf(built.image.get(path)!).at(-1)!;
  await flipAll(built, path, (offset) => [offset < last.end ? "refused" : "whole"]);
});

test("F4: every bit of a spare segment: cleaned, nothing lost", async () => {
  const built = await smallLog("killed");
  await flipAll(built, segmentPaths(built.image).at(-1)!, () => ["whole"]);
});

test("F4: every bit of the owner file: it only ever adds proof", async () => {
  await flipAll(await smallLog("noted"), OWNER, (offset) =>
    offset >= 8 && offset < 12 ? ["whole", "refused"] : ["whole"],
  );
});

test("F4, F5: every bit of the newest snapshot: the one before it is used", async () => {
  const built = await smallLog("killed");
  const path = join(FOLDER, `snapshot-${String(newestSnapshot(built)).padStart(16, "0")}`);
  await flipAll(built, path, () => ["older snapshot"]);
});

test("F4: numbers that no log has, under checksums that match: an owner file proves nothing, others are refused", async () => {
  const built = await smallLog("closed");
  const [segment] = segmentPaths(built.image);
  for (const [path, part, expected] of [
    [OWNER, 0, "whole"],
    [OWNER, 64, "whole"],
    [META, 0, "refused"],
    [segment!, 0, "refused"],
  ] as const) {
    for (const at of [part + 32, part + 40]) {
      const forged = changed(built.image.get(path)!, (copy) => {
        copy.fill(0xff, at, at + 8);
        copy.writeUInt32LE(crc32(copy.subarray(part, part + 60)), part + 60);
      });
      assert.equal(await outcomeOf(built, withFile(built.image, path, forged)), expected, `${path} at ${at}`);
    }
  }
});

test("F4: segments swapped, lost, doubled, under another name: refused", async () => {
  const built = await smallLog("closed");
  const { image } = built;
  const paths = segmentPaths(image);
  for (const one of paths.slice(0, -1)) {
    assert.equal(await outcomeOf(built, withFile(image, one, undefined)), "refused", `${one} lost`);
    for (const other of paths) {
      if (other === one) continue;
      const swapped = withFile(withFile(image, one, image.get(other)), other, image.get(one));
      assert.equal(await outcomeOf(built, swapped), "refused", `${one} and ${other} swapped`);
      assert.equal(await outcomeOf(built, withFile(image, other, image.get(one))), "refused", `${one} over ${other}`);
    }
  }
  assert.equal(await outcomeOf(built, withFile(image, segmentPath(99), image.get(paths[0]!))), "refused");
  assert.equal(await outcomeOf(built, withFile(image, paths.at(-1)!, undefined)), "whole", "a lost spare is no loss");
});

test("F4: any file of another log: refused", async () => {
  const built = await smallLog("closed");
  const foreign = await smallLog("closed", 1234);
  for (const path of [META, ...segmentPaths(built.image).slice(0, -1)]) {
    assert.equal(await outcomeOf(built, withFile(built.image, path, foreign.image.get(path))), "refused", path);
  }
  // Another log's owner file proves nothing about this one.
  assert.equal(await outcomeOf(built, withFile(built.image, OWNER, foreign.image.get(OWNER))), "whole");
});

test("F4: an older copy of the last segment: refused", async () => {
  const built = await smallLog("closed");
  const path = segmentPaths(built.image).at(-2)!;
  const last = recordsOf(built.image.get(path)!).at(-1)!;
  const older = changed(built.image.get(path)!, (copy) => copy.fill(0, last.offset));
  assert.equal(await outcomeOf(built, withFile(built.image, path, older)), "refused");
});

test("F4: an entry of another history with correct checksums breaks the chain: refused", async () => {
  const built = await smallLog("closed");
  const other = await buildLog({
    limits: LIMITS,
    payloads: PAYLOADS.with(2, "THIRD"),
    snapshotsAfter: [1, 3],
    ending: "closed",
  });
  // Same identity, same boot, same lengths: only one payload differs, three entries back.
  assert.ok(other.image.get(META)!.equals(built.image.get(META)!));
  const paths = segmentPaths(built.image);
  const grafted = withFile(built.image, paths[1]!, other.image.get(paths[1]!));
  const disk = holding(grafted);
  await assert.rejects(openImage(grafted, LIMITS, disk), (error: unknown) => {
    assert.ok(error instanceof LogDamagedError);
    assert.equal(error.reason, "entry does not continue the one before it");
    return true;
  });
  assertUntouched(grafted, disk.image());
});

test("F4: damage found while running is an error, never a gap, and closes the log", async () => {
  const built = await buildLog({ limits: LIMITS, payloads: PAYLOADS, ending: "killed" });
  const disk = holding(built.image);
  const failures: Error[] = [];
  const log = await openFileLog({
    folder: FOLDER,
    disk: disk.mount(),
    limits: LIMITS,
    onFailure: (error) => failures.push(error),
  });
  await log.acquire();
  const file = await disk.mount().open("segment.open", segmentPaths(built.image)[1]!, "update");
  await file.write("tail.zero", Buffer.from("?"), 0, 1, 600);
  await assert.rejects(replayed(log), LogDamagedError);
  assert.ok(failures[0] instanceof LogDamagedError);
  const result = await new Promise((resolve) => log.append(Buffer.from("late"), resolve));
  assert.deepEqual(result, { fate: "refused", why: "closed" });
  await log.close();
});
