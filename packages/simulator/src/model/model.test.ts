/** The model by table, and against the real machine: where they differ, one of them is wrong about a rule. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CompareResult,
  CompareTarget,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  EventType,
  type RangeRequest,
} from "@holdfast/protocol";
import { type Command, StateMachine } from "@holdfast/state-machine";
import fc from "fast-check";
import { sameAnswer, show } from "../checks/answers.js";
import { commands, ranges, spaceAlarms } from "../testing/arbitraries.js";
import { bytes, key } from "../testing/finding.js";
import {
  answerRange,
  apply,
  emptyStore,
  leaseOfKey,
  ownerOf,
  ownershipKey,
  rangeRefusal,
  type Store,
} from "./index.js";

const put = (name: string, value: string, lease = 0n): Command => {
  return { kind: "put", request: createPutRequest({ key: key(name), value: bytes(value), lease }) };
};
const all = createRangeRequest({ key: key("\0"), rangeEnd: key("\0") });

function after(...list: readonly Command[]): Store {
  return list.reduce((store, command) => apply(store, command).store, emptyStore);
}

function keysIn(store: Store, revision = 0): string[] {
  return answerRange(store, { ...all, revision }).kvs.map((pair) => pair.key);
}

test("GEN-1, KV-22, KV-28: revisions, versions and lives", () => {
  const store = after(put("a", "1"), put("a", "2"), {
    kind: "deleteRange",
    request: createDeleteRangeRequest({ key: key("a") }),
  });
  assert.equal(store.revision, 4);
  const [pair] = after(put("a", "1"), put("a", "2")).pairs;
  assert.deepEqual([pair?.createRevision, pair?.modRevision, pair?.version], [2, 3, 2]);
  const [again] = apply(store, put("a", "3")).store.pairs;
  assert.deepEqual([again?.createRevision, again?.modRevision, again?.version], [5, 5, 1]);
});

test("KV-12, COMP-1, COMP-3: old revisions can be read until they are compacted", () => {
  const store = after(put("a", "1"), put("b", "1"), put("c", "1"));
  assert.deepEqual(
    [1, 2, 3, 4].map((revision) => keysIn(store, revision).length),
    [0, 1, 2, 3],
  );
  const compacted = apply(store, { kind: "compact", revision: 3 }).store;
  assert.equal(rangeRefusal(compacted, { ...all, revision: 2 }), "compacted");
  assert.equal(rangeRefusal(compacted, { ...all, revision: 3 }), undefined);
  assert.equal(rangeRefusal(compacted, { ...all, revision: 5 }), "future-revision");
  assert.deepEqual(apply(compacted, { kind: "compact", revision: 3 }).outcome, {
    kind: "refused",
    refusal: "compacted",
  });
});

test("TXN-6, TXN-7, TXN-8: compares see what was before, operations what was just done", () => {
  const isAbsent = createCompare({
    key: key("a"),
    target: CompareTarget.CREATE,
    result: CompareResult.EQUAL,
    createRevision: 0,
  });
  const nested = createTxnRequest({ compare: [isAbsent], success: [createRequestOp({ requestRange: all })] });
  const request = {
    kind: "txn",
    request: createTxnRequest({
      compare: [isAbsent],
      success: [
        createRequestOp({ requestPut: createPutRequest({ key: key("a"), value: bytes("1") }) }),
        createRequestOp({ requestTxn: nested }),
      ],
    }),
  } as const;
  const { outcome, store, events } = apply(emptyStore, request);
  assert.ok(outcome.kind === "txn" && outcome.response.succeeded);
  const inner = outcome.response.responses[1]?.responseTxn;
  assert.equal(inner?.succeeded, true);
  assert.equal(inner?.responses[0]?.responseRange?.kvs.length, 1);
  assert.deepEqual([outcome.response.header?.revision, store.revision, events.length], [2, 2, 1]);
  assert.equal(apply(store, request).store.revision, 2);
});

test("LEASE-11, LEASE-31, LEASE-32: keys go with the lease that they are on, in one revision", () => {
  const grant = (leaseId: bigint): Command => ({ kind: "leaseGrant", leaseId, ttlSeconds: 5 });
  const store = after(grant(1n), grant(2n), put("b", "1", 1n), put("a", "1", 1n), put("c", "1", 1n), put("c", "2", 2n));
  const { store: left, events } = apply(store, { kind: "leaseRevoke", leaseId: 1n });
  assert.deepEqual(
    events.map(({ type, kv }) => [type, kv?.key, kv?.modRevision]),
    [
      [EventType.DELETE, "a", 6],
      [EventType.DELETE, "b", 6],
    ],
  );
  assert.deepEqual(keysIn(left), ["c"]);
  assert.deepEqual(apply(left, put("d", "1", 1n)).outcome, { kind: "refused", refusal: "lease-not-found" });
});

test("I7: an expiry ends only the grant that it names", () => {
  const expire = (grantNumber: number): Command => ({ kind: "leaseExpire", leaseId: 1n, grantNumber });
  const grant: Command = { kind: "leaseGrant", leaseId: 1n, ttlSeconds: 5 };
  const store = after(grant, { kind: "leaseRevoke", leaseId: 1n }, grant);
  assert.deepEqual(apply(store, expire(1)).outcome, { kind: "leaseExpire", ended: false });
  assert.deepEqual(apply(store, expire(3)).outcome, { kind: "leaseExpire", ended: true });
});

test("WATCH-25: the pair before an event is that of the revision before", () => {
  const store = after(put("a", "1"));
  const [event] = apply(store, put("a", "2")).events;
  assert.equal(event?.prevKv?.modRevision, 2);
  assert.equal(apply(emptyStore, put("a", "1")).events[0]?.prevKv, undefined);
});

test("LOCK-1, LOCK-3, LOCK-5: owners by create revision, keys by lease", () => {
  const store = after(put("L/z", "1"), put("L/a", "1"), put("L", "1"), put("M/a", "1"));
  assert.equal(ownerOf(store.pairs, key("L"))?.key, "L/z");
  assert.equal(ownerOf(store.pairs, key("K")), undefined);
  for (const lease of [10n, -10n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    assert.equal(leaseOfKey(key("L"), ownershipKey(key("L"), lease)), lease);
  }
  assert.equal(leaseOfKey(key("L"), key("L/x")), undefined);
});

/** What is done, and what is read after it. */
function stepsOf(arbitrary: fc.Arbitrary<Command>) {
  const step = fc.record({ command: arbitrary, range: ranges });
  return fc.array(step, { minLength: 10, maxLength: 50, size: "max" });
}

