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
  type RequestOp,
  SortOrder,
  SortTarget,
} from "@holdfast/protocol";
import { Replica } from "../replica.js";
import { byteString, Harness } from "../testing/harness.js";
import { countBlocks } from "../testing/work-count.js";
import type { LockMeter } from "./lock-meter.js";

const prefix = byteString("n/");
const leaseSeconds = 1_000;

function keyOf(lease: bigint, name = "n"): string {
  return `${name}/${lease.toString(16)}`;
}

/** The transaction of Go's `concurrency.Mutex`: put one's key unless it is there, and read the oldest. */
async function tryMutex(harness: Harness, lease: bigint, name = "n"): Promise<void> {
  if (harness.replica.machine.lease(lease) === undefined) await harness.grant(lease, leaseSeconds);
  const key = byteString(keyOf(lease, name));
  const under = { key: byteString(`${name}/`), rangeEnd: byteString(`${name}0`), limit: 1 };
  const oldest = createRangeRequest({ ...under, sortOrder: SortOrder.ASCEND, sortTarget: SortTarget.CREATE });
  const readOldest = createRequestOp({ requestRange: oldest });
  const request = createTxnRequest({
    compare: [createCompare({ key, target: CompareTarget.CREATE, result: CompareResult.EQUAL, createRevision: 0 })],
    success: [createRequestOp({ requestPut: createPutRequest({ key, lease }) }), readOldest],
    failure: [createRequestOp({ requestRange: createRangeRequest({ key }) }), readOldest],
  });
  await harness.propose({ kind: "txn", request });
}

/** What the Lock and Campaign calls do; whether it was granted is written to `granted`. */
async function callLock(harness: Harness, lease: bigint, granted: bigint[] = []): Promise<void> {
  await harness.grant(lease, leaseSeconds);
  const createRevision = await harness.put(keyOf(lease), "", lease);
  const waiter = { granted: () => granted.push(lease), lost() {} };
  const result = harness.replica.locks.wait(prefix, byteString(keyOf(lease)), createRevision, waiter);
  if (result === "held") granted.push(lease);
}

function deletion(key: string, rangeEnd = ""): RequestOp {
  const requestDeleteRange = createDeleteRangeRequest({ key: byteString(key), rangeEnd: byteString(rangeEnd) });
  return createRequestOp({ requestDeleteRange });
}

async function transact(harness: Harness, ...success: RequestOp[]): Promise<void> {
  await harness.propose({ kind: "txn", request: createTxnRequest({ success }) });
}

function meterOf({ replica }: Pick<Harness, "replica">): LockMeter {
  return replica.locks.meter;
}

/** Held, waiting, hand-overs. */
function now({ heldCount, waitingCount, handOvers }: LockMeter): number[] {
  return [heldCount, waitingCount, handOvers];
}

/** How many holds and waits were measured, and their seconds. */
function measured({ holdSeconds, waitSeconds }: LockMeter): { holds: number[]; waits: number[] } {
  return { holds: [holdSeconds.count, holdSeconds.sum], waits: [waitSeconds.count, waitSeconds.sum] };
}

/** Those that are not 0. */
function losses({ holdLosses, waitLosses }: LockMeter): string[] {
  const named = (kind: string, counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts).flatMap(([reason, count]) => (count > 0 ? [`${kind} ${reason} ${count}`] : []));
  return [...named("hold", holdLosses), ...named("wait", waitLosses)];
}

async function restart(harness: Harness): Promise<Replica> {
  const log = await harness.reopenLog();
  return Replica.start({ log, environment: harness.environment, onFatal: assert.fail });
}

