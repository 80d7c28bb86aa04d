/**
 * F3, exhaustively: a log of 50 entries is cut at every byte, loses every sector, and loses every
 * subset of its last record's sectors. What must become of it is computed by an oracle that knows
 * the undamaged files.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LogDamagedError } from "../errors.js";
import {
  type BuildPlan,
  type BuiltLog,
  buildLog,
  changed,
  holding,
  openImage,
  type RecordPlace,
  recordsOf,
  segmentPath,
  withFile,
} from "../testing/built-log.js";
import { payloadOf, replayed, stored } from "../testing/log-contract.js";
import { seededRandom } from "../testing/seeded.js";
import { openFileLog } from "./open-file-log.js";

const LIMITS = { entryBytesMax: 6144, segmentBytesFirst: 48 * 1024, segmentBytesMax: 48 * 1024, reservedBytes: 512 };
const SECTOR = 512;
const LAST_SECTORS = 12;
const SEGMENT = segmentPath(1);
/** For the tests whose answer does not depend on the byte. A prime, so that it meets every position in a sector. */
const COARSE_STEP = 13;

/** 49 payloads, which with the start of the epoch makes 50 entries; the last one fills 12 sectors. */
function fiftyEntries(ending: BuildPlan["ending"]): Promise<BuiltLog> {
  const random = seededRandom(3);
  const lengths = Array.from({ length: 48 }, () => 1 + Math.floor(random() * 120));
  const lastPayload = LAST_SECTORS * SECTOR - 64 - 68;
  const payloads = [...lengths, lastPayload].map((length, i) => randomText(random, length, i));
  return buildLog({ limits: LIMITS, payloads, ending });
}

/** No byte is zero, so every lost sector shows. */
function randomText(random: () => number, length: number, number: number): string {
  return Array.from({ length }, (_, i) =>
    String.fromCharCode(33 + ((number + i + Math.floor(random() * 60)) % 90)),
  ).join("");
}

/** How many entries a log must open with, or "refused". `noted` is what the owner file claims. */
function oracle(whole: Buffer, damaged: Buffer, records: readonly RecordPlace[], noted: number): number | "refused" {
  const same = (from: number, to: number) => whole.subarray(from, to).equals(damaged.subarray(from, to));
  if (damaged.length !== whole.length || !same(0, SECTOR)) return "refused";
  const firstBad = records.find((record) => !same(record.offset, record.end));
  if (firstBad === undefined) return records.length;
  // In this log every record was written when all before it were durable.
  const readableLater = records.some(
    (record) => record.index > firstBad.index && same(record.offset, record.offset + 64),
  );
  if (readableLater || noted >= firstBad.index) return "refused";
  return firstBad.index - 1;
}

async function outcomeOf(built: BuiltLog, segment: Buffer): Promise<number | "refused"> {
  const disk = holding(withFile(built.image, SEGMENT, segment));
  try {
    const log = await openImage(built.image, LIMITS, disk);
    const payloads = (await replayed(log)).map(payloadOf);
    const expected = [...built.payloads.values()].slice(0, Math.max(0, log.lastIndex - 1));
    assert.deepEqual(payloads, expected);
    return log.lastIndex;
  } catch (error) {
    if (!(error instanceof LogDamagedError)) throw error;
    assert.ok(disk.image().get(SEGMENT)!.equals(segment), "a refused opening changed the segment");
    return "refused";
  } finally {
    disk.kill();
  }
}

async function checkAll(
  built: BuiltLog,
  noted: number,
  damages: Iterable<[string, Buffer]>,
): Promise<Map<number | "refused", number>> {
  const whole = built.image.get(SEGMENT)!;
  const records = recordsOf(whole);
  assert.equal(records.length, 50);
  const counts = new Map<number | "refused", number>();
  for (const [name, damaged] of damages) {
    const expected = oracle(whole, damaged, records, noted);
    assert.equal(await outcomeOf(built, damaged), expected, name);
    counts.set(expected, (counts.get(expected) ?? 0) + 1);
  }
  return counts;
}

function* lostFrom(whole: Buffer, end: number, step: number): Iterable<[string, Buffer]> {
  for (let at = end; at >= 0; at -= step) {
    // A zero lost is the same file as before.
    if (whole[at] === 0 && at < end) continue;
    yield [`everything from byte ${at} lost`, changed(whole, (copy) => copy.fill(0, at, end))];
  }
}

function* cutAt(whole: Buffer, step: number): Iterable<[string, Buffer]> {
  for (let at = whole.length - 1; at >= 0; at -= step) yield [`cut at byte ${at}`, whole.subarray(0, at)];
}

function* eachSectorLost(whole: Buffer, end: number): Iterable<[string, Buffer]> {
  for (let at = 0; at < end; at += SECTOR)
    yield [`sector at ${at} lost`, changed(whole, (copy) => copy.fill(0, at, at + SECTOR))];
}

function* eachSubsetLost(whole: Buffer, last: RecordPlace): Iterable<[string, Buffer]> {
  for (let subset = 0; subset < 2 ** LAST_SECTORS; subset++) {
    const lose = (copy: Buffer) => {
      for (let sector = 0; sector < LAST_SECTORS; sector++) {
        const at = last.offset + sector * SECTOR;
        if (subset & (1 << sector)) copy.fill(0, at, at + SECTOR);
      }
    };
    yield [`sectors ${subset.toString(2)} of the last record lost`, changed(whole, lose)];
  }
}

