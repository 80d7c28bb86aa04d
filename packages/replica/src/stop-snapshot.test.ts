/** What closing leaves for the next start: snapshots instead of a long log, where they can be had at little cost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Log, LogFullError, MemoryStore, openMemoryLog } from "@holdfast/log";
import { createPutRequest } from "@holdfast/protocol";
import type { ReplicaLimits } from "./limits.js";
import { SnapshotGivenUpError } from "./maintenance.js";
import { Replica, type ReplicaOptions } from "./replica.js";
import { byteString, Harness } from "./testing/harness.js";
import { ManualEnvironment } from "./testing/manual-environment.js";
import { ScriptedLog } from "./testing/scripted-log.js";

const keysCount = 30;

/** Puts `keysCount` keys and closes. */
async function filledAndClosed(limits: Partial<ReplicaLimits>): Promise<Log> {
  const harness = await Harness.start(limits);
  for (let i = 0; i < keysCount; i++) await harness.put(`k${i}`, "v".repeat(100));
  return harness.reopenLog();
}

/** A replica on `log` that was told to leave snapshots, and what it says of those that failed. */
async function closedOn(
  log: Log,
  options: Partial<ReplicaOptions> = {},
  environment = new ManualEnvironment(),
): Promise<unknown[]> {
  const failures: unknown[] = [];
  const limits = { stopSnapshotAfterCommands: 1 };
  const onStopSnapshotFailure = (cause: unknown) => void failures.push(cause);
  const replica = await Replica.start({
    log,
    environment,
    limits,
    onFatal: () => {},
    onStopSnapshotFailure,
    ...options,
  });
  const put = { kind: "put", request: createPutRequest({ key: byteString("k") }) } as const;
  const settled = new Promise<void>((resolve) =>
    replica.propose(put, { settled: () => resolve(), failed: assert.fail }),
  );
  environment.runDeferred();
  await settled;
  await replica.close();
  return failures;
}

async function assertWhole(log: Log, keyCount: number): Promise<void> {
  const { machine } = await Replica.start({ log, environment: new ManualEnvironment(), onFatal: assert.fail });
  assert.equal(machine.keyCount, keyCount);
}

test("LIMIT stopSnapshotAfterCommands: closing leaves two snapshots and no log before them, from so many commands on", async () => {
  const before = await filledAndClosed({ stopSnapshotAfterCommands: keysCount + 1 });
  assert.equal(before.snapshot, undefined);
  const log = await filledAndClosed({ stopSnapshotAfterCommands: keysCount });
  assert.equal(log.snapshot?.index, log.lastIndex);
  assert.equal(log.usage().firstIndex, log.lastIndex);
  await assertWhole(log, keysCount);
});

test("LIMIT stopSnapshotAfterBytes: or from so many bytes on", async () => {
  assert.equal((await filledAndClosed({ stopSnapshotAfterBytes: 1_000_000 })).snapshot, undefined);
  const log = await filledAndClosed({ stopSnapshotAfterBytes: 5_000 });
  assert.equal(log.snapshot?.index, log.lastIndex);
});

test("LIMIT stopSnapshotStateBytesMax: a state that takes long to write is not written while somebody waits for the end", async () => {
  const limits = { stopSnapshotAfterCommands: 1, stopSnapshotStateBytesMax: 1_000 };
  const log = await filledAndClosed(limits);
  assert.equal(log.snapshot, undefined);
  await assertWhole(log, keysCount);
});

test("a large state is not written at a stop for the sake of a little log", async () => {
  const limits = { snapshotAfterBytes: 500, stopSnapshotAfterCommands: 1 };
  const harness = await Harness.start(limits);
  await harness.put("large", "v".repeat(100_000));
  await harness.settle();
  for (let i = 0; i < keysCount; i++) await harness.put(`k${i}`);
  assert.equal((await harness.reopenLog()).snapshot?.index, 2);
});

test("what was replayed counts, so that a start that was cut short is made up for", async () => {
  const environment = new ManualEnvironment();
  const harness = await Harness.start();
  for (let i = 0; i < keysCount; i++) await harness.put(`k${i}`);
  const limits = { stopSnapshotAfterCommands: keysCount };
  const log = await harness.reopenLog();
  harness.replica = await Replica.start({ log, environment, limits, onFatal: assert.fail });
  const again = await harness.reopenLog();
  assert.equal(again.snapshot?.index, again.lastIndex);
});