test("LOCK-27: Go's Mutex, the Lock call and both mixed are measured alike", async () => {
  for (const [first, second] of [
    [tryMutex, tryMutex],
    [callLock, callLock],
    [tryMutex, callLock],
    [callLock, tryMutex],
  ] as const) {
    const harness = await Harness.start();
    await first(harness, 10n);
    await second(harness, 11n);
    const meter = meterOf(harness);
    assert.deepEqual(now(meter), [1, 1, 0]);
    harness.environment.advance(5_000);
    await harness.delete(keyOf(10n));
    assert.deepEqual(now(meter), [1, 0, 1]);
    assert.deepEqual(measured(meter), { holds: [1, 5], waits: [2, 5] });
    harness.environment.advance(2_000);
    await harness.delete(keyOf(11n));
    assert.deepEqual(now(meter), [0, 0, 1]);
    assert.deepEqual(measured(meter), { holds: [2, 7], waits: [2, 5] });
    assert.deepEqual(losses(meter), []);
  }
});

test("names are counted each for itself", async () => {
  const harness = await Harness.start();
  await tryMutex(harness, 10n, "a");
  await tryMutex(harness, 10n, "b");
  await tryMutex(harness, 10n, "a/b");
  await tryMutex(harness, 11n, "b");
  assert.deepEqual(now(meterOf(harness)), [3, 1, 0]);
});

test("LOCK-5, NODE-1: ordinary keys and decimal leases are no places, though Lock waits behind them", async () => {
  const harness = await Harness.start();
  await harness.grant(20n, leaseSeconds);
  await harness.put("n/config");
  await harness.put("n/20", "", 20n);
  assert.deepEqual(now(meterOf(harness)), [0, 0, 0]);
  const granted: bigint[] = [];
  await callLock(harness, 10n, granted);
  assert.deepEqual(now(meterOf(harness)), [1, 0, 0]);
  await harness.delete("n/config");
  await harness.delete("n/20");
  assert.deepEqual(granted, [10n]);
  assert.deepEqual(now(meterOf(harness)), [1, 0, 0]);
});

test("a hold whose key is deleted by name is given back, in a transaction too", async () => {
  const harness = await Harness.start();
  await tryMutex(harness, 10n);
  const success = [deletion(keyOf(10n))];
  await transact(harness, createRequestOp({ requestTxn: createTxnRequest({ success }) }));
  assert.equal(meterOf(harness).holdSeconds.count, 1);
  assert.deepEqual(losses(meterOf(harness)), []);
});

test("a hold that ends otherwise is a loss, with its reason", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  await tryMutex(harness, 10n);
  await harness.propose({ kind: "leaseRevoke", leaseId: 10n });
  assert.deepEqual(losses(meter), ["hold lease_revoked 1"]);
  await harness.grant(11n, 2);
  await tryMutex(harness, 11n);
  harness.environment.advance(2_500);
  await harness.settle();
  assert.deepEqual(losses(meter), ["hold lease_expired 1", "hold lease_revoked 1"]);
  await tryMutex(harness, 12n);
  await transact(harness, deletion("n/", "n0"));
  await tryMutex(harness, 13n);
  const range = createDeleteRangeRequest({ key: prefix, rangeEnd: byteString("n0") });
  await harness.propose({ kind: "deleteRange", request: range });
  assert.deepEqual(losses(meter), ["hold lease_expired 1", "hold lease_revoked 1", "hold key_deleted 2"]);
  assert.deepEqual(now(meter), [0, 0, 0]);
  assert.deepEqual(measured(meter).holds, [4, 2.5]);
});

test("a wait that ends without the lock is counted with its reason", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  await tryMutex(harness, 10n);
  for (const lease of [11n, 12n, 13n]) await callLock(harness, lease);
  await harness.grant(14n, 2);
  await tryMutex(harness, 14n);
  await harness.propose({ kind: "leaseRevoke", leaseId: 11n });
  await harness.delete(keyOf(12n));
  await transact(harness, deletion(keyOf(13n), `${keyOf(13n)}\0`));
  harness.environment.advance(2_500);
  await harness.settle();
  const ends = ["wait given_up 1", "wait lease_expired 1", "wait lease_revoked 1", "wait key_deleted 1"];
  assert.deepEqual(losses(meter), ends);
  assert.deepEqual(now(meter), [1, 0, 0]);
  assert.deepEqual(measured(meter), { holds: [0, 0], waits: [1, 0] });
});

