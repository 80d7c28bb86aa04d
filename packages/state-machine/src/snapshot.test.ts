/**
 * Freezing, encoding and restoring.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StoredVersion } from "./key-history.js";
import { KeySpace } from "./key-space.js";
import { LeaseTable } from "./leases.js";
import { snapshotChunkBytes } from "./limits.js";
import { Restorer } from "./restorer.js";
import { SnapshotFormatError } from "./snapshot-format.js";
import { StateMachine } from "./state-machine.js";
import { commands, firstGrants } from "./testing/arbitraries.js";
import { bytes, Driver, deleteOp, key, putOp } from "./testing/builders.js";
import { canonicalDump } from "./testing/canonical-dump.js";
import type { Command, KeyVersion } from "./types.js";

function restore(chunks: Iterable<Uint8Array>): StateMachine {
  const restorer = new Restorer();
  for (const chunk of chunks) restorer.push(chunk);
  return restorer.finish();
}

function snapshot(machine: StateMachine, chunkBytes?: number, chunkVisits?: number): Uint8Array[] {
  const frozen = machine.freeze();
  const chunks = [...frozen.chunks(chunkBytes, chunkVisits)];
  frozen.release();
  return chunks;
}

/** A state with everything in it: leases with and without keys, bases, events, deletions, old versions. */
function lively(): Driver {
  const driver = new Driver();
  for (const leaseId of [5n, -3n, 9n]) driver.grant(leaseId);
  for (const name of ["\xff", "a", "__proto__", "\0", "b", "a", "long".repeat(50)])
    driver.put(name, name, { lease: 5n });
  driver.delete("b");
  driver.put("a", "x".repeat(3000), { lease: -3n });
  driver.revoke(9n);
  driver.compact(6);
  driver.txn({
    success: [deleteOp({ key: "a", rangeEnd: "\0" }), putOp({ key: "a", lease: 5n }), putOp({ key: "b" })],
  });
  driver.put("c", "", { lease: -3n });
  driver.delete("c");
  return driver;
}

test("COMP-6, LEASE-38: a restored state is the state", () => {
  for (const { machine } of [lively(), new Driver()]) {
    const chunks = snapshot(machine);
    assert.equal(canonicalDump(restore(chunks)), canonicalDump(machine));
    assert.deepEqual(snapshot(restore(chunks)), snapshot(machine));
  }
});

test("chunks of any size restore the same, and none is empty", () => {
  const { machine } = lively();
  const expected = canonicalDump(machine);
  for (const [chunkBytes, chunkVisits] of [
    [1, 1],
    [1, 1000],
    [1000, 1],
    [300, 3],
  ] as const) {
    const chunks = snapshot(machine, chunkBytes, chunkVisits);
    assert.ok(chunks.length > 1 && chunks.every((chunk) => chunk.length > 0));
    assert.equal(canonicalDump(restore(chunks)), expected);
  }
});

test("a chunk is about as long as it should be", () => {
  const driver = new Driver();
  for (let index = 0; index < 3000; index++) driver.put(`k${index}`, "v".repeat(100));
  const chunks = snapshot(driver.machine);
  for (const chunk of chunks.slice(0, -1)) {
    assert.ok(chunk.length >= snapshotChunkBytes && chunk.length < snapshotChunkBytes + 200);
  }
  assert.equal(restore(chunks).keyCount, 3000);
});

test("passing over keys without a base ends a chunk, too", () => {
  const driver = new Driver();
  driver.put("a");
  driver.put("b");
  driver.put("a");
  driver.compact(4);
  for (let index = 0; index < 50; index++) driver.put(`k${index}`);
  const chunks = snapshot(driver.machine, 1e6, 10);
  assert.ok(chunks.length >= 10 && chunks.every((chunk) => chunk.length > 0));
  assert.equal(canonicalDump(restore(chunks)), canonicalDump(driver.machine));
});

