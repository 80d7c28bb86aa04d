/**
 * The machine against the reference model: thousands of random commands, compared in everything that can be seen.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRangeRequest, type RangeRequest } from "@holdfast/protocol";
import fc from "fast-check";
import { type Caller, systemCaller } from "./auth/auth-types.js";
import { KeySpace } from "./key-space.js";
import { LeaseTable } from "./leases.js";
import { StateMachine } from "./state-machine.js";
import { callers, commands, firstGrants, firstUsers, rangeRequests } from "./testing/arbitraries.js";
import { key } from "./testing/builders.js";
import { violations } from "./testing/invariants.js";
import { plain } from "./testing/plain.js";
import { ReferenceModel } from "./testing/reference-model.js";
import { isReadOnlyTxn } from "./transactions.js";
import type { Command, KeyVersion } from "./types.js";

interface Step {
  readonly command: Command;
  readonly caller: Caller | undefined;
  readonly query: RangeRequest;
  /** How much to sweep after the command. */
  readonly sweepItems: number;
}

const steps: fc.Arbitrary<Step> = fc.record({
  command: commands,
  caller: callers,
  query: rangeRequests,
  sweepItems: fc.nat(3),
});

/** Machine and model side by side. */
class Comparison {
  readonly #keys = new KeySpace();
  readonly #leases = new LeaseTable();
  readonly #machine = new StateMachine({ keys: this.#keys, leases: this.#leases, appliedCommands: 0 });
  readonly #model = new ReferenceModel();

  /** Answers why the command was refused, if it was. */
  run({ command, caller, query, sweepItems }: Step): string | undefined {
    const before = this.#machine.revision;
    this.#checkReadOnly(command, caller);
    const outcome = this.#machine.apply(command, caller);
    assert.deepEqual(plain(outcome), plain(this.#model.apply(command, caller)));
    this.#checkChanges(before);
    assert.deepEqual(violations(this.#keys, this.#leases), []);
    this.#machine.sweep(sweepItems);
    assert.deepEqual(violations(this.#keys, this.#leases), []);
    assert.deepEqual(plain(this.#machine.range(query)), plain(this.#model.range(query)));
    this.#checkNumbers();
    this.#checkAuth();
    return outcome.kind === "refused" ? outcome.refusal : undefined;
  }

  /** What is compared once, at the end of a run. */
  finish(): void {
    this.#checkHistory();
    this.#checkStates();
    assert.deepEqual(plain([...this.#machine.leases()]), plain(this.#model.leases()));
  }

  #checkReadOnly(command: Command, caller: Caller | undefined): void {
    if (command.kind !== "txn" || !isReadOnlyTxn(command.request)) return;
    const reader = this.#withoutFuture(caller);
    const refusal = this.#machine.accessRefusal({ kind: "readTxn", request: command.request }, reader);
    const answer = this.#machine.rangeTxn(command.request);
    const { appliedCommands } = this.#machine;
    const expected = refusal === undefined ? answer : { kind: "refused", refusal };
    assert.deepEqual(plain(this.#machine.apply(command, caller)), plain(expected));
    assert.equal(this.#machine.appliedCommands, appliedCommands + 1);
    this.#model.apply(command, caller);
  }

  /** Only writes let a token pass that is ahead of the present revision (AUTH-11). */
  #withoutFuture(caller: Caller | undefined): Caller | undefined {
    const { revision } = this.#machine.auth;
    return caller !== undefined && caller.authRevision > revision ? { ...caller, authRevision: revision } : caller;
  }

  #checkAuth(): void {
    const { enabled, revision } = this.#machine.auth;
    const view = { users: [...this.#machine.auth.users()], roles: [...this.#machine.auth.roles()] };
    assert.deepEqual(plain({ enabled, revision, ...view }), plain(this.#model.auth.view()));
    assert.deepEqual(plain(this.#machine.alarms()), plain(this.#model.auth.alarms));
  }

  #checkChanges(revisionBefore: number): void {
    const { changes, leaseChanges, revision } = this.#machine;
    assert.deepEqual(plain(changes), plain(this.#model.changes));
    assert.deepEqual(plain(leaseChanges), plain(this.#model.leaseChanges));
    assert.equal(revision, changes.length === 0 ? revisionBefore : revisionBefore + 1);
    for (const change of changes) {
      assert.equal(change.modRevision, revision);
      assert.deepEqual(plain(this.#machine.previousVersion(change)), plain(this.#model.previousVersion(change)));
    }
  }

  #checkNumbers(): void {
    assert.equal(this.#machine.revision, this.#model.revision);
    assert.equal(this.#machine.compactRevision, this.#model.compactRevision);
    assert.equal(this.#machine.appliedCommands, this.#model.appliedCommands);
    assert.equal(this.#machine.keyCount, this.#model.stateAt(this.#model.revision).size);
    assert.equal(this.#machine.leaseCount, this.#model.leases().length);
  }

  #checkHistory(): void {
    const from = Math.max(this.#machine.compactRevision, 1);
    const seen: { revision: number; events: readonly KeyVersion[] }[] = [];
    const next = this.#machine.readHistory(from, 1000, (revision, events) => {
      seen.push({ revision, events });
    });
    assert.equal(next, this.#machine.revision + 1);
    assert.deepEqual(plain(seen), plain(this.#model.history(from)));
    for (const event of seen.flatMap(({ events }) => events)) {
      assert.deepEqual(plain(this.#machine.previousVersion(event)), plain(this.#model.previousVersion(event)));
    }
  }

  #checkStates(): void {
    for (let at = Math.max(this.#machine.compactRevision, 1); at <= this.#machine.revision; at++) {
      const state = this.#model.stateAt(at);
      for (const name of ["a", "__proto__", "\0", "\xff"]) {
        assert.deepEqual(plain(this.#machine.getAt(key(name), at)), plain(state.get(name)));
      }
    }
    const live: KeyVersion[] = [];
    this.#machine.forEachLive(key("\0"), key("\0"), (version) => live.push(version));
    const expected = [...this.#model.stateAt(this.#model.revision).values()];
    assert.deepEqual(plain(live), plain(expected.sort((left, right) => (left.key < right.key ? -1 : 1))));
  }
}

function runAll(comparison: Comparison, first: readonly Command[], run: readonly Step[]): (string | undefined)[] {
  const query = createRangeRequest();
  for (const command of first) comparison.run({ command, caller: systemCaller, query, sweepItems: 0 });
  const refusals = run.map((step) => comparison.run(step));
  comparison.finish();
  return refusals;
}

test("KV, TXN, LEASE, COMP: the machine and the reference model agree on random commands", () => {
  fc.assert(
    fc.property(fc.array(steps, { minLength: 10, maxLength: 60, size: "max" }), (run) => {
      runAll(new Comparison(), firstGrants, run);
    }),
    { numRuns: 150 },
  );
});

test("AUTH, MAINT, ORD: the machine and the reference model agree on who may do what", () => {
  const seen = new Set<string | undefined>();
  fc.assert(
    fc.property(fc.array(steps, { minLength: 10, maxLength: 60, size: "max" }), fc.nat(5), (run, alarm) => {
      const raised: Command = { kind: "alarm", action: "activate", memberId: 1n, alarm: alarm > 2 ? 0 : alarm };
      const first = [...firstGrants, ...firstUsers, raised];
      for (const refusal of runAll(new Comparison(), first, run)) seen.add(refusal);
    }),
    { numRuns: 150 },
  );
  for (const refusal of ["user-empty", "permission-denied", "auth-revision-old", "no-space", "corrupt", undefined]) {
    assert.ok(seen.has(refusal), refusal);
  }
});
