import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeleteRangeRequest, createRequestOp, createTxnRequest, type RequestOp } from "@holdfast/protocol";
import { byteString, Harness } from "../testing/harness.js";
import type { LockMeter } from "./lock-meter.js";
import type { LockWaiter } from "./lock-queue.js";

const prefix = byteString("n/");
const silent: LockWaiter = { granted() {}, lost() {} };

/** Puts `n/<name>` and asks for it, as Lock and Campaign do. */
async function contend(harness: Harness, name: string, lease = 0n): Promise<LockWaiter> {
  const waiter = { ...silent };
  const createRevision = await harness.put(`n/${name}`, "", lease);
  harness.replica.locks.wait(prefix, byteString(`n/${name}`), createRevision, waiter);
  return waiter;
}

function deletion(key: string, rangeEnd = ""): RequestOp {
  const requestDeleteRange = createDeleteRangeRequest({ key: byteString(key), rangeEnd: byteString(rangeEnd) });
  return createRequestOp({ requestDeleteRange });
}

function losses({ holdLosses }: LockMeter): string[] {
  return Object.entries(holdLosses).flatMap(([reason, count]) => (count > 0 ? [`${reason} ${count}`] : []));
}

test("waits and holds are measured from joining to granted, and from granted to the end of the key", async () => {
  const harness = await Harness.start();
  const { meter } = harness.replica.locks;
  await contend(harness, "a");
  await contend(harness, "b");
  assert.equal(meter.heldCount, 1);
  harness.environment.advance(5_000);
  await harness.delete("n/a");
  assert.deepEqual([meter.waitSeconds.count, meter.waitSeconds.sum], [2, 5]);
  assert.deepEqual([meter.holdSeconds.count, meter.holdSeconds.sum], [1, 5]);
  assert.equal(meter.handOvers, 1);
  harness.environment.advance(2_000);
  await harness.delete("n/b");
  assert.deepEqual([meter.holdSeconds.count, meter.holdSeconds.sum], [2, 7]);
  assert.deepEqual([meter.heldCount, meter.handOvers], [0, 1]);
  assert.deepEqual(losses(meter), []);
});

test("a hold whose key is deleted by name is given back, in a transaction too", async () => {
  const harness = await Harness.start();
  const { meter } = harness.replica.locks;
  await contend(harness, "a");
  const inner = createRequestOp({ requestTxn: createTxnRequest({ success: [deletion("n/a")] }) });
  await harness.propose({ kind: "txn", request: createTxnRequest({ success: [inner] }) });
  assert.deepEqual([meter.heldCount, meter.holdSeconds.count], [0, 1]);
  assert.deepEqual(losses(meter), []);
});

test("a hold that ends otherwise is a loss, with its reason", async () => {
  const harness = await Harness.start();
  const { meter } = harness.replica.locks;
  await harness.grant(5n, 60);
  await contend(harness, "a", 5n);
  await harness.propose({ kind: "leaseRevoke", leaseId: 5n });
  assert.deepEqual(losses(meter), ["lease_revoked 1"]);
  await harness.grant(6n, 2);
  await contend(harness, "b", 6n);
  harness.environment.advance(2_500);
  await harness.settle();
  assert.deepEqual(losses(meter), ["lease_expired 1", "lease_revoked 1"]);
  await contend(harness, "c");
  await harness.propose({ kind: "txn", request: createTxnRequest({ success: [deletion("n/", "n0")] }) });
  await contend(harness, "d");
  await harness.propose({
    kind: "deleteRange",
    request: createDeleteRangeRequest({ key: prefix, rangeEnd: byteString("n0") }),
  });
  assert.deepEqual(losses(meter), ["lease_expired 1", "lease_revoked 1", "key_deleted 2"]);
  assert.equal(meter.heldCount, 0);
});

test("a wait that ends without the lock is counted with its reason", async () => {
  const harness = await Harness.start();
  const { locks } = harness.replica;
  await contend(harness, "a");
  await harness.grant(5n, 60);
  await contend(harness, "b", 5n);
  const c = await contend(harness, "c");
  await harness.propose({ kind: "leaseRevoke", leaseId: 5n });
  locks.leave(prefix, byteString("n/c"), c);
  assert.equal(locks.meter.waitLosses.lease_revoked, 1);
  assert.equal(locks.meter.waitLosses.client_gone, 1);
  assert.deepEqual(losses(locks.meter), []);
  assert.equal(locks.meter.waitSeconds.count, 1);
});

test("a plain key under the name counts as held once somebody waits behind it, for a time nobody knows", async () => {
  const harness = await Harness.start();
  const { meter } = harness.replica.locks;
  await harness.put("n/plain");
  assert.equal(meter.heldCount, 0);
  await contend(harness, "a");
  assert.equal(meter.heldCount, 1);
  await harness.delete("n/plain");
  assert.deepEqual([meter.heldCount, meter.holdSeconds.count, meter.handOvers], [1, 0, 1]);
});

test("LOCK-18: asking again for a lock one holds does not begin the hold anew", async () => {
  const harness = await Harness.start();
  const { locks } = harness.replica;
  const createRevision = await harness.put("n/a");
  locks.wait(prefix, byteString("n/a"), createRevision, silent);
  harness.environment.advance(3_000);
  assert.equal(locks.wait(prefix, byteString("n/a"), createRevision, silent), "held");
  await harness.delete("n/a");
  assert.deepEqual([locks.meter.heldCount, locks.meter.holdSeconds.sum], [0, 3]);
});
