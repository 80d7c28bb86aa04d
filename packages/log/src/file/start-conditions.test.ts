/**
 * F9: every way in which a start can find something other than a sound log, and what it says.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import {
  LogDamagedError,
  LogFolderLockedError,
  LogFolderUnreadableError,
  LogMissingError,
  LogVersionError,
} from "../errors.js";
import { type BuiltLog, buildLog, changed, holding, openImage, segmentPath, withFile } from "../testing/built-log.js";
import { TestEnvironment } from "../testing/seeded.js";
import { type FaultPlan, SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import { openFileLog } from "./open-file-log.js";

const LIMITS = { entryBytesMax: 200, segmentBytesFirst: 1536, segmentBytesMax: 1536, reservedBytes: 512 };
const META = join(FOLDER, "meta");

type ErrorClass = new (...parameters: never[]) => Error;

interface Start {
  /** What the folder holds, from a sound log of three segments and a spare. */
  readonly image?: (built: BuiltLog) => ReadonlyMap<string, Buffer>;
  readonly mustExist?: boolean;
  readonly faults?: FaultPlan;
  readonly error: ErrorClass;
  readonly message: string;
}

const STARTS: { readonly [what: string]: Start } = {
  "an empty folder where a log was expected": {
    image: () => new Map(),
    mustExist: true,
    error: LogMissingError,
    message: "missing log: /data: there is no log in it",
  },
  "meta lost, segments there": {
    image: ({ image }) => withFile(image, META, undefined),
    error: LogMissingError,
    message: "missing log: /data: there is no meta file, but there is more than one segment",
  },
  "meta lost, one segment with entries": {
    image: ({ image }) => new Map([[segmentPath(1), image.get(segmentPath(1))!]]),
    error: LogMissingError,
    message: "missing log: /data: there is no meta file, but there is a segment with entries",
  },
  "meta lost, only a snapshot there": {
    image: () => new Map([["/data/snapshot-0000000000000003", Buffer.alloc(100)]]),
    error: LogMissingError,
    message: "missing log: /data: there is no meta file, but there is a snapshot",
  },
  "only meta there": {
    image: ({ image }) => new Map([[META, image.get(META)!]]),
    error: LogMissingError,
    message: "missing log: /data: there are no segment files",
  },
  "a segment in the middle lost": {
    image: ({ image }) => withFile(image, segmentPath(2), undefined),
    error: LogMissingError,
    message: "missing log: /data: log-0000000000000002 is not there",
  },
  "the first segment lost": {
    image: ({ image }) => withFile(image, segmentPath(1), undefined),
    error: LogMissingError,
    message: "missing log: /data: the log starts with entry 3, but there is no snapshot",
  },
  "meta damaged": {
    image: ({ image }) =>
      withFile(
        image,
        META,
        changed(image.get(META)!, (copy) => (copy[20]! ^= 1)),
      ),
    error: LogDamagedError,
    message: "damaged log: /data/meta at offset 0: the header checksum does not match",
  },
  "meta empty": {
    image: ({ image }) => withFile(image, META, Buffer.alloc(0)),
    error: LogDamagedError,
    message: "damaged log: /data/meta at offset 0: the file ends within its header",
  },
  "meta of a newer program": {
    image: ({ image }) => withFile(image, META, newer(image.get(META)!)),
    error: LogVersionError,
    message: "log format too new: /data/meta: version 2, this program knows 1",
  },
  "a segment of a newer program": {
    image: ({ image }) => withFile(image, segmentPath(2), newer(image.get(segmentPath(2))!)),
    error: LogVersionError,
    message: "log format too new: /data/log-0000000000000002: version 2, this program knows 1",
  },
  "a damaged entry in the middle": {
    image: ({ image }) =>
      withFile(
        image,
        segmentPath(1),
        changed(image.get(segmentPath(1))!, (copy) => (copy[1100]! ^= 1)),
      ),
    error: LogDamagedError,
    message:
      "damaged log: /data/log-0000000000000001 at offset 1024: the entry is not what was written, and more entries follow",
  },
  "a folder that may not be read": {
    faults: (operation) => (operation === "folder.list" ? { kind: "error", code: "EACCES" } : undefined),
    error: LogFolderUnreadableError,
    message:
      "cannot use log folder: /data: log storage failed: folder.list: /data: EACCES: simulated, folder.list /data",
  },
  "a read-only file system": {
    faults: (operation) => (operation === "owner.open" ? { kind: "error", code: "EROFS" } : undefined),
    error: LogFolderUnreadableError,
    message:
      "cannot use log folder: /data: log storage failed: owner.open: /data/owner: EROFS: simulated, owner.open /data/owner",
  },
  "no file handles left": {
    faults: (operation) => (operation === "segment.open" ? { kind: "error", code: "EMFILE" } : undefined),
    error: LogFolderUnreadableError,
    message:
      "cannot use log folder: /data: log storage failed: segment.open: /data/log-0000000000000001: EMFILE: simulated, segment.open /data/log-0000000000000001",
  },
};

