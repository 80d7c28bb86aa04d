/** F14: what a stream of an old revision and a checksum look at is looked at in slices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createDeleteRangeRequest,
  createPutRequest,
  etcdErrors,
  kvService,
  maintenanceService,
} from "@holdfast/protocol";
import type { StateMachine } from "@holdfast/state-machine";
import { Services } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString } from "../testing/test-client.js";

const keys = 50;
const changes = 10_000;
const oldRevision = keys + 1;
const all = { key: byteString("k"), rangeEnd: byteString("l") };

function put(machine: StateMachine, name: string): void {
  const request = createPutRequest({ key: byteString(name), value: Buffer.from("v") });
  assert.equal(machine.apply({ kind: "put", request }).kind, "put");
}

/** 50 keys at `oldRevision`, and many more since. Tells how often counting went on, after doing something each time. */
function fill(machine: StateMachine, beforeStep: (steps: number) => void): { steps: number } {
  for (let i = 0; i < keys; i++) put(machine, `k${i}`);
  for (let i = 0; i < changes; i++) put(machine, `kk${i}`);
  const counted = { steps: 0 };
  const countInSlices = machine.countInSlices.bind(machine);
  machine.countInSlices = (request) => {
    const counting = countInSlices(request);
    return {
      next: () => {
        counted.steps += 1;
        beforeStep(counted.steps);
        return counting.next();
      },
    };
  };
  return counted;
}

test("F14, KV-14: the keys of an old revision are counted in slices before they are streamed", async (t) => {
  const services = await Services.start(t);
  const counted = fill(services.replica.machine, () => {});
  const client = await services.connect();
  const stream = client.stream(kvService.methods.rangeStream, { ...all, revision: oldRevision });
  let found = 0;
  for (;;) {
    const { rangeResponse } = await stream.next();
    found += rangeResponse?.kvs.length ?? 0;
    if (rangeResponse?.header === undefined) continue;
    assert.deepEqual([rangeResponse.count, rangeResponse.more], [keys, false]);
    assert.equal(rangeResponse.header.revision, keys + changes + 1);
    break;
  }
  assert.equal(found, keys);
  assert.ok(counted.steps > 2, `${counted.steps} steps`);
});

test("KV-20: a stream whose revision is compacted while its keys are counted ends with that", async (t) => {
  const services = await Services.start(t);
  const { machine } = services.replica;
  fill(machine, (steps) => {
    if (steps === 2) machine.apply({ kind: "compact", revision: oldRevision + 1 });
  });
  const client = await services.connect();
  const stream = client.stream(kvService.methods.rangeStream, { ...all, revision: oldRevision });
  await rejectsAs(stream.next(), etcdErrors.compacted);
});

test("F14, MAINT-8: a revision of very many changes is hashed in slices, and to the same value each time", async (t) => {
  const services = await Services.start(t);
  const { machine } = services.replica;
  for (let i = 0; i < changes; i++) put(machine, `k${i}`);
  machine.apply({ kind: "deleteRange", request: createDeleteRangeRequest(all) });
  const turns: number[] = [];
  const { environment } = services.context;
  const defer = environment.defer.bind(environment);
  Object.assign(environment, {
    defer: (task: () => void) => {
      turns.push(1);
      defer(task);
    },
  });
  const client = await services.connect();
  const { hash } = await client.call(maintenanceService.methods.hashKv, { revision: 0 });
  // 20,000 events, a thousand a turn.
  assert.ok(turns.length >= (2 * changes) / 1_000, `${turns.length} turns`);
  assert.equal((await client.call(maintenanceService.methods.hashKv, { revision: 0 })).hash, hash);
});
