/**
 * Freezing, encoding and restoring.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, readKeyValue, Writer } from "@holdfast/protocol";
import fc from "fast-check";
import { AlarmStore } from "./auth/alarms.js";
import { AuthStore } from "./auth/auth-store.js";
import { systemCaller } from "./auth/auth-types.js";
import type { LoggedCommand } from "./command-codec.js";
import { KeyHistories } from "./key-histories.js";
import { KeySpace } from "./key-space.js";
import { LeaseTable } from "./leases.js";
import { snapshotBaseVisits, snapshotChunkBytes, snapshotChunkVisits } from "./limits.js";
import { Restorer } from "./restorer.js";
import { recordTags, SnapshotFormatError } from "./snapshot-format.js";
import { StateMachine } from "./state-machine.js";
import { StoredVersion } from "./stored-version.js";
import { callers, commands, firstGrants, firstUsers } from "./testing/arbitraries.js";
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
  const chunks = Array.from(frozen.chunks(chunkBytes, chunkVisits), (chunk) => chunk.slice());
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
  populate(driver);
  return driver;
}

/** Adds users, roles and alarms of all kinds, and turns authentication on. */
function populate({ machine }: Driver): void {
  const permit = (roleName: string, permType: number, from: string, rangeEnd: string): Command => {
    return { kind: "roleGrantPermission", roleName, permission: { permType, key: key(from), rangeEnd: key(rangeEnd) } };
  };
  const run: readonly Command[] = [
    ...firstUsers,
    { kind: "roleAdd", name: "root" },
    permit("root", 0, "hidden", ""),
    { kind: "roleAdd", name: "é" },
    permit("é", 7, "b", "\xff"),
    permit("é", 1, "b", "\0"),
    { kind: "userAdd", name: "é", passwordHash: "", noPassword: true },
    { kind: "userGrantRole", userName: "é", roleName: "é" },
    { kind: "userGrantRole", userName: "é", roleName: "root" },
    { kind: "userChangePassword", name: "root", passwordHash: "$2b$".repeat(50) },
    { kind: "alarm", action: "activate", memberId: 2n ** 64n - 1n, alarm: 2 },
    { kind: "alarm", action: "activate", memberId: 0n, alarm: 1 },
    { kind: "alarm", action: "activate", memberId: 3n, alarm: 1 },
  ];
  for (const command of run) assert.equal(machine.apply(command, systemCaller).kind, command.kind);
}

test("F5, F10: a lease that no server grants, but a log may hold, comes back as it was", () => {
  for (const ttlSeconds of [0, -1, -(2 ** 53), -(2 ** 63)]) {
    const driver = new Driver();
    driver.grant(7n, ttlSeconds);
    const chunks = snapshot(driver.machine);
    const restored = restore(chunks);
    assert.equal(restored.lease(7n)?.ttlSeconds, ttlSeconds);
    assert.deepEqual(snapshot(restored), chunks);
  }
});

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

test("no chunk takes the search for more than 512 keys for what history builds on, be there nothing to be found", (t) => {
  const driver = new Driver();
  for (let round = 0; round < 3; round++) driver.put("a", "x");
  driver.compact(3);
  for (let n = 0; n < 3_000; n++) driver.put(`key ${n}`, "x");
  const searches = t.mock.method(KeyHistories.prototype, "baseOf").mock;
  const frozen = driver.machine.freeze();
  let chunks = 0;
  let most = 0;
  for (const chunk of frozen.chunks()) {
    if (searches.callCount() > 0) chunks += 1;
    most = Math.max(most, searches.callCount());
    searches.resetCalls();
    assert.ok(chunk.length > 0);
  }
  frozen.release();
  assert.deepEqual([chunks, most], [6, snapshotChunkVisits / snapshotBaseVisits]);
});

test("nothing of a chunk is looked at again once it was taken", () => {
  for (const length of [10, 20_000, 200_000]) {
    const driver = new Driver();
    driver.grant(5n);
    for (const name of ["a", "b", "long", "a", "c"]) driver.put(name, name, { lease: 5n });
    driver.compact(4);
    driver.delete("b");
    driver.put("long", "x".repeat(length));
    driver.put("after", "y");
    const chunks = snapshot(driver.machine);
    const restorer = new Restorer();
    const scratch = new Uint8Array(Math.max(...chunks.map((chunk) => chunk.length)));
    for (const chunk of chunks) {
      scratch.set(chunk);
      restorer.push(scratch.subarray(0, chunk.length));
      scratch.fill(0xff);
    }
    const restored = restorer.finish();
    assert.equal(canonicalDump(restored), canonicalDump(driver.machine));
    assert.deepEqual(snapshot(restored), snapshot(driver.machine));
  }
});