test("F3: everything from any byte on lost: the longest chain stays, unless it had been proven durable", async () => {
  const built = await fiftyEntries("killed");
  const whole = built.image.get(SEGMENT)!;
  const counts = await checkAll(built, 0, lostFrom(whole, recordsOf(whole).at(-1)!.end, 1));
  // Every length from the empty log to the whole one was met, and the header refuses.
  for (let entries = 0; entries <= 50; entries++) assert.ok(counts.has(entries), `never ${entries} entries`);
  assert.ok(counts.has("refused"));
});

test("F3: with a note of the durable index, every loss below it refuses to open", async () => {
  const built = await fiftyEntries("noted");
  const whole = built.image.get(SEGMENT)!;
  const counts = await checkAll(built, 50, lostFrom(whole, recordsOf(whole).at(-1)!.end, COARSE_STEP));
  assert.deepEqual([...counts.keys()].sort(), [50, "refused"]);
});

test("F3: a file shorter than it was made refuses to open, wherever it was cut", async () => {
  const built = await fiftyEntries("killed");
  const counts = await checkAll(built, 0, cutAt(built.image.get(SEGMENT)!, COARSE_STEP));
  assert.deepEqual([...counts.keys()], ["refused"]);
});

test("F3: each sector lost: the last record is cut, damage before it refuses", async () => {
  const built = await fiftyEntries("killed");
  const whole = built.image.get(SEGMENT)!;
  const counts = await checkAll(built, 0, eachSectorLost(whole, recordsOf(whole).at(-1)!.end));
  assert.deepEqual([...counts.keys()].sort(), [49, "refused"]);
});

test("F3: each subset of the last record's sectors lost: only the whole record counts", async () => {
  const built = await fiftyEntries("killed");
  const whole = built.image.get(SEGMENT)!;
  const counts = await checkAll(built, 0, eachSubsetLost(whole, recordsOf(whole).at(-1)!));
  assert.deepEqual(
    counts,
    new Map<number | "refused", number>([
      [50, 1],
      [49, 2 ** LAST_SECTORS - 1],
    ]),
  );
});

test("F3: cut bytes are copied aside and reported, zeroed, and a new entry takes their place", async () => {
  const built = await fiftyEntries("killed");
  const whole = built.image.get(SEGMENT)!;
  const last = recordsOf(whole).at(-1)!;
  const torn = changed(whole, (copy) => copy.fill(0, last.offset + SECTOR, last.offset + 2 * SECTOR));
  const disk = holding(withFile(built.image, SEGMENT, torn));
  const reports: unknown[] = [];
  const log = await openFileLog({
    folder: "/data",
    disk: disk.mount(),
    limits: LIMITS,
    onRecovery: (report) => reports.push(report),
  });
  const bytesCut = last.end - last.offset;
  assert.deepEqual(reports, [{ bytesCut, cutFiles: ["/data/cut-0000000000000001"], damagedSnapshots: [] }]);
  const image = disk.image();
  assert.ok(image.get("/data/cut-0000000000000001")!.equals(torn.subarray(last.offset, last.end)));
  assert.ok(
    image
      .get(SEGMENT)!
      .subarray(last.offset)
      .every((byte) => byte === 0),
  );
  assert.equal(await log.acquire(), 2);
  assert.equal(log.lastIndex, 50);
  await log.close();
});

test("F3: an append that opens a segment loses each subset of its sectors: the segment is cleaned and used again", async () => {
  const limits = { entryBytesMax: 900, segmentBytesFirst: 2048, segmentBytesMax: 2048, reservedBytes: 512 };
  // The first segment takes the epoch and two payloads; the third opens the second one, with three sectors.
  const payloads = ["a".repeat(300), "b".repeat(300), "c".repeat(900)];
  const built = await buildLog({ limits, payloads, ending: "killed" });
  const path = segmentPath(2);
  const whole = built.image.get(path)!;
  for (let lost = 0; lost < 2 ** 4; lost++) {
    const torn = changed(whole, (copy) => {
      for (let sector = 0; sector < 4; sector++)
        if (lost & (1 << sector)) copy.fill(0, sector * SECTOR, (sector + 1) * SECTOR);
    });
    const disk = holding(withFile(withFile(built.image, path, torn), segmentPath(3), undefined));
    const log = await openImage(built.image, limits, disk);
    const kept = lost === 0 ? payloads : payloads.slice(0, 2);
    assert.deepEqual((await replayed(log)).map(payloadOf), kept, `lost ${lost.toString(2)}`);
    if (lost > 0) assert.equal(disk.image().get(path)!.includes("ccc"), false);
    await log.acquire();
    for (const payload of ["d", "e", "f", "g"]) await stored(log, payload);
    disk.kill();
    disk.restart("strict", () => 0);
    const reopened = await openImage(built.image, limits, disk);
    assert.deepEqual((await replayed(reopened)).map(payloadOf), [...kept, "d", "e", "f", "g"]);
    disk.kill();
  }
});