test("a delete of all keys of a name is one lost hold and lost waits: nobody held it in between", async () => {
  const harness = await Harness.start();
  for (const lease of [10n, 11n, 12n]) await tryMutex(harness, lease);
  await transact(harness, deletion("n/", "n0"));
  assert.deepEqual(now(meterOf(harness)), [0, 0, 0]);
  assert.deepEqual(losses(meterOf(harness)), ["hold key_deleted 1", "wait key_deleted 2"]);
});

test("LOCK-17: a key that is deleted and made again is another place, behind the others", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  for (const lease of [10n, 11n]) await tryMutex(harness, lease);
  harness.environment.advance(1_000);
  await harness.delete(keyOf(10n));
  await tryMutex(harness, 10n);
  assert.deepEqual(now(meter), [1, 1, 1]);
  await harness.delete(keyOf(10n));
  assert.deepEqual(losses(meter), ["wait given_up 1"]);
});

test("LOCK-18, ELECT-25: asking again and putting another value do not make another place", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  await tryMutex(harness, 10n);
  harness.environment.advance(3_000);
  await tryMutex(harness, 10n);
  await harness.put(keyOf(10n), "proposal", 10n);
  assert.deepEqual(now(meter), [1, 0, 0]);
  harness.environment.advance(1_000);
  await harness.delete(keyOf(10n));
  assert.deepEqual(measured(meter), { holds: [1, 4], waits: [1, 0] });
});

test("LEASE-32, LEASE-33: a key put under another lease or none is no place any more", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  for (const lease of [10n, 11n, 12n]) await tryMutex(harness, lease);
  await harness.put(keyOf(10n), "", 12n);
  assert.deepEqual(now(meter), [1, 1, 1]);
  await harness.put(keyOf(12n), "");
  assert.deepEqual(now(meter), [1, 0, 1]);
  assert.deepEqual(losses(meter), ["hold lease_changed 1", "wait lease_changed 1"]);
  await harness.delete(keyOf(10n));
  assert.deepEqual(now(meter), [1, 0, 1]);
});

test("an old key that becomes a place is the first, and the one before it waits without being measured", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  await harness.grant(10n, leaseSeconds);
  await harness.put(keyOf(10n));
  await tryMutex(harness, 11n);
  harness.environment.advance(1_000);
  await harness.put(keyOf(10n), "", 10n);
  assert.deepEqual(now(meter), [1, 1, 0]);
  harness.environment.advance(2_000);
  await harness.delete(keyOf(10n));
  harness.environment.advance(4_000);
  await harness.delete(keyOf(11n));
  assert.deepEqual(now(meter), [0, 0, 1]);
  assert.deepEqual(measured(meter), { holds: [2, 6], waits: [2, 0] });
});

test("after a restart those who hold and wait are counted; what began before it is not measured", async () => {
  const harness = await Harness.start();
  await harness.put("n/config");
  for (const lease of [12n, 10n, 11n]) await tryMutex(harness, lease);
  await callLock(harness, 13n);
  await tryMutex(harness, 10n, "other");
  const replica = await restart(harness);
  const { meter } = replica.locks;
  assert.deepEqual(now(meter), [2, 3, 0]);
  const done = { settled() {}, failed: assert.fail };
  replica.propose({ kind: "leaseRevoke", leaseId: 12n }, done);
  await harness.settle();
  assert.deepEqual(now(meter), [2, 2, 1]);
  assert.deepEqual(measured(meter), { holds: [0, 0], waits: [0, 0] });
  harness.environment.advance(1_500);
  const request = createDeleteRangeRequest({ key: byteString(keyOf(10n)) });
  replica.propose({ kind: "deleteRange", request }, done);
  await harness.settle();
  assert.deepEqual(now(meter), [2, 1, 2]);
  assert.deepEqual(measured(meter), { holds: [1, 1.5], waits: [0, 0] });
  assert.deepEqual(losses(meter), ["hold lease_revoked 1"]);
  await replica.close();
});