test("a frozen state cannot be encoded once it is released", () => {
  const { machine } = lively();
  const frozen = machine.freeze();
  const chunks = frozen.chunks(1, 1)[Symbol.iterator]();
  chunks.next();
  frozen.release();
  assert.throws(() => chunks.next(), /released/);
});

test("a lease granted anew after the snapshot is told apart from the one in it", () => {
  const driver = lively();
  const restored = restore(snapshot(driver.machine));
  for (const machine of [driver.machine, restored]) {
    machine.apply({ kind: "leaseRevoke", leaseId: 5n });
    machine.apply({ kind: "leaseGrant", leaseId: 5n, ttlSeconds: 9 });
  }
  assert.equal(restored.lease(5n)?.grantNumber, driver.machine.lease(5n)?.grantNumber);
});

/** A run with a snapshot taken behind a part of the log, its chunks encoded in between the later ones. */
interface Run {
  readonly log: readonly Command[];
  readonly cutPercent: number;
  readonly chunkVisits: number;
  readonly chunksPerCommand: number;
  readonly sweepItems: number;
}

const runs: fc.Arbitrary<Run> = fc.record({
  log: fc.array(commands, { minLength: 5, maxLength: 80, size: "max" }).map((log) => [...firstGrants, ...log]),
  cutPercent: fc.nat(100),
  chunkVisits: fc.integer({ min: 1, max: 3 }),
  chunksPerCommand: fc.integer({ min: 1, max: 3 }),
  sweepItems: fc.nat(4),
});

test("replay = restore: a snapshot taken in slices and the rest of the log give the state of the whole log", () => {
  let sliced = 0;
  fc.assert(
    fc.property(runs, ({ log, cutPercent, chunkVisits, chunksPerCommand, sweepItems }) => {
      const machine = new StateMachine();
      const cut = Math.floor((log.length * cutPercent) / 100);
      for (const command of log.slice(0, cut)) {
        machine.apply(command);
        machine.sweep(sweepItems);
      }
      const frozen = machine.freeze();
      const iterator = frozen.chunks(1e6, chunkVisits)[Symbol.iterator]();
      const chunks: Uint8Array[] = [];
      const take = (count: number): void => {
        for (let index = 0; index < count; index++) {
          const { value, done } = iterator.next();
          if (done !== true) chunks.push(value);
        }
      };
      for (const command of log.slice(cut)) {
        take(chunksPerCommand);
        machine.apply(command);
        machine.sweep(sweepItems);
      }
      if (chunks.length > 1) sliced += 1;
      take(1000);
      frozen.release();
      const restored = restore(chunks);
      for (const command of log.slice(cut)) restored.apply(command);
      assert.equal(canonicalDump(restored), canonicalDump(machine));
      assert.deepEqual(snapshot(restored), snapshot(machine));
    }),
    { numRuns: 200 },
  );
  assert.ok(sliced > 40);
});

/** A state none of whose records could stand in another place: every event has a revision of its own. */
function orderly(): Driver {
  const driver = new Driver();
  for (const leaseId of [5n, -3n, 9n]) driver.grant(leaseId);
  for (const name of ["a", "b", "c", "a", "d"]) driver.put(name, name, { lease: 5n });
  driver.compact(5);
  driver.delete("b");
  return driver;
}

test("a snapshot that is cut short, mixed up, repeated or of another format is refused", () => {
  const { machine } = orderly();
  while (!machine.sweep(1));
  const isPause = (chunk: Uint8Array) => chunk.length === 2;
  const chunks = snapshot(machine, 1, 1).filter((chunk) => !isPause(chunk));
  assert.equal(restore(chunks).keyCount, 3);
  const last = chunks.length - 1;
  const wrong: Uint8Array[][] = [[], [...chunks, chunks[last]!], [chunks[0]!, ...chunks], [...chunks].reverse()];
  for (let index = 0; index <= last; index++) {
    wrong.push(
      chunks.slice(0, index),
      chunks.filter((_, position) => position !== index),
    );
    wrong.push([...chunks.slice(0, index + 1), ...chunks.slice(index)]);
    if (index < last) wrong.push(swapped(chunks, index));
  }
  for (const sequence of wrong) assert.throws(() => restore(sequence), SnapshotFormatError);
  const otherFormat = chunks.map((chunk) => chunk.slice());
  otherFormat[0]![3]! ^= 1;
  assert.throws(() => restore(otherFormat), /unknown format/);
});