/** The same header, whole, with the next version in it. */
function newer(file: Buffer): Buffer {
  return changed(file, (copy) => {
    copy.writeUInt32LE(2, 8);
    copy.writeUInt32LE(crc32(copy.subarray(0, 60)), 60);
  });
}

for (const [what, start] of Object.entries(STARTS)) {
  test(`F9: ${what}: refused, nothing changed`, async () => {
    const built = await buildLog({ limits: LIMITS, payloads: ["a", "b", "c", "d", "e"], ending: "killed" });
    const disk = holding(start.image?.(built) ?? built.image);
    const before = disk.image();
    disk.faults = start.faults;
    const options = {
      folder: FOLDER,
      disk: disk.mount(),
      limits: LIMITS,
      environment: new TestEnvironment(),
      mustExist: start.mustExist ?? false,
    };
    await assert.rejects(openFileLog(options), (error: unknown) => {
      assert.ok(error instanceof start.error, String(error));
      assert.equal(error.message, start.message);
      return true;
    });
    const after = disk.image();
    for (const image of [before, after]) image.delete("/data/owner");
    assert.deepEqual(after, before);
  });
}

test("F9: a log in use: refused", async () => {
  const disk = new SimulatedDisk("microtasks");
  const log = await openImage(new Map(), LIMITS, disk);
  await assert.rejects(openImage(new Map(), LIMITS, disk), LogFolderLockedError);
  await log.close();
  await (await openImage(new Map(), LIMITS, disk)).close();
});

test("F9: a folder that is not there: refused as missing if it must exist, else created", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "holdfast-log-"));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, "a", "b");
  await assert.rejects(openFileLog({ folder, mustExist: true }), LogMissingError);
  await (await openFileLog({ folder })).close();
  await (await openFileLog({ folder, mustExist: true })).close();
});

test("F9: a file where the folder should be: refused as unreadable", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "holdfast-log-"));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, "file");
  await writeFile(folder, "");
  await assert.rejects(openFileLog({ folder }), LogFolderUnreadableError);
});

test("F9: files of others in the folder are left alone", async () => {
  const strangers = new Map(
    ["lost+found", "log-1", "snapshot-latest", "notes.new"].map((name) => [join(FOLDER, name), Buffer.from(name)]),
  );
  const disk = holding(strangers);
  await (await openImage(new Map(), LIMITS, disk)).close();
  const after = disk.image();
  for (const [path, contents] of strangers) assert.deepEqual(after.get(path), contents);
});

test("F9: limits may change between two starts, in both directions", async () => {
  const built = await buildLog({ limits: LIMITS, payloads: ["a", "b", "c", "d", "e"], ending: "killed" });
  const disk = holding(built.image);
  for (const entryBytesMax of [3000, 100, 5000]) {
    const log = await openImage(new Map(), { ...LIMITS, entryBytesMax, segmentBytesMax: 4096 }, disk);
    await log.acquire();
    const fate = await new Promise<string>((resolve) =>
      log.append(Buffer.alloc(entryBytesMax, 1), (result) => resolve(result.fate)),
    );
    assert.equal(fate, "stored");
    await log.close();
  }
});