test("with thousands of places, one more and one less cost hardly more work than with a few", async () => {
  const few = await workWith(10);
  const many = await workWith(5_000);
  for (const part of ["join", "handOver", "leave"] as const) {
    assert.ok(few[part] > 0, `${part}: nothing was counted`);
    // A heap of five thousand is twelve deep, one of ten three.
    assert.ok(many[part] < 8 * few[part], `${part}: ${many[part]} blocks instead of ${few[part]}`);
  }
});

/** The work of the lock code with `places` places: for one more, for the end of the first, and of one in the middle. */
async function workWith(places: number): Promise<Record<"join" | "handOver" | "leave", number>> {
  const harness = await Harness.start();
  const leaseAt = (at: number): bigint => 0x10_000n + BigInt(at);
  for (let at = 0; at < places; at++) await tryMutex(harness, leaseAt(at));
  await harness.grant(leaseAt(places), leaseSeconds);
  const join = await countMetering(() => tryMutex(harness, leaseAt(places)));
  assert.deepEqual(now(meterOf(harness)), [1, places, 0]);
  const handOver = await countMetering(() => harness.delete(keyOf(leaseAt(0))));
  const leave = await countMetering(() => harness.delete(keyOf(leaseAt(places / 2))));
  assert.deepEqual(now(meterOf(harness)), [1, places - 2, 1]);
  return { join, handOver, leave };
}

function countMetering(work: () => Promise<unknown>): Promise<number> {
  return countBlocks("/replica/dist/locks/", work);
}

test("F14: the end of very many places at once is measured in slices, before what comes after it", async () => {
  const harness = await Harness.start();
  const places = 5_000;
  await harness.grant(10n, leaseSeconds);
  for (let i = 0; i < places; i++) await harness.put(`n${i}/a`, "", 10n);
  const meter = meterOf(harness);
  assert.deepEqual(now(meter), [places, 0, 0]);
  harness.environment.advance(3_000);
  await harness.propose({ kind: "leaseRevoke", leaseId: 10n });
  await tryMutex(harness, 11n, "n1");
  await harness.settle();
  assert.deepEqual(now(meter), [1, 0, 0]);
  assert.deepEqual(measured(meter), { holds: [places, 3 * places], waits: [places + 1, 0] });
  assert.deepEqual(losses(meter), [`hold lease_revoked ${places}`]);
});

test("a long name is forgotten as soon as it is free: nobody's quota counts what is remembered here", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  await harness.grant(1n, leaseSeconds);
  for (const name of ["short", "n".repeat(300)]) {
    await harness.put(keyOf(1n, name), "", 1n);
    assert.deepEqual(now(meter), [1, 0, 0]);
    await harness.delete(keyOf(1n, name));
    assert.deepEqual(now(meter), [0, 0, 0]);
  }
  assert.equal(meter.nameCount, 1);
});

test("a name that is free is forgotten or not, which nobody can tell: locked again, it is no hand-over", async () => {
  const harness = await Harness.start();
  const meter = meterOf(harness);
  await harness.grant(1n, leaseSeconds);
  // More names than are kept.
  for (let at = 0; at < 10_100; at++) {
    await harness.put(keyOf(1n, `n${at}`), "", 1n);
    await harness.delete(keyOf(1n, `n${at}`));
  }
  for (const name of ["n0", "n9000", "n10050"]) await harness.put(keyOf(1n, name), "", 1n);
  assert.deepEqual(now(meter), [3, 0, 0]);
  assert.equal(measured(meter).waits[0], 10_103);
  await harness.propose({ kind: "leaseRevoke", leaseId: 1n });
  assert.deepEqual(now(meter), [0, 0, 0]);
  assert.deepEqual([meter.holdLosses.lease_revoked, measured(meter).holds[0]], [3, 10_103]);
});
