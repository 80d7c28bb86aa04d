/** A restored store stands above everything that was told of the old one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeySpace } from "./key-space.js";
import { LeaseTable } from "./leases.js";
import { RevisionStepError, raiseRevision } from "./raise-revision.js";
import { Restorer } from "./restorer.js";
import { StateMachine } from "./state-machine.js";
import { commands, firstGrants } from "./testing/arbitraries.js";
import { Driver, key } from "./testing/builders.js";
import { canonicalDump } from "./testing/canonical-dump.js";
import { violations } from "./testing/invariants.js";
import type { KeyVersion } from "./types.js";

const step = 1_000;

function restored(machine: StateMachine, revisionStep: number): Driver {
  const restorer = new Restorer();
  const frozen = machine.freeze();
  for (const chunk of frozen.chunks()) restorer.push(chunk);
  frozen.release();
  return new Driver(restorer.finish(revisionStep));
}

function live(machine: StateMachine): KeyVersion[] {
  const found: KeyVersion[] = [];
  machine.forEachLive(key("\0"), key("\0"), (version) => found.push(version));
  return found;
}

const content = ({ key, value, lease }: KeyVersion) => [key, Buffer.from(value).toString("latin1"), lease];

test("F62, I5: whatever was done, a restored store has the same keys on the same leases, and tokens only above all old ones", () => {
  fc.assert(
    fc.property(fc.array(commands, { maxLength: 60, size: "max" }), (run) => {
      const parts = { keys: new KeySpace(), leases: new LeaseTable(), appliedCommands: 0 };
      const machine = new StateMachine(parts);
      for (const command of [...firstGrants, ...run]) machine.apply(command);
      const before = live(machine);
      const oldRevision = machine.revision;
      const inOrder = (versions: readonly KeyVersion[]) =>
        versions.filter(({ lease }) => lease !== 0n).sort((a, b) => a.createRevision - b.createRevision);
      const queue = inOrder(before).map((version) => version.key);
      const keys = raiseRevision(parts.keys, parts.leases, step);
      assert.deepEqual(violations(keys, parts.leases), []);
      const raised = new StateMachine({ ...parts, keys, appliedCommands: machine.appliedCommands });
      assert.deepEqual(live(raised).map(content), before.map(content));
      assert.equal(raised.compactRevision, oldRevision + step);
      assert.deepEqual(
        inOrder(live(raised)).map((version) => version.key),
        queue,
      );
      const tokens = inOrder(live(raised)).map(({ createRevision }) => createRevision);
      assert.equal(new Set(tokens).size, tokens.length);
      assert.ok(tokens.every((token) => token > oldRevision + step));
      assert.equal(canonicalDump(restored(raised, 0).machine), canonicalDump(raised));
    }),
    { numRuns: 200 },
  );
});

test("F62, I8: cursors into the old history end as compacted, and the new one can be read from its beginning", () => {
  const old = new Driver();
  old.grant(1n);
  old.put("plain", "1");
  old.put("held", "2", { lease: 1n });
  const driver = restored(old.machine, step);
  const { machine } = driver;
  assert.deepEqual([machine.compactRevision, machine.revision], [3 + step, 4 + step]);
  assert.throws(() => machine.readHistory(4, 10, () => true), RangeError);
  assert.throws(() => machine.readHistory(2 + step, 10, () => true), RangeError);
  driver.put("plain", "2");
  const seen: unknown[] = [];
  machine.readHistory(3 + step, 10, (revision, events) => seen.push([revision, events.map((event) => event.key)]));
  assert.deepEqual(seen, [
    [4 + step, ["held"]],
    [5 + step, ["plain"]],
  ]);
  const [held, plain] = live(machine) as [KeyVersion, KeyVersion];
  assert.deepEqual([plain.createRevision, plain.version, held.createRevision, held.version], [2, 2, 4 + step, 1]);
});

test("F62: a raised store goes on: compactions, snapshots of its own, and being raised again", () => {
  for (const leased of [true, false]) {
    const old = new Driver();
    old.grant(1n);
    old.put("a", "", { lease: leased ? 1n : 0n });
    const once = restored(old.machine, step);
    assert.equal(canonicalDump(restored(once.machine, 0).machine), canonicalDump(once.machine));
    once.put("b");
    once.delete("b");
    assert.equal(canonicalDump(restored(once.machine, 0).machine), canonicalDump(once.machine));
    once.compact(once.revision);
    while (!once.machine.sweep(1));
    assert.equal(canonicalDump(restored(once.machine, 0).machine), canonicalDump(once.machine));
    const twice = restored(once.machine, step);
    assert.equal(twice.machine.compactRevision, once.revision + step);
    assert.equal(twice.machine.keyCount, 1);
    twice.revoke(1n);
    assert.equal(twice.machine.keyCount, leased ? 0 : 1);
  }
  assert.deepEqual([restored(new StateMachine(), step).revision, restored(new StateMachine(), 0).revision], [1_001, 1]);
});

test("F62: what users were allowed is kept, but tokens given before are not good", () => {
  const old = new Driver();
  old.machine.apply({ kind: "roleAdd", name: "r" });
  const { auth } = restored(old.machine, step).machine;
  assert.deepEqual([auth.revision, [...auth.roles()].length], [old.machine.auth.revision + step, 1]);
  assert.equal(restored(old.machine, 0).machine.auth.revision, old.machine.auth.revision);
});

test("F62: a step that leads nowhere is refused", () => {
  const old = new Driver();
  old.put("a");
  for (const wrong of [-1, 0.5, Number.MAX_SAFE_INTEGER - 1, Number.NaN]) {
    assert.throws(() => restored(old.machine, wrong), RevisionStepError, `${wrong}`);
  }
});
