import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openMemoryLog } from "@holdfast/log";
import { createPutRequest, encodeKeyValue } from "@holdfast/protocol";
import { type Caller, type Command, StateMachine } from "@holdfast/state-machine";
import { readBatch, UnreadableEntryError } from "./batch.js";
import { Replica } from "./replica.js";
import { byteString, Harness, ProposalFailedError } from "./testing/harness.js";
import { UnappliableEntryError } from "./unappliable-entry.js";

test("KV-22: a put is answered with the revision it made, and read back", async () => {
  const harness = await Harness.start();
  assert.equal(await harness.put("a", "1"), 2);
  assert.equal(await harness.put("a", "2"), 3);
  const found = harness.replica.machine.get(byteString("a"));
  assert.deepEqual([found?.createRevision, found?.modRevision, found?.version], [2, 3, 2]);
});

test("a closed replica refuses proposals as stopped", async () => {
  const harness = await Harness.start();
  await harness.replica.close();
  await assert.rejects(
    harness.put("a"),
    (error) => error instanceof ProposalFailedError && error.failure === "stopped",
  );
});

test("F61, F63: an entry in an unknown format, or cut off, stops the reader instead of being skipped", () => {
  const fail = (): void => assert.fail("visited");
  assert.throws(() => readBatch(9, Uint8Array.of(2), fail), UnreadableEntryError);
  assert.throws(() => readBatch(9, Uint8Array.of(1, 200, 0, 0, 0, 1), fail), UnreadableEntryError);
  assert.throws(() => readBatch(9, Uint8Array.of(1, 1, 0), fail), UnreadableEntryError);
  assert.throws(() => readBatch(9, Uint8Array.of(1, 1, 0, 0, 0, 250), fail), UnreadableEntryError);
});

test("LEASE-38, COMP-6: a restart finds keys, leases and the compaction point again, from log and snapshot alike", async () => {
  const harness = await Harness.start();
  for (let round = 0; round < 3; round++) {
    await harness.grant(BigInt(round + 1), 100);
    for (let i = 0; i < 20; i++) await harness.put(`k${i}`, `${round}`, BigInt(round + 1));
    if (round === 1) await harness.propose({ kind: "compact", revision: 15 });
    if (round === 1) await harness.replica.snapshot();
  }
  const before = harness.replica.machine;
  const log = await harness.reopenLog();
  const after = (await Replica.start({ log, environment: harness.environment, onFatal: assert.fail })).machine;
  assert.deepEqual([after.revision, after.compactRevision, after.leaseCount], [before.revision, 15, 3]);
  for (let i = 0; i < 20; i++) {
    const [now, then] = [after, before].map((machine) => encodeKeyValue(machine.get(byteString(`k${i}`))!));
    assert.deepEqual(now, then);
  }
  assert.deepEqual([...(after.lease(3n)?.keys ?? [])].sort(), [...(before.lease(3n)?.keys ?? [])].sort());
});

test("GEN-11: the epoch grows with every start", async () => {
  const harness = await Harness.start();
  const first = harness.replica.epoch;
  const log = await harness.reopenLog();
  const second = await Replica.start({ log, environment: harness.environment, onFatal: assert.fail });
  assert.ok(second.epoch > first);
});

test("MAINT-1: after a start all that is committed is applied, whether or not there was anything to apply", async () => {
  const harness = await Harness.start();
  const indexes = ({ committedIndex, appliedIndex }: Replica): number[] => [committedIndex, appliedIndex];
  assert.deepEqual(indexes(harness.replica), [1, 1]);
  await harness.put("a");
  const log = await harness.reopenLog();
  const again = await Replica.start({ log, environment: harness.environment, onFatal: assert.fail });
  assert.deepEqual(indexes(again), [3, 3]);
  await again.snapshot();
});

test("F6, MAINT-7: defragmenting leaves no log but the last entry, and the state as it is, while proposals go on", async () => {
  const harness = await Harness.start();
  for (let i = 0; i < 20; i++) await harness.put(`k${i}`, "v");
  const [first, second] = [harness.replica.defragment(), harness.replica.defragment()];
  const put = harness.put("meanwhile");
  await Promise.all([first, second, put]);
  await harness.replica.defragment();
  const last = harness.replica.committedIndex;
  assert.equal(harness.replica.appliedIndex, last);
  await harness.replica.defragment();
  assert.equal(harness.replica.committedIndex, last, "what gains nothing adds nothing");
  const log = await harness.reopenLog();
  assert.ok(log.usage().firstIndex >= last, `${log.usage().firstIndex}, ${last}`);
  const again = await Replica.start({ log, environment: harness.environment, onFatal: assert.fail });
  assert.deepEqual([again.machine.revision, again.machine.keyCount], [22, 21]);
});

test("LIMIT snapshotAfterBytes: a snapshot is taken when enough has been logged, while proposals go on", async () => {
  const harness = await Harness.start({ snapshotAfterBytes: 500 });
  for (let i = 0; i < 50; i++) await harness.put(`k${i}`, "v".repeat(1_000));
  await harness.settle();
  const log = await harness.reopenLog();
  assert.ok((log.snapshot?.index ?? 0) > 0);
  const restarted = await Replica.start({ log, environment: harness.environment, onFatal: assert.fail });
  assert.equal(restarted.machine.revision, 51);
});

