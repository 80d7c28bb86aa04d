/** F14, I13: large ranges take turns, look no further than they must, and are not answered to who has lost the right. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createPutRequest, createRangeRequest, etcdErrors } from "@holdfast/protocol";
import type { StateMachine } from "@holdfast/state-machine";
import { startSecured } from "../testing/secured.js";
import { Services } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, type TestClient, text } from "../testing/test-client.js";

const all = { key: byteString("k"), rangeEnd: byteString("l") };
const restOf = { rangeEnd: byteString("l") };

/** What is read in slices from now on: how often that was begun, how many are being read, and something to do before each slice. */
interface Readings {
  begun: number;
  open: number;
  openMax: number;
  slices: number;
  beforeSlice: () => void;
}

function watchReadings(machine: StateMachine): Readings {
  const readings: Readings = { begun: 0, open: 0, openMax: 0, slices: 0, beforeSlice: () => {} };
  const largeRange = machine.largeRange.bind(machine);
  machine.largeRange = (request) => {
    const range = largeRange(request);
    const next = range.next.bind(range);
    readings.begun += 1;
    readings.open += 1;
    readings.openMax = Math.max(readings.openMax, readings.open);
    range.next = (keysMax) => {
      readings.slices += 1;
      readings.beforeSlice();
      const slice = next(keysMax);
      if (slice.kind === "refused" || slice.done) readings.open -= 1;
      return slice;
    };
    return range;
  };
  return readings;
}

function put(machine: StateMachine, name: string, value: string): void {
  const caller = { userName: "root", authRevision: machine.auth.revision };
  const request = createPutRequest({ key: byteString(name), value: Buffer.from(value) });
  assert.equal(machine.apply({ kind: "put", request }, caller).kind, "put");
}

/** Takes from ann what she may read, and writes there. */
function withdrawFromAnn(machine: StateMachine): void {
  const caller = { userName: "root", authRevision: machine.auth.revision };
  assert.notEqual(machine.apply({ kind: "roleRevokePermission", roleName: "ann", ...all }, caller).kind, "refused");
  put(machine, "k100", "secret");
}

async function securedWithKeys(t: TestContext, largeRangesAtOnce: number) {
  const grants = { ann: [["r", "k", "l"]], bob: [["r", "k", "l"]] } as const;
  const serviceLimits = { rangeSliceKeys: 10, largeRangesAtOnce };
  const { services, as } = await startSecured(t, grants, { serviceLimits });
  const { machine } = services.replica;
  for (let n = 0; n < 40; n++) put(machine, `k${100 + n}`, "old");
  return { machine, readings: watchReadings(machine), ann: await as("ann"), bob: await as("bob") };
}

test("I13, F14: whoever loses the right while a large range waits for its turn is not answered", async (t) => {
  const { machine, readings, ann, bob } = await securedWithKeys(t, 1);
  readings.beforeSlice = () => {
    if (readings.slices === 2) withdrawFromAnn(machine);
  };
  const first = bob.range("k", restOf);
  const second = ann.range("k", restOf);
  await rejectsAs(second, etcdErrors.permissionDenied);
  assert.equal(text((await first).kvs[0]!.value), "old");
  assert.equal(readings.begun, 1, "what is not answered is not read");
});

test("I13, F14: whoever loses the right while a large range is read is not answered", async (t) => {
  const { machine, readings, ann } = await securedWithKeys(t, 1);
  readings.beforeSlice = () => {
    if (readings.slices === 3) withdrawFromAnn(machine);
  };
  await rejectsAs(ann.range("k", restOf), etcdErrors.permissionDenied);
  assert.equal(readings.slices, 3);
});

test("I13, F14: nor is one answered that is begun anew after a compaction, or then read in one go", async (t) => {
  for (const lostAt of [1, 2, 3, 4]) {
    const { machine, readings, ann } = await securedWithKeys(t, 1);
    readings.beforeSlice = () => {
      put(machine, "k101", "changed");
      const caller = { userName: "root", authRevision: machine.auth.revision };
      machine.apply({ kind: "compact", revision: machine.revision }, caller);
      if (readings.slices === lostAt) withdrawFromAnn(machine);
    };
    await rejectsAs(ann.range("k", restOf), etcdErrors.permissionDenied);
    assert.equal(readings.slices, lostAt);
  }
});

async function withManyKeys(t: TestContext, keys: number): Promise<{ services: Services; readings: Readings }> {
  const services = await Services.start(t, { serviceLimits: { rangeSliceKeys: 10 } });
  const { machine } = services.replica;
  for (let n = 0; n < keys; n++) put(machine, `k${10_000 + n}`, "v");
  return { services, readings: watchReadings(machine) };
}

test("F14: a range in key order that is cut at few keys is answered at once, however many there are", async (t) => {
  const { services, readings } = await withManyKeys(t, 100);
  const client = await services.connect();
  const { kvs, count, more } = await client.range("k", { ...restOf, limit: 10 });
  assert.deepEqual([kvs.length, count, more], [10, 100, true]);
  assert.equal(readings.begun, 0);
  await client.range("k", { ...restOf, limit: 11 });
  assert.equal(readings.begun, 1);
});

/** Asks for everything `times` times; the array grows with every answer. */
function askForAll(client: TestClient, times: number): { readonly answers: number[]; readonly all: Promise<unknown> } {
  const answers: number[] = [];
  const asked = Array.from({ length: times }, async () => answers.push((await client.range("k", restOf)).kvs.length));
  return { answers, all: Promise.all(asked) };
}

test("F14: a sorted or filtered range of another connection waits for no queue of whole ranges", async (t) => {
  for (const fields of [
    { sortOrder: 2, sortTarget: 2, limit: 1 },
    { minModRevision: 3, limit: 1 },
  ] as const) {
    const { services, readings } = await withManyKeys(t, 500);
    const [greedy, other] = [await services.connect(), await services.connect()];
    const whole = askForAll(greedy, 6);
    while (readings.slices === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await other.range("k", { ...restOf, ...fields })).kvs.length, 1);
    assert.ok(whole.answers.length <= 4, `${whole.answers.length} before it`);
    await whole.all;
    assert.deepEqual(whole.answers, new Array(6).fill(500));
  }
});

test("LIMIT largeRangesAtOnce: no more are read at once, half of them for one connection, and the others wait", async (t) => {
  const { services, readings } = await withManyKeys(t, 100);
  const clients = [await services.connect(), await services.connect(), await services.connect()];
  await askForAll(clients[0]!, 5).all;
  assert.equal(readings.openMax, 2);
  await Promise.all(clients.map((client) => askForAll(client, 5).all));
  assert.equal(readings.openMax, 4);
  assert.equal(readings.begun, 20);
  assert.equal(readings.open, 0);
});

test("F14: for a range of an old revision nothing is counted beforehand, and it is begun once", async (t) => {
  const { services, readings } = await withManyKeys(t, 100);
  const { machine } = services.replica;
  const client = await services.connect();
  machine.rangeReader = () => assert.fail("counts");
  const request = createRangeRequest({ ...all, revision: 51 });
  const { kvs, count } = await client.range("k", request);
  assert.deepEqual([kvs.length, count], [50, 50]);
  assert.equal(readings.begun, 1);
  await rejectsAs(client.range("k", { ...request, revision: 999 }), etcdErrors.futureRev);
  assert.equal(readings.begun, 1);
});
