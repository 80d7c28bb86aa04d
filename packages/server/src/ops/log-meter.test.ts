import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppendResult, type Log, openMemoryLog } from "@holdfast/log";
import { MeasuredLog } from "./log-meter.js";

const payload = Uint8Array.of(1, 2, 3);

function append(log: Log): Promise<AppendResult> {
  return new Promise((resolve) => log.append(payload, resolve));
}

test("appends are measured from handing over to durable, and those that failed are counted apart", async () => {
  let nowMs = 1_000;
  const log = new MeasuredLog(await openMemoryLog(), () => nowMs);
  await log.acquire();
  const first = append(log);
  nowMs += 250;
  assert.equal((await first).fate, "stored");
  // The next is handed over from within the answer to the one before, as the replica does.
  await new Promise<AppendResult>((resolve) => log.append(payload, () => log.append(payload, resolve)));
  const { appendSeconds, appendedBytes, failedAppends } = log.meter;
  assert.deepEqual([appendSeconds.count, appendSeconds.sum, appendedBytes, failedAppends], [3, 0.25, 9, 0]);
  await log.close();
  assert.equal((await append(log)).fate, "refused");
  assert.deepEqual([log.meter.failedAppends, log.meter.appendSeconds.count], [1, 3]);
});

test("an append while one is in flight is refused by the log, and the one in flight is answered", async () => {
  const log = new MeasuredLog(await openMemoryLog(), () => 0);
  await log.acquire();
  const first = append(log);
  assert.throws(() => log.append(payload, () => assert.fail("nobody asked")));
  assert.equal((await first).fate, "stored");
  await log.close();
});

test("snapshots are measured, those that could not be stored are counted", async () => {
  const log = new MeasuredLog(await openMemoryLog(), () => 0);
  await log.acquire();
  await append(log);
  await log.writeSnapshot(log.lastIndex, [payload]);
  const broken = {
    [Symbol.iterator](): Iterator<Uint8Array> {
      throw new Error("no more chunks");
    },
  };
  await append(log);
  await assert.rejects(log.writeSnapshot(log.lastIndex, broken), { message: "no more chunks" });
  assert.deepEqual([log.meter.snapshotSeconds.count, log.meter.failedSnapshots], [1, 1]);
  await log.close();
});
