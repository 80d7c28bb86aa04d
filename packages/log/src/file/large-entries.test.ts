/** Entries long enough that their records' checksums are made of those in their frames. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LogDamagedError } from "../errors.js";
import { payloadOf, replayed } from "../testing/log-contract.js";
import { seededRandom, TestEnvironment } from "../testing/seeded.js";
import { SimulatedDisk } from "../testing/simulated-disk.js";
import { FOLDER } from "../testing/simulated-place.js";
import { openFileLog } from "./open-file-log.js";

const LENGTHS = [16 * 1024 - 1, 16 * 1024, 20_000, 65_536 - 68, 300_001, 1 << 20];

function open(disk: SimulatedDisk) {
  return openFileLog({ folder: FOLDER, disk: disk.mount(), environment: new TestEnvironment(1) });
}

async function filled(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk("microtasks");
  const log = await open(disk);
  await log.acquire();
  for (const length of LENGTHS) {
    const result = await new Promise<{ fate: string }>((done) => log.append(Buffer.alloc(length, `${length} `), done));
    assert.equal(result.fate, "stored");
  }
  await log.close();
  disk.kill();
  disk.restart("strict", seededRandom(1));
  return disk;
}

test("long entries are there when the log is opened again", async () => {
  const log = await open(await filled());
  const payloads = (await replayed(log)).map((entry) => Buffer.from(payloadOf(entry)));
  assert.equal(payloads.length, LENGTHS.length);
  for (const [n, length] of LENGTHS.entries()) assert.ok(payloads[n]!.equals(Buffer.alloc(length, `${length} `)));
  await log.close();
});

test("a bit that turned anywhere in a long entry is found by its record", async () => {
  const image = (await filled()).image();
  const [path] = [...image].find(([, bytes]) => bytes.indexOf("20000 ") > 0)!;
  const start = image.get(path)!.indexOf("20000 ");
  for (const at of [start, start + 9_999, start + 19_999]) {
    const disk = await filled();
    disk.rot(path, at, 4);
    await assert.rejects(open(disk), (error: unknown) => {
      assert.ok(error instanceof LogDamagedError);
      assert.match(error.reason, /not what was written/);
      return true;
    });
  }
});