function assertAgreement(run: readonly { readonly command: Command; readonly range: RangeRequest }[]): void {
  const machine = new StateMachine();
  let store = emptyStore;
  for (const { command, range } of run) {
    const applied = apply(store, command);
    store = applied.store;
    const outcome = machine.apply(command);
    if (command.kind !== "alarm") assertSame(applied.outcome, outcome, command);
    const changes = machine.changes.map((version) => ({ kv: version, prevKv: machine.previousVersion(version) }));
    // What was compacted is left out of the machine's events, as watchers see them.
    const events = applied.events.map(({ kv, prevKv }) => {
      return { kv, prevKv: store.revision - 1 < store.compactRevision ? undefined : prevKv };
    });
    assertSame(events, changes, command);
    const refusal = rangeRefusal(store, range);
    const expected =
      refusal === undefined ? { kind: "range", response: answerRange(store, range) } : { kind: "refused", refusal };
    assertSame(expected, machine.range(range), range);
    assert.deepEqual([store.revision, store.compactRevision], [machine.revision, machine.compactRevision]);
  }
  const leases = [...machine.leases()].map(({ leaseId, ttlSeconds, grantNumber }) => ({
    leaseId,
    ttlSeconds,
    grantNumber,
  }));
  assert.deepEqual(store.leases, leases);
  assert.equal(store.alarms.length, machine.alarms().length);
}

test("KV, TXN, LEASE, COMP: model and machine give the same answers and events to random commands", () => {
  fc.assert(fc.property(stepsOf(commands), assertAgreement), { numRuns: 300 });
});

test("MAINT-3, MAINT-4: model and machine agree on what the alarm for want of space stops", () => {
  const withAlarms = fc.oneof({ weight: 8, arbitrary: commands }, { weight: 1, arbitrary: spaceAlarms });
  fc.assert(fc.property(stepsOf(withAlarms), assertAgreement), { numRuns: 100 });
});

function assertSame(model: unknown, machine: unknown, asked: unknown): void {
  assert.ok(sameAnswer(model, machine), `${show(asked)}\nmodel:   ${show(model)}\nmachine: ${show(machine)}`);
}