/** The snapshot of a state that no command can have made. */
function forged(make: (keys: KeySpace, leases: LeaseTable) => void): Uint8Array[] {
  const parts = { keys: new KeySpace(), leases: new LeaseTable(), appliedCommands: 9 };
  make(parts.keys, parts.leases);
  return snapshot(new StateMachine(parts));
}

test("a snapshot of a state that cannot have come about is refused", () => {
  const version = (name: string, create: number, mod: number, number: number, lease = 0n) =>
    new StoredVersion(key(name), bytes(""), create, mod, number, lease);
  const stories: [RegExp, KeyVersion[]][] = [
    [/unknown lease/, [version("a", 2, 2, 1, 7n)]],
    [/late creation/, [version("a", 2, 2, 2)]],
    [/late creation/, [version("a", 2, 2, 1), version("b", 2, 3, 1)]],
    [/lost version/, [version("a", 2, 2, 1), version("a", 2, 3, 3)]],
    [/lost version/, [version("a", 2, 2, 1), version("a", 3, 3, 2)]],
    [/deletion of a missing key/, [version("a", 0, 2, 0)]],
    [/impossible creation/, [version("a", 3, 2, 1)]],
    [/full deletion/, [version("a", 2, 2, 1), version("a", 2, 3, 0)]],
    [/events out of order/, [version("a", 2, 2, 1), version("a", 2, 4, 2)]],
    [/events out of order/, [version("a", 3, 3, 1)]],
  ];
  for (const [reason, versions] of stories) {
    const chunks = forged((keys) => {
      for (const one of versions) keys.restore(keys.history(one.key), one);
      keys.revision = versions.at(-1)!.modRevision;
    });
    assert.throws(
      () => restore(chunks),
      (error) => error instanceof SnapshotFormatError && reason.test(error.message),
    );
  }
  const earlyStop = forged((keys) => {
    keys.restore(undefined, version("a", 2, 2, 1));
    keys.revision = 3;
  });
  assert.throws(() => restore(earlyStop), /history stops early/);
  const lateGrant = forged((_, leases) => void leases.grant(1n, 60, 10));
  assert.throws(() => restore(lateGrant), /grant number/);
});

test("an event missing from the middle of a revision is noticed", () => {
  const driver = new Driver();
  driver.txn({ success: [putOp({ key: "a" }), putOp({ key: "b" }), putOp({ key: "c" })] });
  const chunks = snapshot(driver.machine, 1, 1);
  assert.equal(restore(chunks).keyCount, 3);
  assert.throws(() => restore(chunks.filter((_, index) => index !== 1)), /events are missing/);
});

function swapped(chunks: readonly Uint8Array[], index: number): Uint8Array[] {
  const copy = [...chunks];
  [copy[index], copy[index + 1]] = [copy[index + 1]!, copy[index]!];
  return copy;
}

test("damaged bytes are refused or make a machine, and nothing else is thrown", () => {
  const whole = Buffer.concat(snapshot(lively().machine));
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
      const damaged = Uint8Array.from(whole);
      damaged[position]! ^= flip;
      try {
        canonicalDump(restore([damaged]));
      } catch (error) {
        assert.ok(error instanceof SnapshotFormatError);
        refused += 1;
      }
    }),
    { numRuns: 500 },
  );
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => restore([Uint8Array.from(whole.subarray(0, length))]), SnapshotFormatError);
  }
  assert.ok(refused > 20);
});
