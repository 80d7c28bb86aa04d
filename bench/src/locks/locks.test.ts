import assert from "node:assert/strict";
import { test } from "node:test";
import { byteStringFromText, kvService, SortOrder, SortTarget } from "@holdfast/protocol";
import { callOnce } from "../driver/calls.js";
import type { Connections } from "../load/connections.js";
import { rangeOfPrefix } from "../load/store.js";
import { onHoldfast } from "../testing-connections.js";
import { HandOver } from "./hand-over.js";
import { LockPairs } from "./lock-pairs.js";
import { Rotation } from "./rotation.js";

const seconds = 0.05;
const { put, range, deleteRange } = kvService.methods;

/** A write that belongs to no load. */
function putOnce(connections: Connections, key: string): Promise<unknown> {
  return callOnce(connections.at(0), put, put.request.create({ key: byteStringFromText(key) }));
}

test("lock pairs: what is counted is what the store shows", () =>
  onHoldfast(async (connections) => {
    const load = await LockPairs.prepare(connections, 5);
    for (let round = 0; round < 2; round++) {
      const { operations } = await load.checked(() => load.run(seconds));
      assert.ok(operations >= 5);
    }
  }));

test("lock pairs: a write that is not theirs fails the round, and so does a lock that is left", () =>
  onHoldfast(async (connections) => {
    const load = await LockPairs.prepare(connections, 2);
    const roundWith = (key: string) =>
      load.checked(async () => {
        await putOnce(connections, key);
        return load.run(seconds);
      });
    await assert.rejects(roundWith("elsewhere"), /pairs made \d+ revisions/);
    await assert.rejects(roundWith("pairs/left"), /1 locks are left/);
  }));

test("hand-over: every waiter queues again, round after round", () =>
  onHoldfast(async (connections) => {
    const load = await HandOver.prepare(connections, "lock", 20);
    for (let round = 0; round < 2; round++) {
      const { operations, latencies } = await load.run(seconds);
      assert.ok(operations >= 1);
      assert.equal(latencies.total, operations);
    }
  }));

test("hand-over: two holders at a time fail the round", () =>
  onHoldfast(async (connections) => {
    const load = await HandOver.prepare(connections, "lock", 3);
    // With its key away, the holder does not know that the next one holds the lock as well.
    const oldest = { limit: 1, sortTarget: SortTarget.CREATE, sortOrder: SortOrder.ASCEND };
    const { kvs } = await callOnce(
      connections.at(0),
      range,
      range.request.create({ ...rangeOfPrefix("lock/"), ...oldest }),
    );
    const key = kvs[0]?.key ?? byteStringFromText("");
    const taken = callOnce(connections.at(0), deleteRange, deleteRange.request.create({ key }));
    const round = connections.during("taking the key away", 10_000, taken).then(() => load.run(seconds));
    await assert.rejects(round, /two callers hold the lock/);
  }));

test("rotation: leaders come and go, and no observer misses one", () =>
  onHoldfast(async (connections) => {
    const load = await Rotation.prepare(connections, "election", 7);
    for (let round = 0; round < 2; round++) {
      const { operations, observedShare } = await load.run(seconds);
      assert.ok(operations >= 1);
      assert.equal(observedShare, 1);
    }
  }));