test("LIMIT snapshotAfterCommands: many small commands are a reason for a snapshot, those of a replay included", async () => {
  const limits = { snapshotAfterCommands: 20 };
  const harness = await Harness.start(limits);
  for (let i = 0; i < 19; i++) await harness.put("k");
  await harness.settle();
  const log = await harness.reopenLog();
  assert.equal(log.snapshot, undefined);
  harness.replica = await Replica.start({ log, environment: harness.environment, limits, onFatal: assert.fail });
  await harness.put("k");
  await harness.settle();
  assert.equal((await harness.reopenLog()).snapshot?.index, log.lastIndex);
});

test("LIMIT snapshotAfterBytes: small changes that come one at a time count as the sectors that they take", async () => {
  const limits = { snapshotAfterBytes: 5_000 };
  const harness = await Harness.start(limits);
  for (let i = 0; i < 8; i++) await harness.put("k");
  await harness.settle();
  const log = await harness.reopenLog();
  assert.equal(log.snapshot, undefined);
  harness.replica = await Replica.start({ log, environment: harness.environment, limits, onFatal: assert.fail });
  for (let i = 0; i < 2; i++) await harness.put("k");
  await harness.settle();
  assert.equal((await harness.reopenLog()).snapshot?.index, log.lastIndex);
});

test("the next snapshot waits until the log has grown by as much as the state was at the last one", async () => {
  const harness = await Harness.start({ snapshotAfterBytes: 500 });
  await harness.put("large", "v".repeat(20_000));
  await harness.settle();
  for (let i = 0; i < 12; i++) await harness.put(`k${i}`, "v".repeat(1_000));
  await harness.settle();
  assert.equal((await harness.reopenLog()).snapshot?.index, 2);
});

test("LIMIT snapshotAfterCommands: ten times as many are enough, however large the state is", async () => {
  const limits = { snapshotAfterBytes: 500, snapshotAfterCommands: 20 };
  const harness = await Harness.start(limits);
  await harness.put("large", "v".repeat(500_000));
  await harness.settle();
  for (let i = 0; i < 199; i++) await harness.put("k");
  await harness.settle();
  const log = await harness.reopenLog();
  assert.equal(log.snapshot?.index, 2);
  harness.replica = await Replica.start({ log, environment: harness.environment, limits, onFatal: assert.fail });
  await harness.put("k");
  await harness.settle();
  assert.equal((await harness.reopenLog()).snapshot?.index, log.lastIndex);
});

test("F14, COMP-5, LIMIT sweepItems: a physical compaction is told when the history is really gone", async () => {
  const harness = await Harness.start({ sweepItems: 1 });
  for (let i = 0; i < 10; i++) await harness.put("a");
  await harness.propose({ kind: "compact", revision: 11 });
  let swept = false;
  harness.replica.whenSwept(() => {
    swept = true;
  });
  assert.equal(swept, false);
  await harness.settle();
  assert.equal(swept, true);
});

test("I1: the encoded form of a request is logged as it came", async () => {
  const harness = await Harness.start();
  const request = createPutRequest({ key: byteString("a"), value: Buffer.from("v") });
  const body = Uint8Array.of(0x0a, 1, 0x61, 0x12, 1, 0x76);
  const settled = new Promise((resolve) => {
    harness.replica.proposeEncoded({ kind: "put", request }, body, { settled: resolve, failed: assert.fail });
  });
  body.fill(0);
  harness.environment.runDeferred();
  await settled;
  const log = await harness.reopenLog();
  const again = await Replica.start({ log, environment: harness.environment, onFatal: assert.fail });
  assert.equal(Buffer.from(again.machine.get(byteString("a"))?.value ?? []).toString(), "v");
});

/** Breaks the short and the long way of applying a logged put: one of them throws, the other leaves it alone. */
const brokenWays: Readonly<Record<string, (t: TestContext) => void>> = {
  short: (t) => {
    const replayPut = StateMachine.prototype.replayPut;
    t.mock.method(
      StateMachine.prototype,
      "replayPut",
      function (this: StateMachine, bytes: Buffer, start: number, end: number) {
        if (bytes.subarray(start, end).includes("poison")) throw new RangeError("bug");
        return replayPut.call(this, bytes, start, end);
      },
    );
  },
  long: (t) => {
    const apply = StateMachine.prototype.apply;
    t.mock.method(StateMachine.prototype, "replayPut", () => false);
    t.mock.method(StateMachine.prototype, "apply", function (this: StateMachine, command: Command, caller?: Caller) {
      if (command.kind === "put" && command.request.key === "poison") throw new RangeError("bug");
      return apply.call(this, command, caller);
    });
  },
};

test("F10, I11: an entry that cannot be applied stops a start, by its place and digest", async (t) => {
  for (const [way, breakIt] of Object.entries(brokenWays)) {
    await t.test(way, async (t) => {
      const harness = await Harness.start();
      await harness.put("a");
      await harness.put("poison");
      const log = await harness.reopenLog();
      breakIt(t);
      await assert.rejects(Replica.start({ log, environment: harness.environment, onFatal: assert.fail }), (error) => {
        assert.ok(error instanceof UnappliableEntryError);
        assert.equal(error.index, 3);
        assert.match(error.message, /^log entry 3 \(digest [0-9a-f]{32,64}\) cannot be applied/);
        return true;
      });
    });
  }
});

test("in-memory logs of two replicas have nothing to do with each other", async () => {
  const [first, second] = [await openMemoryLog(), await openMemoryLog()];
  assert.notEqual(first.identity, second.identity);
});