test("versions that somebody else has encoded, in another order or with more, are restored as ours", () => {
  const { machine } = lively();
  while (!machine.sweep(10));
  const isVersion = (tag: number) => tag === recordTags.base || tag === recordTags.event;
  let changed = 0;
  const foreign = snapshot(machine, 1, 1).map((chunk) => {
    if (!isVersion(chunk[0]!)) return chunk;
    changed += 1;
    const reader = new Reader();
    reader.reset(chunk, 1, chunk.length);
    reader.enter();
    const { position } = reader;
    const pair = readKeyValue(reader, undefined);
    // An unknown field, then the number of the version, which is due later, then a key that the right one replaces.
    const body = [56, 1, 32, pair.version, 10, 1, 33, ...chunk.subarray(position)];
    const encodedLength = new Writer();
    encodedLength.int64NumberField(chunk[0]!, body.length);
    return Uint8Array.from([...encodedLength.copy(), ...body]);
  });
  assert.ok(changed > 10);
  const restored = restore(foreign);
  assert.equal(canonicalDump(restored), canonicalDump(machine));
  assert.deepEqual(snapshot(restored), snapshot(machine));
});

test("a version ends where the tag of the record behind it stands, which is that of no field of a version", () => {
  const fieldTags = [16, 24, 32, 42, 48];
  for (const tag of Object.values(recordTags)) assert.ok(!fieldTags.includes(tag));
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
    for (const { memberId, alarm } of machine.alarms()) {
      machine.apply({ kind: "alarm", action: "deactivate", memberId, alarm }, systemCaller);
    }
    assert.equal(machine.apply({ kind: "leaseRevoke", leaseId: 5n }, systemCaller).kind, "leaseRevoke");
    assert.equal(machine.apply({ kind: "leaseGrant", leaseId: 5n, ttlSeconds: 9 }, systemCaller).kind, "leaseGrant");
  }
  assert.equal(restored.lease(5n)?.grantNumber, driver.machine.lease(5n)?.grantNumber);
});

/** A run with a snapshot taken behind a part of the log, its chunks encoded in between the later ones. */
interface Run {
  readonly log: readonly LoggedCommand[];
  readonly cutPercent: number;
  readonly chunkVisits: number;
  readonly chunksPerCommand: number;
  readonly sweepItems: number;
}

const runs: fc.Arbitrary<Run> = fc.record({
  log: fc
    .tuple(
      fc.constantFrom(firstGrants, [...firstGrants, ...firstUsers]),
      fc.array(fc.record({ command: commands, caller: callers }), { minLength: 5, maxLength: 80, size: "max" }),
    )
    .map(([first, log]) => [...first.map((command) => ({ command, caller: systemCaller })), ...log]),
  cutPercent: fc.nat(100),
  chunkVisits: fc.integer({ min: 1, max: 3 }),
  chunksPerCommand: fc.integer({ min: 1, max: 3 }),
  sweepItems: fc.nat(4),
});