test("LIMIT stopSnapshotMsMax: a snapshot that takes longer is given up, and the log has everything", async () => {
  const store = new MemoryStore();
  const environment = new ManualEnvironment();
  const log = await openMemoryLog({ store });
  const { writeSnapshot } = log;
  log.writeSnapshot = (index, chunks) => {
    environment.stall(3_001);
    return writeSnapshot.call(log, index, chunks);
  };
  const failures = await closedOn(log, {}, environment);
  assert.ok(failures[0] instanceof SnapshotGivenUpError);
  const again = await openMemoryLog({ store });
  assert.equal(again.snapshot, undefined);
  await assertWhole(again, 1);
});

test("LIMIT stopSnapshotMsMax: one that was under way when the stop began is told as given up, not as a failure while serving", async () => {
  const environment = new ManualEnvironment();
  const log = await openMemoryLog({ store: new MemoryStore() });
  const { writeSnapshot } = log;
  log.writeSnapshot = async (index, chunks) => {
    // By then it is being closed.
    await new Promise((resolve) => setImmediate(resolve));
    environment.stall(3_001);
    return writeSnapshot.call(log, index, chunks);
  };
  const limits = { snapshotAfterCommands: 1, snapshotAfterBytes: 1 };
  const failures = await closedOn(log, { limits, onSnapshotFailure: () => assert.fail() }, environment);
  assert.equal(failures.length, 1);
  assert.ok(failures[0] instanceof SnapshotGivenUpError);
});

test("LIMIT stopSecondSnapshotMsMax: a stop that took long for one snapshot is not held up by a second", async () => {
  const store = new MemoryStore();
  const environment = new ManualEnvironment();
  const log = await openMemoryLog({ store });
  const { writeSnapshot } = log;
  log.writeSnapshot = (index, chunks) => {
    environment.stall(501);
    return writeSnapshot.call(log, index, chunks);
  };
  assert.deepEqual(await closedOn(log, {}, environment), []);
  const again = await openMemoryLog({ store });
  assert.equal(again.usage().firstIndex, 1, "the log stays while there is one snapshot");
  assert.equal(again.snapshot?.index, again.lastIndex);
  await assertWhole(again, 1);
});

for (const place of ["first", "second"] as const) {
  test(`F6: no room for the ${place} snapshot at a stop: it is told, the stop is orderly, and nothing is lost`, async () => {
    const store = new MemoryStore();
    const log = await openMemoryLog({ store });
    const { writeSnapshot } = log;
    let written = 0;
    log.writeSnapshot = (index, chunks) => {
      written += 1;
      if (written === (place === "first" ? 1 : 2)) return Promise.reject(new LogFullError("a snapshot"));
      return writeSnapshot.call(log, index, chunks);
    };
    const failures = await closedOn(log);
    assert.ok(failures[0] instanceof LogFullError);
    const again = await openMemoryLog({ store });
    assert.equal(again.usage().firstIndex, 1);
    await assertWhole(again, 1);
  });
}

test("a log that ends with the process is left no snapshot", async () => {
  const store = new MemoryStore();
  assert.deepEqual(await closedOn(await openMemoryLog({ store }), { isLogLasting: false }), []);
  assert.equal((await openMemoryLog({ store })).snapshot, undefined);
});

test("F7, I11: where the fate of an entry is unknown, no snapshot is made of the state", async () => {
  const log = new ScriptedLog();
  const environment = new ManualEnvironment();
  log.writeSnapshot = () => assert.fail("a snapshot of a state in doubt");
  const limits = { stopSnapshotAfterCommands: 1 };
  const fatal: Error[] = [];
  const replica = await Replica.start({ log, environment, limits, onFatal: (cause) => fatal.push(cause) });
  const put = { kind: "put", request: createPutRequest({ key: byteString("k") }) } as const;
  for (const result of [undefined, { fate: "unknown", cause: new Error("lost") } as const]) {
    replica.propose(put, { settled: () => {}, failed: () => {} });
    environment.runDeferred();
    log.finish(result);
  }
  assert.equal(fatal.length, 1);
  await replica.close();
});