test("I10: replay = restore: a snapshot taken in slices and the rest of the log give the state of the whole log", () => {
  let sliced = 0;
  fc.assert(
    fc.property(runs, ({ log, cutPercent, chunkVisits, chunksPerCommand, sweepItems }) => {
      const machine = new StateMachine();
      const cut = Math.floor((log.length * cutPercent) / 100);
      for (const { command, caller } of log.slice(0, cut)) {
        machine.apply(command, caller);
        machine.sweep(sweepItems);
      }
      const frozen = machine.freeze();
      const iterator = frozen.chunks(1e6, chunkVisits)[Symbol.iterator]();
      const chunks: Uint8Array[] = [];
      const take = (count: number): void => {
        for (let index = 0; index < count; index++) {
          const { value, done } = iterator.next();
          if (done !== true) chunks.push(value.slice());
        }
      };
      for (const { command, caller } of log.slice(cut)) {
        take(chunksPerCommand);
        machine.apply(command, caller);
        machine.sweep(sweepItems);
      }
      if (chunks.length > 1) sliced += 1;
      take(1000);
      frozen.release();
      const restored = restore(chunks);
      for (const { command, caller } of log.slice(cut)) restored.apply(command, caller);
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
  populate(driver);
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

/** The snapshot of users, roles and alarms that no command can have made. */
function forgedAuth(make: (auth: AuthStore, alarms: AlarmStore) => void): Uint8Array[] {
  const parts = { auth: new AuthStore(), alarms: new AlarmStore() };
  make(parts.auth, parts.alarms);
  return snapshot(new StateMachine({ keys: new KeySpace(), leases: new LeaseTable(), appliedCommands: 9, ...parts }));
}

test("a snapshot of users, roles and alarms that cannot have come about is refused", () => {
  const user = { name: "u", passwordHash: "", noPassword: false, roles: [] };
  const a = { permType: 0, key: key("a"), rangeEnd: key("") };
  const stories: [RegExp, (auth: AuthStore, alarms: AlarmStore) => void][] = [
    [/users without names/, (auth) => auth.restoreUser({ ...user, name: "" })],
    [/roles without names/, (auth) => auth.restoreRole({ name: "", permissions: [] })],
    [/unknown role/, (auth) => auth.restoreUser({ ...user, roles: ["r"] })],
    [/roles of a user out of order/, (auth) => auth.restoreUser({ ...user, roles: ["root", "root"] })],
    [/permissions/, (auth) => auth.restoreRole({ name: "r", permissions: [a, a] })],
    [/permissions/, (auth) => auth.restoreRole({ name: "r", permissions: [{ ...a, rangeEnd: key("a") }] })],
    [/permissions/, (auth) => auth.restoreRole({ name: "r", permissions: [{ ...a, key: key("") }] })],
    [/auth revision/, (auth) => auth.restore(false, 0)],
    [/without a root user/, (auth) => auth.restore(true, 5)],
    [/alarm without a type/, (_, alarms) => alarms.restore([{ memberId: 1n, alarm: 0 }])],
    [
      /alarms out of order/,
      (_, alarms) =>
        alarms.restore([
          { memberId: 1n, alarm: 1 },
          { memberId: 1n, alarm: 1 },
        ]),
    ],
  ];
  for (const [reason, make] of stories) assert.throws(() => restore(forgedAuth(make)), reason);
});

/** What a program that knew no users wrote for the state that the test below builds. */
const snapshotOfTheFirstFormat =
  "CgwIgYCYwgQQBRgDIAcSBggFEDwYARIPCP3//////////wEQPBgCGg4KAWEQAhgCIAEqAWEwBSIOCgFiEAMYAyABKgFiMAUiDgoBYRACGAQgAi" +
  "oBYTAFIgUKAWIYBSIMCgH/EAUYBSABKgF2MgYIAhABGAQ=";

test("F61, F63: a snapshot from before there were users is read as a state without any", () => {
  const driver = new Driver();
  for (const leaseId of [5n, -3n]) driver.grant(leaseId);
  for (const name of ["a", "b", "a"]) driver.put(name, name, { lease: 5n });
  driver.compact(3);
  driver.txn({ success: [deleteOp({ key: "b" }), putOp({ key: "\xff", value: "v" })] });
  const old = Uint8Array.from(Buffer.from(snapshotOfTheFirstFormat, "base64"));
  const restored = restore([old]);
  assert.equal(canonicalDump(restored), canonicalDump(driver.machine));
  assert.deepEqual([restored.auth.enabled, restored.auth.revision, restored.alarms()], [false, 1, []]);
  assert.deepEqual(snapshot(restored), snapshot(driver.machine));
  const headerBytes = 14;
  const [, role] = snapshot(lively().machine, 1, 1);
  assert.throws(() => restore([old.subarray(0, headerBytes), role!, old.subarray(headerBytes)]), SnapshotFormatError);
});

test("authentication and alarms are held still while the machine goes on", () => {
  const { machine } = lively();
  const before = canonicalDump(machine);
  const frozen = machine.freeze();
  const chunks = frozen.chunks(1, 1)[Symbol.iterator]();
  const first = (chunks.next().value as Uint8Array).slice();
  const run: readonly Command[] = [
    { kind: "authDisable" },
    { kind: "alarm", action: "deactivate", memberId: 0n, alarm: 1 },
    { kind: "roleDelete", name: "é" },
    { kind: "userAdd", name: "late", passwordHash: "", noPassword: false },
    { kind: "userChangePassword", name: "u", passwordHash: "late" },
    { kind: "roleAdd", name: "late" },
  ];
  for (const command of run) assert.equal(machine.apply(command, systemCaller).kind, command.kind);
  const rest = Array.from({ [Symbol.iterator]: () => chunks }, (chunk) => chunk.slice());
  const restored = restore([first, ...rest]);
  frozen.release();
  const numbers = (dump: string) => dump.replace(/"appliedCommands": \d+/, "");
  assert.equal(numbers(canonicalDump(restored)), numbers(before));
  assert.notEqual(numbers(canonicalDump(machine)), numbers(before));
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
